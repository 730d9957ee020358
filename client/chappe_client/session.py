"""client: what goes along with every call and what is remembered from every answer."""

from collections.abc import Iterable

GENERATIONS_KEY = "chappe-generations"


class Session:
    """Carries the key, and the server's mark of our last write, so that our next read sees it everywhere."""

    def __init__(self, *, key: str | None) -> None:
        self._key = key
        self._generations: str | None = None

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Returns what goes along with the next call."""
        key = (("authorization", f"Bearer {self._key}"),) if self._key else ()
        generations = ((GENERATIONS_KEY, self._generations),) if self._generations else ()
        return key + generations

    def learn(self, trailing: Iterable[tuple[str, str | bytes]] | None) -> None:
        """Remembers the mark, if the answer brought one; what it says is the server's business."""
        for key, value in trailing or ():
            if key == GENERATIONS_KEY and isinstance(value, str):
                self._generations = value
