"""A few messages and all that may happen to them: done to the rows, and told to what should become of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from core.domain.contacts import ConsentRecord, MarketingConsent
from core.domain.errors import WrongState
from core.domain.messages import MessageRef
from core.domain.outcomes import Settlement
from core.domain.stats import DEPLOYMENT
from core.repositories.doubts import SILENCE_SECONDS
from core.repositories.rooms import Rooms
from core.repositories.sending import BOTTOM
from core.whatsapp.errors import HOPELESS, RESTING
from server.services.campaign_retries import retry_failed_messages
from server.services.erasure import erase_person
from tests.helpers.sending import plan
from tests.helpers.webhook_bodies import body, status
from tests.property.mail import Flight, Mail, News
from tests.property.stage import Stage
from workers.settler import write
from workers.tasks.receipts import apply_batch

NUMBERS = [f"+49170000{n:04d}" for n in range(3)]
LEASE, GRACE, DEADLINE, DAY = 60, 60, 600, 86_400
LIVE = {"RUNNING", "PAUSED"}
ROWS = """
    SELECT id, state, reason, error_code, attempt, contact_id, whatsapp_message_id, parameters, accept_time, send_time,
        deliver_time, read_time, fail_time, doubt_time, lease_expire_time, failed_attempt
    FROM messages ORDER BY id"""
DOUBLES = "SELECT message_id FROM message_attempts WHERE accept_time IS NOT NULL ORDER BY message_id"
# A life is far shorter than the day for which these are left alone.
RIVALLED = """
    SELECT id FROM messages WHERE state = 'FAILED' AND EXISTS (
        SELECT FROM message_attempts AS older
        WHERE older.message_id = id AND older.attempt < messages.attempt
            AND older.whatsapp_message_id IS NOT NULL AND older.fail_time IS NULL AND older.undelivered_time IS NULL
    )"""
_KEY = b"key of the test"


class Life:
    """One campaign of three messages, its workers, its WhatsApp and its people."""

    def __init__(self, stage: Stage, *, policy: str) -> None:
        self.stage, self.policy, self.campaign = stage, policy, "RUNNING"
        self.campaign_id = stage.run(plan(stage.connection, NUMBERS)).campaign_id
        stage.do("UPDATE messages SET not_before_time = now()")
        stage.do("UPDATE campaigns SET unconfirmed_policy = $1", policy)
        self.rows = stage.fetch(ROWS)
        self.ids: list[UUID] = [row["id"] for row in self.rows]
        self.mails = [Mail(contact_id=row["contact_id"]) for row in self.rows]
        self.flights: list[Flight] = []
        self.said: list[Settlement] = []
        self.owed: list[News] = []
        self.accepted: set[tuple[int, int]] = set()

    # Workers.

    def claim(self, limit: int) -> list[Flight]:
        """A worker takes what is due."""
        now = self.stage.now.timestamp()
        waiting = [mail for mail in self.mails if mail.state == "PENDING" and self.campaign == "RUNNING"]
        due = [mail for mail in waiting if mail.due <= now]
        floors = {self.campaign_id: BOTTOM}
        claims = self.run("sending.claim_messages", floors, limit=limit, lease_seconds=LEASE)
        taken = claims[self.campaign_id]
        assert taken.count == min(limit, len(due))
        for mail in due:
            if self.row(mail)["state"] == "SKIPPED":
                assert mail.opted_out
                mail.skip("OPTED_OUT")
        # The order is the planner's; a life that is played again must be the same life.
        messages = sorted(taken.messages, key=lambda claimed: claimed.ref.message_id)
        return [self._fly(claimed.ref, claimed.contact_id) for claimed in messages]

    def _fly(self, ref: MessageRef, contact_id: UUID) -> Flight:
        number, now = self.ids.index(ref.message_id), self.stage.now.timestamp()
        mail = self.mails[number]
        assert contact_id == mail.contact_id
        assert not mail.erased
        assert not mail.opted_out
        rivals = [one for one in self.flights if one.number == number and one.lease_ends > now and not one.told]
        assert not rivals, "two workers hold one message"
        mail.claim()
        assert mail.attempt == ref.attempt
        self.flights.append(Flight(number, ref.attempt, lease_ends=now + LEASE))
        return self.flights[-1]

    def post(self, flight: Flight, story: Sequence[str], code: int) -> None:
        """WhatsApp takes a message, and owes news of it."""
        flight.taken = f"wamid.{flight.number}.{flight.attempt}"
        self.accepted.add((flight.number, flight.attempt))
        now = int(self.stage.now.timestamp())
        for seconds, word in enumerate(story):
            news = News(flight.number, flight.attempt, word, flight.taken, now + seconds)
            self.owed.append(replace(news, code=code if word == "FAILED" else 0))

    def settle(self, said: Settlement) -> None:
        """A worker writes what came of an attempt, perhaps not for the first time."""
        self.said = [*self.said[-3:], said]
        self.stage.run(write(self.stage.store, [said]))
        self.mail(said.ref.message_id).settle(
            said.ref.attempt, said.state.value, said.reason, said.error_code, cancelled=self.campaign == "CANCELLED"
        )

    # The keeper.

    def end_leases(self) -> None:
        """What a worker did not settle in time is in doubt."""
        now = self.stage.now
        held = [row for row in self.stage.fetch(ROWS) if row["state"] == "SENDING"]
        self.run("sending.expire_leases", 10)
        for row in held:
            if row["lease_expire_time"] < now:
                self.mail(row["id"]).doubt()

    def find_evidence(self, *, counts: bool) -> None:
        """Doubts are judged by the news of others; where evidence does not count, all are sent again, or cancelled."""
        doubted = self._doubted(GRACE + SILENCE_SECONDS) if self.campaign in LIVE | {"CANCELLED"} else []
        self.run("doubts.resend_on_evidence", grace_seconds=GRACE, lease_seconds=LEASE, limit=10, evidence=counts)
        for mail in doubted:
            if not counts or (self._is_proven(mail) and self.row(mail)["state"] != "UNCONFIRMED"):
                mail.decide(again=True)
                if self.campaign == "CANCELLED":
                    mail.cancel()

    def _is_proven(self, mail: Mail) -> bool:
        """At least one message was accepted about then, and all that were have been heard of."""
        half = timedelta(seconds=30)
        claimed = self.row(mail)["lease_expire_time"] - timedelta(seconds=LEASE)
        near = [
            row for row in self.stage.fetch(ROWS) if row["accept_time"] and _near(row["accept_time"], claimed, half)
        ]
        return bool(near) and all(row["state"] != "ACCEPTED" for row in near)

    def decide_doubts(self) -> None:
        """Doubts that last are left to the campaign's policy."""
        doubted = self._doubted(DEADLINE)
        self.run("doubts.decide_doubts", deadline_seconds=DEADLINE, limit=10)
        for mail in doubted:
            mail.decide(again=self.policy == "RESEND" and self.campaign in LIVE)

    def _doubted(self, seconds: float) -> list[Mail]:
        since = self.stage.now - timedelta(seconds=seconds)
        rows = [row for row in self.stage.fetch(ROWS) if row["state"] == "UNCONFIRMED"]
        return [self.mail(row["id"]) for row in rows if row["doubt_time"] <= since]

    def finish(self) -> None:
        """A campaign with nothing left is complete; what a cancelled one has not sent is cancelled."""
        done = self.run("campaign_states.complete_finished_campaigns", at=self.stage.now)
        over = all(mail.state not in {"PENDING", "SENDING", "UNCONFIRMED", "HELD"} for mail in self.mails)
        assert bool(done) == (over and self.campaign == "RUNNING")
        self.campaign = "COMPLETED" if done else self.campaign
        long_ago = self.stage.now - timedelta(days=9)
        self.run("campaign_states.reopen_unfinished_campaigns", at=self.stage.now, completed_since=long_ago)
        if self.campaign == "COMPLETED" and any(mail.state == "PENDING" for mail in self.mails):
            self.campaign = "RUNNING"
        self.run("campaign_states.cancel_messages_page", self.campaign_id, limit=10)
        self.run("shards.fold_state_counters", after=DEPLOYMENT, limit=10)
        for mail in self.mails if self.campaign == "CANCELLED" else ():
            mail.cancel()

    # WhatsApp.

    def tell(self, told: Sequence[News], *, bare: bool = False) -> None:
        """News come in one body; what is told by an id we do not know is parked, and told again."""
        known = [news for news in told if not bare or self.is_known(news)]
        self.deliver(told, bare=bare)
        for news in known:
            self.hear(news)
        self.owed += [news for news in told if news not in known and news not in self.owed]

    def is_known(self, news: News) -> bool:
        """Tells whether WhatsApp's id alone would say whose news this is."""
        return bool(self.run("receipts.find_messages", [news.wamid]))

    def hear(self, news: News) -> None:
        """The message should move as the news say."""
        for flight in self.flights:
            flight.told = flight.told or (flight.number, flight.attempt) == (news.number, news.attempt)
        now = self.stage.now.timestamp()
        live = self.campaign != "CANCELLED" and now - news.seconds <= DAY
        self.mails[news.number].hear(news.attempt, news.word, news.code, now=now, live=live)

    def deliver(self, told: Sequence[News], *, bare: bool = False) -> None:
        """News are applied; what should become of the messages is not asked."""

        async def work() -> None:
            async with self.stage.store.connection() as rooms:
                await rooms.deliveries.append_deliveries([body(statuses=[self._status(news, bare) for news in told])])
            await apply_batch(self.stage.store, now=self.stage.now, hash_key=_KEY)

        self.stage.run(work())

    def _status(self, news: News, bare: bool) -> dict[str, Any]:
        ref, at = self.ref(news.number, news.attempt), datetime.fromtimestamp(news.seconds, tz=UTC)
        word, title = news.word.lower(), f"title {news.code}"
        return status(word, at, wamid=news.wamid, ref=None if bare else ref, code=news.code, title=title)

    # People.

    def retry(self, codes: Sequence[int]) -> None:
        """What failed is put back: all that may help, or what failed by these codes."""
        rivalled = self._may_arrive()
        chosen = [mail for mail in self.mails if _may_retry(mail, codes) and mail not in rivalled]

        async def work() -> None:
            async with self.stage.store.transaction() as rooms:
                await retry_failed_messages(rooms, self.campaign_id, error_codes=codes, at=self.stage.now)

        try:
            self.stage.run(work())
        except WrongState:
            assert not chosen or self.campaign == "CANCELLED"
            return
        for mail in chosen:
            mail.retry()
        self.campaign = "RUNNING" if self.campaign == "COMPLETED" else self.campaign

    def _may_arrive(self) -> list[Mail]:
        """Of whom an earlier attempt may be on its way, though the newest one failed."""
        return [self.mail(row["id"]) for row in self.stage.fetch(RIVALLED)]

    def move_campaign(self, verb: str, state: str) -> None:
        """The campaign is paused, resumed or cancelled."""
        self.run(f"campaign_states.{verb}_campaign", self.campaign_id, at=self.stage.now)
        self.campaign = state

    def choose(self, mail: Mail, consent: MarketingConsent) -> None:
        """A contact wants marketing, or none."""
        record = ConsentRecord(
            contact_id=mail.contact_id, person_hash=b"hash", consent=consent, source="phone", event_time=self.stage.now
        )
        self.run("consent.record", [record], at=self.stage.now)
        mail.opted_out = consent is MarketingConsent.OPTED_OUT
        if mail.opted_out:
            mail.skip("OPTED_OUT")

    def erase(self, mail: Mail) -> None:
        """A contact is erased, unless a message to it is on its way out: with the end of its lease that is over."""

        async def work() -> None:
            async with self.stage.store.transaction() as rooms:
                await erase_person(rooms, mail.contact_id, hash_key=_KEY, at=self.stage.now, lease_seconds=LEASE)

        busy = mail.state == "SENDING" and self.row(mail)["lease_expire_time"] >= self.stage.now
        try:
            self.stage.run(work())
        except WrongState:
            assert busy
            return
        assert not busy
        mail.erase()

    # How it is said.

    def run(self, verb: str, *arguments: Any, **named: Any) -> Any:
        """Calls a repository, as in `sending.expire_leases`, in a transaction."""

        async def work() -> Any:
            async with self.stage.store.transaction() as rooms:
                return await _find(rooms, verb)(*arguments, **named)

        return self.stage.run(work())

    def ref(self, number: int, attempt: int) -> MessageRef:
        """Names an attempt as we do."""
        return MessageRef(campaign_id=self.campaign_id, message_id=self.ids[number], attempt=attempt)

    def mail(self, message_id: UUID) -> Mail:
        """Returns what should become of a message."""
        return self.mails[self.ids.index(message_id)]

    def row(self, mail: Mail) -> dict[str, Any]:
        """Returns the row of a message."""
        return self.stage.fetch(ROWS)[next(n for n, other in enumerate(self.mails) if other is mail)]


def _find(rooms: Rooms, verb: str) -> Any:
    room, name = verb.split(".")
    return getattr(getattr(rooms, room), name)


def _near(time: datetime, claimed: datetime, half: timedelta) -> bool:
    first, last = (claimed - half).replace(second=0), (claimed + half).replace(second=0) + timedelta(minutes=1)
    return first <= time < last


def _may_retry(mail: Mail, codes: Sequence[int]) -> bool:
    wanted = mail.code in codes if codes else mail.reason != "OUTCOME_UNKNOWN" and mail.code not in HOPELESS
    # A life is far shorter than the day for which some failures are left alone.
    wanted = wanted and mail.code not in RESTING
    return mail.state == "FAILED" and wanted and not mail.erased and not mail.opted_out
