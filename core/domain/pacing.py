"""The arithmetic of the pace: evenly spaced slots (GCRA), halved on throttling, recovering slowly. Pure."""

from dataclasses import dataclass

# How far ahead slots may be reserved: what a pause or an opt-out can find already planned.
HORIZON_SECONDS = 0.5

# Of a limit, so much is used: the way to WhatsApp moves a message by some milliseconds, and no second may hold more.
STEADY_SHARE = 0.99

HALVING = 0.5
LEAST_FACTOR = 0.05
RECOVERY_STEP = 0.1
RECOVERY_SECONDS = 10.0
HOLD_SECONDS = 1.0
MAX_HOLD_SECONDS = 60.0
# Refusals that come in one burst are one refusal.
BURST_SECONDS = 1.0
# So long after one, and no other since, a lane is as fast as before.
OVERCOME_SECONDS = HOLD_SECONDS + (1.0 - HALVING) / RECOVERY_STEP * RECOVERY_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Permits:
    """A row of slots: the i-th message leaves at `start + i * interval`, in seconds of the local monotonic clock.

    `wait` is how long from now until asking again is worth while when `count` is 0; `end`, where the row ends on
    Redis's clock, names it when it is given back. It is 0 when Redis was not there to reserve it.
    """

    count: int
    start: float
    interval: float
    wait: float = 0.0
    end: int = 0

    def slot(self, index: int) -> float:
        """Returns when the message with this index may leave."""
        return self.start + index * self.interval


@dataclass(slots=True, kw_only=True)
class Tempo:
    """The pace of one lane; all times are seconds of one clock that never runs backwards.

    `next_slot` is free, `interval` seconds or more after the last one reserved.
    """

    next_slot: float = float("-inf")
    interval: float = 0.0
    factor: float = 1.0
    change_time: float = float("-inf")
    hold_until: float = float("-inf")
    hold_count: int = 0

    def reserve(self, *, now: float, per_second: float, count: int, within: float = HORIZON_SECONDS) -> Permits:
        """Takes at most `count` slots that begin within so many seconds."""
        self._recover(now)
        interval = 1.0 / (per_second * self.factor)
        if self.hold_until > now:
            return Permits(count=0, start=now, interval=interval, wait=self.hold_until - now)
        # A pace that was raised holds from the last slot on.
        start = max(now, self.next_slot - max(0.0, self.interval - interval))
        free = max(0, int((now + within - start) / interval) + (1 if start <= now + within else 0))
        granted = min(count, free)
        if granted > 0:
            self.next_slot, self.interval = start + granted * interval, interval
        wait = 0.0 if granted else max(0.0, start - now - within)
        return Permits(count=granted, start=start, interval=interval, wait=wait)

    def give_back(self, permits: Permits, unused: int) -> None:
        """Returns the last slots of a row, unless others were taken behind it."""
        if self.next_slot == permits.slot(permits.count):
            self.next_slot -= unused * permits.interval
            # Of the last one left it is not known: a pace that is raised next begins at the next slot.
            self.interval = 0.0

    def throttle(self, *, now: float) -> None:
        """Halves the pace and holds the lane, longer each time; a burst counts once, and a longer hold goes on."""
        if now - self.change_time < BURST_SECONDS:
            return
        self._recover(now)
        self.factor = max(LEAST_FACTOR, self.factor * HALVING)
        self.hold(now=now, seconds=min(MAX_HOLD_SECONDS, HOLD_SECONDS * 2**self.hold_count))
        self.hold_count += 1
        self.change_time = self.hold_until

    def hold(self, *, now: float, seconds: float) -> None:
        """Lets nothing leave for so long at least; the pace afterwards is what it was."""
        self.hold_until = max(self.hold_until, now + seconds)

    def _recover(self, now: float) -> None:
        steps = int((now - self.change_time) / RECOVERY_SECONDS) if self.factor < 1.0 else 0
        if steps > 0:
            self.factor = min(1.0, self.factor + steps * RECOVERY_STEP)
            self.change_time += steps * RECOVERY_SECONDS
            self.hold_count = 0


# How much of a delay of our own may be made up for by sending closer together.
_TOLERANCE_SECONDS = 0.02


@dataclass(slots=True, kw_only=True)
class Gate:
    """The last word before a message leaves: slots that we are late for are not made up for in a burst."""

    opens: float = float("-inf")

    def opening(self, slot: float) -> float:
        """Returns when a message with this slot may leave."""
        return max(slot, self.opens)

    def pass_one(self, *, now: float, interval: float) -> None:
        """Notes that a message leaves now; `interval` is the seconds between two at the full pace."""
        self.opens = max(self.opens, now - _TOLERANCE_SECONDS) + interval
