"""What the generations of collections are now, as far as this process has heard; an answer is believed for 100 ms."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from core.cache.keys import generation_keys
from core.cache.server import Server
from core.clock import Clock

BELIEVED_SECONDS = 0.1
# An answer takes some rounds of a busy loop, 40 ms and more: two questions then stand between it and the 100 ms.
_ASK_SECONDS = 0.025
# Where answers take no longer than so much, two stand there too, and asking costs half.
_PROMPT_SECONDS = 0.02
_CALM_ASK_SECONDS = 0.045
# Only campaigns come and go; those not heard of for longest are followed no more. What was remembered of them is shown
# no longer, and the next look at Redis has them followed again: with more in use than this it is slower, never wrong.
_MOST_FOLLOWED = 512


class Generations:
    """Follows the generations of the collections that were heard of.

    An answer is as old as its question: the writes that returned before the question are in the answer.
    """

    def __init__(self, *, server: Server, clock: Clock, are_believed_for_ever: bool = False) -> None:
        """Takes where to ask; to believe for ever is for control runs, which show what the 100 ms are good for."""
        self._server = server
        self._clock = clock
        self._are_believed_for_ever = are_believed_for_ever
        self._numbers: dict[str, int] = {}
        self._turn = 0
        self._raised: dict[str, int] = {}  # in which turn a number was heard of otherwise
        self._taken = 0
        self._took_seconds = 0.0
        # Up to when the last answer is to be believed, in monotonic seconds; read on the way of each hit.
        self.fresh_until = float("inf" if are_believed_for_ever else "-inf")

    @property
    def ask_seconds(self) -> float:
        """How long after this question to ask the next: longer where the last one has its answer, and had it soon."""
        is_prompt = self._taken == self._turn and self._took_seconds <= _PROMPT_SECONDS
        return _CALM_ASK_SECONDS if is_prompt else _ASK_SECONDS

    def stand(self, numbers: Mapping[str, int]) -> bool:
        """Returns whether these collections still have these generations, as far as is known."""
        return numbers.items() <= self._numbers.items()

    def follows(self, names: Iterable[str]) -> bool:
        """Returns whether all of these were heard of, so that the questions are about them, too."""
        return all(name in self._numbers for name in names)

    def learn(self, numbers: Mapping[str, int]) -> None:
        """Notes what was heard from Redis in another answer; these are followed from now on, and longest of all."""
        for name, number in numbers.items():
            known = self._numbers.pop(name, 0)
            self._numbers[name] = max(known, number)  # now the last in order
            if number > known:
                self._raised[name] = self._turn

    async def ask(self) -> None:
        """Asks for all that are followed, in one question; another may be under way."""
        names = self._followed()
        self._turn += 1
        turn, asked_at = self._turn, self._clock.monotonic()
        answer = await self._server.read_numbers(generation_keys(names)) if names else []
        if answer is not None and turn > self._taken:
            self._taken = turn
            self._took_seconds = self._clock.monotonic() - asked_at
            if not self._are_believed_for_ever:
                self.fresh_until = asked_at + BELIEVED_SECONDS
            self._take(turn, names, answer)

    def _followed(self) -> list[str]:
        excess = len(self._numbers) - _MOST_FOLLOWED
        if excess > 0:
            for name in list(islice((name for name in self._numbers if "/" in name), excess)):
                del self._numbers[name]
                self._raised.pop(name, None)
        return list(self._numbers)

    def _take(self, turn: int, names: Sequence[str], answer: Sequence[int | None]) -> None:
        for name, number in zip(names, answer, strict=True):
            if name not in self._numbers or self._raised.get(name, 0) >= turn:
                continue  # followed no more, or heard of since the question
            if number is None:
                # Lost with its server: what was kept under it is not shown again.
                self._numbers.pop(name, None)
                self._raised.pop(name, None)
            else:
                self._numbers[name] = number
