"""People erased in the midst of a campaign: whatever was on its way, nothing tells of them anywhere afterwards."""

from functools import partial

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from tests.property.life import NUMBERS
from tests.property.mail import Mail, News
from tests.property.stage import Stage, pace
from tests.property.test_message_machine import POLICY, STORIES, MessageMachine
from tests.property.traces import Traces

NAMES = ("Zoe Quendolin", "Ann Abernathy", "Bob Bartholomew")


class ErasureMachine(MessageMachine):
    """Messages as any others, to people with names; at any moment one of them asks to be forgotten."""

    @initialize(policy=POLICY, stories=st.lists(st.sampled_from(STORIES), max_size=6))
    def begin(self, policy: str, stories: list[tuple[str, ...]]) -> None:
        super().begin(policy, stories)
        for mail, name in zip(self.life.mails, NAMES, strict=True):
            self.stage.do("UPDATE contacts SET display_name = $2 WHERE id = $1", mail.contact_id, name)
            self.stage.do("UPDATE messages SET parameters = jsonb_build_array($2::text) WHERE contact_id = $1",
                          mail.contact_id, name)  # fmt: skip
        self.numbers = {
            mail.contact_id: self.stage.value("SELECT phone_number FROM contacts WHERE id = $1", mail.contact_id)
            for mail in self.life.mails
        }
        self.traces = Traces(self.stage)
        assert self.traces.find(NAMES) == {"contacts.display_name", "messages.parameters"}
        assert self.traces.find([NUMBERS[0].removeprefix("+")]) == {"contacts.phone_number"}

    @rule(number=st.integers(0, 2), seconds=st.sampled_from([0, 61]))
    def someone_asks_to_be_forgotten(self, number: int, seconds: int) -> None:
        """While workers and keeper do nothing for some time: who died leaves leases that end by themselves."""
        self.stage.move(seconds)
        mail = self.life.mails[number]
        if not mail.erased:
            self.life.erase(mail)

    def may_be_bare(self, told: list[News]) -> bool:
        """News of an id that is forgotten, with nothing of ours in them, are a stranger's: parked for an hour."""
        return all(self.life.is_known(news) for news in told)

    @invariant()
    def nothing_tells_of_the_erased(self) -> None:
        words = [
            word for number, mail in enumerate(self.life.mails) if mail.erased for word in self._words(number, mail)
        ]
        assert not words or self.traces.find(words) == set()

    def _words(self, number: int, mail: Mail) -> list[str]:
        """A person's name, number and contact, and how WhatsApp's ids of messages to them begin."""
        phone = self.numbers[mail.contact_id].removeprefix("+")
        return [NAMES[number], phone, str(mail.contact_id), f"wamid.{number}."]


@pytest.mark.timeout(3600)
def test_whatever_was_on_its_way_an_erased_person_leaves_no_trace(fresh_database_url: str) -> None:
    with Stage(fresh_database_url) as stage:
        maker = partial(ErasureMachine, stage)
        run_state_machine_as_test(maker, settings=pace(examples=30, steps=25))  # type: ignore[arg-type]  # any maker will do
