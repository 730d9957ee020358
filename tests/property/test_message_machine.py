"""Any life of a few messages, over the real tables: after each step the rows are as the design says and counted."""

from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.domain.contacts import MarketingConsent
from core.domain.messages import MessageState
from core.domain.outcomes import Settlement
from tests.property.life import DOUBLES, LIVE, ROWS, Life
from tests.property.mail import Flight, News, rank
from tests.property.stage import MISCOUNTED, Stage, pace

CODES = (131000, 131026, 131049)
# What WhatsApp may tell of one message it took; what a story leaves out was lost on its side.
STORIES = (
    ("SENT", "DELIVERED", "READ"), ("SENT", "FAILED"), ("SENT",), ("READ",), ("FAILED",), ("DELIVERED", "FAILED"),
)  # fmt: skip
ANSWERS = {"later": ("PENDING", "", 0), "never": ("FAILED", "REJECTED", 131026), "lost": ("UNCONFIRMED", "", 0)}
story_or_nothing = st.one_of(st.none(), st.sampled_from(STORIES))
POLICY = st.sampled_from(["RESEND", "HOLD"])
code = st.sampled_from(CODES)


class MessageMachine(RuleBasedStateMachine):
    """Three messages, workers that may be late or gone, a WhatsApp that tells what it did in any order."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        stage.open()

    def teardown(self) -> None:
        self.stage.close()

    @initialize(policy=POLICY, stories=st.lists(st.sampled_from(STORIES), max_size=6))
    def begin(self, policy: str, stories: list[tuple[str, ...]]) -> None:
        """Begins with a bad day, more often than chance would: answers are lost, and messages go out again."""
        self.life = Life(self.stage, policy=policy)
        while stories:
            self.life.find_evidence(counts=False)
            for flight in self.life.claim(min(3, len(stories))):
                self.life.post(flight, stories.pop(), CODES[0])
            self.stage.move(61)
            self.life.end_leases()
            self.stage.move(61)
        self.before = self.stage.fetch(ROWS)

    @precondition(lambda self: any(mail.state == "PENDING" for mail in self.life.mails))
    @rule(limit=st.integers(1, 3), stories=st.tuples(*[story_or_nothing] * 3), code=code)
    def claim_and_post(self, limit: int, stories: tuple[tuple[str, ...] | None, ...], code: int) -> None:
        for flight, story in zip(self.life.claim(limit), stories, strict=False):
            if story:
                self.life.post(flight, story, code)

    @precondition(lambda self: self._in_the_air())
    @rule(data=st.data(), story=st.sampled_from(STORIES), code=code)
    def a_slow_post_arrives(self, data: st.DataObject, story: tuple[str, ...], code: int) -> None:
        self.life.post(data.draw(st.sampled_from(self._in_the_air())), story, code)

    def _in_the_air(self) -> list[Flight]:
        return [flight for flight in self.life.flights if not flight.taken]

    @precondition(lambda self: self.life.flights)
    @rule(data=st.data(), answer=st.sampled_from([*ANSWERS, "held"]))
    def an_answer_comes(self, data: st.DataObject, answer: str) -> None:
        flight = data.draw(st.sampled_from(self.life.flights))
        self.life.flights.remove(flight)
        accepted = flight.taken and answer != "lost"
        state, reason, code = ANSWERS.get(answer, ANSWERS["lost"])
        if accepted:
            state, reason, code = "HELD" if answer == "held" else "ACCEPTED", "", 0
        elif flight.taken:
            state, reason, code = ANSWERS["lost"]
        settlement = Settlement(
            ref=self.life.ref(flight.number, flight.attempt), state=MessageState(state), reason=reason, error_code=code,
            whatsapp_message_id=flight.taken if accepted else None,
        )  # fmt: skip
        self.life.settle(settlement)

    @precondition(lambda self: self._in_the_air())
    @rule(data=st.data())
    def someone_opts_out_while_the_try_fails(self, data: st.DataObject) -> None:
        flight = data.draw(st.sampled_from(self._in_the_air()))
        mail = self.life.mails[flight.number]
        self.life.flights.remove(flight)
        if not mail.erased:
            self.life.choose(mail, MarketingConsent.OPTED_OUT)
        ref = self.life.ref(flight.number, flight.attempt)
        self.life.settle(Settlement(ref=ref, state=MessageState.PENDING))

    @precondition(lambda self: self.life.said)
    @rule(data=st.data())
    def an_answer_is_written_again(self, data: st.DataObject) -> None:
        self.life.settle(data.draw(st.sampled_from(self.life.said)))

    @rule(seconds=st.sampled_from([1, 61, 601]), evidence=st.sampled_from([None, False, True]), all_of_it=st.booleans())
    def the_keeper_comes(self, seconds: int, evidence: bool | None, all_of_it: bool) -> None:
        self.stage.move(seconds)
        self.life.end_leases()
        if evidence is not None:
            self.life.find_evidence(counts=evidence)
        if all_of_it:
            self.life.decide_doubts()
            self.life.finish()

    @precondition(lambda self: self.life.owed)
    @rule(data=st.data(), again=st.booleans(), bare=st.booleans())
    def news_come(self, data: st.DataObject, again: bool, bare: bool) -> None:
        told = data.draw(st.lists(st.sampled_from(self.life.owed), min_size=1, max_size=4))
        if not again:
            self.life.owed = [news for news in self.life.owed if news not in told]
        self.life.tell(told, bare=bare and self.may_be_bare(told))

    def may_be_bare(self, told: list[News]) -> bool:
        """Tells whether news may come without what we had sent along."""
        return True

    @precondition(lambda self: any(mail.state == "FAILED" for mail in self.life.mails))
    @rule(codes=st.sampled_from([(), (0,), (131026,), (131000, 131049)]))
    def failed_ones_are_retried(self, codes: tuple[int, ...]) -> None:
        self.life.retry(codes)

    @rule(number=st.integers(0, 2), deed=st.sampled_from(["", "", "", "pause", "cancel", "in", "out", "erase"]))
    def people_do_something(self, number: int, deed: str) -> None:
        mail, campaign = self.life.mails[number], self.life.campaign
        match deed:
            case "pause" if campaign in LIVE:
                running = campaign == "RUNNING"
                self.life.move_campaign(*("pause", "PAUSED") if running else ("resume", "RUNNING"))
            case "cancel" if campaign in LIVE and number == 0:
                self.life.move_campaign("cancel", "CANCELLED")
            case "in" | "out" if not mail.erased:
                self.life.choose(mail, MarketingConsent(f"OPTED_{deed.upper()}"))
            case "erase" if not mail.erased:
                self.life.erase(mail)

    @precondition(lambda self: self.life.owed)
    @rule(data=st.data())
    def all_is_told_in_any_order(self, data: st.DataObject) -> None:
        """Tells the rest twice in two orders and once in one breath, each time from the same rows; keeps the last."""
        orders = [data.draw(st.permutations(self.life.owed)) for _ in range(2)]
        parts = [[[news] for news in order] for order in orders] + [[[*orders[0], *orders[1]]]]
        ends = [self._end(part, keep=part is parts[-1]) for part in parts]
        put_back = {row["id"] for rows, _ in ends for row in rows if row["failed_attempt"]}
        told = [([_end(row, put_back) for row in rows], doubled - put_back) for rows, doubled in ends]
        assert told[0] == told[1] == told[2]
        for news in self.life.owed:
            self.life.hear(news)
        self.life.owed = []
        self._what_went_out_twice_is_known()

    def _end(self, parts: list[list[News]], *, keep: bool) -> tuple[list[dict[str, Any]], set[UUID]]:
        with self.stage.attempt(keep=keep):
            for part in parts:
                self.life.deliver(part)
            return self.stage.fetch(ROWS), {row["message_id"] for row in self.stage.fetch(DOUBLES)}

    def _what_went_out_twice_is_known(self) -> None:
        known = [self.life.ids.index(row["message_id"]) for row in self.stage.fetch(DOUBLES)]
        for number, mail in enumerate(self.life.mails):
            copies = sum(number == taken for taken, _ in self.life.accepted)
            if not mail.erased and not mail.retried:
                event(f"copies: {copies}")
                assert known.count(number) == max(0, copies - 1)

    @invariant()
    def the_rows_are_as_they_should_be(self) -> None:
        rows = self.stage.fetch(ROWS)
        found = [(row["state"], row["reason"], row["error_code"], row["attempt"]) for row in rows]
        assert found == [(mail.state, mail.reason, mail.code, mail.attempt) for mail in self.life.mails]
        for old, new in zip(self.before, rows, strict=True):
            _check_step(old, new)
            assert (new["contact_id"] is None) == self.life.mail(new["id"]).erased
        self.before = rows

    @invariant()
    def the_counters_equal_the_rows(self) -> None:
        assert self.stage.fetch(MISCOUNTED) == []


def _end(row: dict[str, Any], put_back: set[UUID]) -> dict[str, Any]:
    """Leaves out what order decides: of two superseded attempts, whose id stands in for the newest's.

    A message that was put back forgets the times of the attempt that failed; one that was seen first keeps them.
    """
    if row["id"] in put_back:
        return {key: row[key] for key in ("id", "state", "reason", "error_code", "attempt", "contact_id")}
    return row | {"whatsapp_message_id": None} if row["attempt"] > 2 else row


def _check_step(old: dict[str, Any], new: dict[str, Any]) -> None:
    fell = rank(new["state"], new["reason"]) < rank(old["state"], old["reason"])
    again = (old["state"], new["state"]) == ("FAILED", "PENDING") or new["failed_attempt"] > old["failed_attempt"]
    assert not fell or again
    assert old["state"] != "READ" or new["state"] == "READ"
    assert new["state"] != "UNCONFIRMED" or new["doubt_time"] is not None
    assert new["contact_id"] is not None or (new["whatsapp_message_id"] is None and new["parameters"] is None)


@pytest.mark.timeout(3600)
def test_whatever_happens_to_messages_their_rows_are_as_the_design_says(fresh_database_url: str) -> None:
    with Stage(fresh_database_url) as stage:
        run_state_machine_as_test(partial(MessageMachine, stage), settings=pace(examples=80, steps=30))  # type: ignore[arg-type]  # any maker will do
