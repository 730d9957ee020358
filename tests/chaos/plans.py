"""What one run is made of: how many messages, how fast, which faults how often, and how long doubts last."""

from dataclasses import dataclass
from types import MappingProxyType

WORKER_KILLED = "worker killed"
WORKER_FROZEN = "worker frozen"
API_KILLED = "API killed"
DOOR_KILLED = "webhook door killed"
DOOR_DOWN = "webhook door down"
QUEUE_EMPTIED = "queue killed and emptied"
DATABASE_RESTARTED = "PostgreSQL restarted"
# How often, relative to the others, a kind is drawn once each has struck.
WEIGHTS = MappingProxyType({WORKER_KILLED: 3})
EVERY_FAULT = (WORKER_KILLED, WORKER_FROZEN, API_KILLED, DOOR_KILLED, QUEUE_EMPTIED, DATABASE_RESTARTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run; times are seconds.

    The grace must exceed `late_seconds` + the longest redelivery step + the silence a door may keep unnoticed (5) +
    the age a delivery may reach unapplied (5), or silence would prove nothing. `aim` is the share of kills and freezes
    that strike a worker that is sending.
    """

    messages: int
    messages_per_second: float
    grace: float
    faults: tuple[str, ...] = EVERY_FAULT
    workers: int = 3
    lease: float = 5.0
    between_faults: tuple[float, float] = (1.0, 4.0)
    freeze: float = 15.0
    aim: float = 0.5
    judges_pace: bool = True
    door_down: float = 0.0
    lost_answer_rate: float = 0.01
    late: float = 20.0
    redelivery: float = 5.0
    doubled_webhook_rate: float = 1.0
    answer_median: float = 0.02
    early_receipt_rate: float = 0.02
    faults_end_at: float = 0.98
    longest_faults: float = 1200.0
    deadline: float = 3600.0

    @property
    def settings(self) -> dict[str, str]:
        """Returns the CHAPPE_ variables of the run."""
        return {
            "CHAPPE_LEASE_SECONDS": f"{self.lease:g}",
            "CHAPPE_WHATSAPP_TIMEOUT_SECONDS": "10",
            "CHAPPE_UNCONFIRMED_GRACE_SECONDS": f"{self.grace:g}",
            "CHAPPE_DEFAULT_REGION": "FR",
        }

    @property
    def conditions(self) -> dict[str, object]:
        """Returns the simulator's settings: every message is delivered and read, its webhooks in any order."""
        steps = [0.0, *(self.redelivery * share for share in (0.1, 0.2, 0.5, 1.0))]
        return {
            "suffixes": False,
            "timeline": {
                "latency_median": self.answer_median,
                "latency_p99": self.answer_median * 5,
                "sent_before_answer_rate": self.early_receipt_rate,
            },
            "webhooks": {
                "batch_random": True,
                "duplicate_rate": self.doubled_webhook_rate,
                "duplicate_delay": [0.0, self.late],
                "reorder_rate": 1.0 if self.late else 0.0,
                "reorder_delay": [0.0, self.late],
                "retry_delays": steps,
            },
        }


FULL = Plan(messages=100_000, messages_per_second=1000, grace=60)
QUICK = Plan(
    messages=2000,
    messages_per_second=60,
    grace=15,
    workers=2,
    lease=2,
    freeze=5,
    late=3,
    redelivery=1,
    between_faults=(0.8, 2.5),
    longest_faults=75,
    deadline=175,
)

# Each shows what one mechanism is worth where chance would take long to.
DIRECTED = MappingProxyType(
    {
        "frozen workers": Plan(
            # Frozen for so long that all else, and then what was sent again, has left before they wake.
            messages=9000, messages_per_second=500, grace=4, lease=2, late=0, redelivery=0.5, freeze=30, workers=5,
            faults=(WORKER_FROZEN,), aim=1, between_faults=(2.5, 3.5), lost_answer_rate=0, faults_end_at=0.9,
            longest_faults=40, deadline=240, judges_pace=False,
        ),
        "door down": Plan(
            messages=1500, messages_per_second=60, grace=10, lease=2, late=1, redelivery=1, door_down=25,
            faults=(DOOR_DOWN,), between_faults=(4.0, 5.0), lost_answer_rate=0.05, faults_end_at=0.3,
            longest_faults=20, deadline=240, judges_pace=False,
        ),
        "crowded rows": Plan(
            messages=6000, messages_per_second=1000, grace=15, lease=5, late=1, redelivery=1, workers=4,
            faults=(), early_receipt_rate=1.0, lost_answer_rate=0, longest_faults=20, deadline=240,
        ),
    }
)  # fmt: skip
