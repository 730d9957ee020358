"""The law of the cache, as a ledger: what a read may show, given every write there was and when it returned."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# After a write returns no process shows the older reply for longer than this.
HEARD_SECONDS = 0.1
# What the contract promises of campaign statistics, whatever workers change behind the cache.
STATS_SECONDS = 2.0


class LawBrokenError(AssertionError):
    """Says which promise a reply broke."""


@dataclass(frozen=True, slots=True)
class Write:
    """One write that has returned: its version, by which process, when, and the generations it told, if any."""

    version: int
    process: int
    returned_at: float
    generations: str


@dataclass(slots=True)
class Law:
    """Remembers writes, and what workers did, and judges what reads show."""

    writes: list[Write] = field(default_factory=list)
    works: list[tuple[float, int]] = field(default_factory=list)
    replies: dict[tuple[str, int], bytes] = field(default_factory=dict)

    def least_version(self, *, process: int, at: float, seen: str) -> int:
        """Returns the oldest version that a read which begins then may show.

        A write that could not tell of itself, because Redis was away, binds only the process that made it.
        """
        binding = [
            write.version
            for write in self.writes
            if write.process == process
            or (write.generations and write.returned_at + HEARD_SECONDS <= at)
            or (seen and write.generations and _number(write.generations) <= _number(seen))
        ]
        return max(binding, default=0)

    def check_version(self, shown: int, least: int, *, where: Mapping[str, object]) -> None:
        """Raises LawBrokenError when a read shows less than it must."""
        if shown < least:
            raise LawBrokenError(f"version {shown} was shown where {least} was due: {dict(where)}")

    def check_reply(self, method: str, version: int, reply: bytes) -> None:
        """Raises LawBrokenError when a reply of a version is not, byte for byte, the one there was before."""
        if self.replies.setdefault((method, version), reply) != reply:
            raise LawBrokenError(f"two replies of {method} differ by more than their age")

    def least_count(self, at: float) -> int:
        """Returns the smallest number of messages that statistics asked for then may show."""
        return max((count for when, count in self.works if when + STATS_SECONDS <= at), default=0)

    def check_count(self, shown: int, least: int) -> None:
        """Raises LawBrokenError when statistics are older than the contract promises."""
        if shown < least:
            raise LawBrokenError(f"{shown} messages were shown where {least} were due: older than {STATS_SECONDS} s")


def _number(generations: str) -> int:
    return int(generations.partition("categories=")[2].partition(",")[0])
