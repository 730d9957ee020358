"""What the claimer hands on to the departures: claimed messages on their way out, a batch at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.outcomes import Claimed
from core.repositories.sending import RunningCampaign


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A claimed message on its way out; all times are monotonic seconds.

    - From its `slot` on it may leave.
    - From `stale_time` on it is put back and claimed anew, since its campaign may have been paused meanwhile.
    - From `deadline` on its lease has ended: others may have claimed it, and it must not leave whatever happened.

    Claimed at 100.0 it may have the slots 100.0 to 100.5; it is stale at 101.0, and with leases of a minute its
    deadline is 160.0.
    """

    claimed: Claimed
    campaign: RunningCampaign
    slot: float
    stale_time: float
    deadline: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Parcels in the order of their departure; never empty. `interval` are the seconds between two at this pace."""

    parcels: Sequence[Parcel]
    interval: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NotYet:
    """Nothing can be claimed just now, though more may be due: it is worth while to ask again after `seconds`."""

    seconds: float
