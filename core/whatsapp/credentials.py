"""Access tokens by the reference a sender's row holds; the database never holds a token."""

from core.settings import PREFIX, Settings

DEFAULT_REFERENCE = f"{PREFIX}WHATSAPP_ACCESS_TOKEN"


def access_token(settings: Settings, reference: str) -> str:
    """Returns the token a reference stands for; an empty text when there is none."""
    if reference in {"", DEFAULT_REFERENCE}:
        return settings.whatsapp_access_token.get_secret_value()
    token = settings.whatsapp_access_tokens.get(reference)
    return "" if token is None else token.get_secret_value()
