"""Keys in page tokens that are more than one id; what nobody of us wrote is refused like a token of another request."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from core.domain.contact_lists import ContactKey, Entry
from server.wire.page_token import Page, read_id, refuse_token

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def write_time(moment: datetime) -> str:
    """Writes a moment as a part of a key, to the microsecond."""
    return str((moment - _EPOCH) // _MICROSECOND)


def after_ids(page: Page) -> tuple[UUID, UUID] | None:
    """Reads a key of two ids; refuses with ``PAGE_TOKEN_INVALID``."""
    if page.after is None:
        return None
    first, second = _pair(page.after)
    return read_id(first), read_id(second)


def after_time(page: Page) -> tuple[datetime, UUID] | None:
    """Reads a key of a moment and an id; refuses with ``PAGE_TOKEN_INVALID``."""
    if page.after is None:
        return None
    first, second = _pair(page.after)
    try:
        return _EPOCH + _MICROSECOND * int(first), read_id(second)
    except (ValueError, OverflowError):
        raise refuse_token() from None


def after_contact(page: Page, order: Entry) -> ContactKey | None:
    """Reads the key of a list of contacts in that order; refuses with ``PAGE_TOKEN_INVALID``."""
    match page.after, order:
        case None, _:
            return None
        case (number,), Entry.PHONE_NUMBER:
            return (number,)
        case (name, contact_id), Entry.DISPLAY_NAME:
            return name, read_id(contact_id)
        case (contact_id,), Entry.ALL | Entry.STATES | Entry.CATEGORY:
            return (read_id(contact_id),)
        case _:
            raise refuse_token()


def _pair(key: tuple[str, ...]) -> tuple[str, str]:
    match key:
        case (first, second):
            return first, second
        case _:
            raise refuse_token()
