"""client: what goes along with every call and what is remembered from every answer."""

from collections.abc import Iterable

GENERATIONS_KEY = "chappe-generations"
_MOST_GENERATIONS = 64


class Session:
    """Carries the key, and the server's marks of our own writes, so that our next read sees them everywhere.

    A mark is a comma-separated list of name=number; the newest number of each name is sent back.
    """

    def __init__(self, *, key: str | None, cached: bool = True) -> None:
        self._key = key
        self._cached = cached
        self._generations: dict[str, int] = {}

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Returns what goes along with the next call."""
        key = (("authorization", f"Bearer {self._key}"),) if self._key else ()
        fresh = () if self._cached else (("cache-control", "no-cache"),)
        marks = ",".join(f"{name}={number}" for name, number in self._generations.items())
        return key + fresh + (((GENERATIONS_KEY, marks),) if marks else ())

    def learn(self, trailing: Iterable[tuple[str, str | bytes]] | None) -> None:
        """Remembers the marks, if the answer brought some; the names not heard of for longest are forgotten."""
        for key, value in trailing or ():
            if key == GENERATIONS_KEY and isinstance(value, str):
                self._remember(value)

    def _remember(self, marks: str) -> None:
        for name, _, number in (mark.partition("=") for mark in marks.split(",")):
            if number.isdecimal():
                # Answers to calls made at once may come in any order.
                self._generations[name] = max(int(number), self._generations.pop(name, 0))
        for name in list(self._generations)[:-_MOST_GENERATIONS]:
            del self._generations[name]
