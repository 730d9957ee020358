"""What WhatsApp announces, from its signed webhook to the campaign: it pauses with words, and runs on to its end."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from chappe_client import WrongState, v1
from chappe_client.generated.google.protobuf import FieldMask

from tests.helpers.eventually import eventually
from tests.helpers.walk import ACCOUNT_ID, SENDER_ID, Walk
from tests.helpers.whatsapp import WhatsApp

TEMPLATE = "spring_sale:en_US"
STATE = v1.CampaignState
SOURCE = v1.CampaignPauseSource
_NUMBERS = count(1000)


class Course:
    """A campaign too slow to be over before something is announced, and another that its user has paused."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.count = 0

    async def begin(self, numbers: list[str], *, per_second: float = 6) -> None:
        """Starts both, and waits until the slow one has begun to send."""
        category = await self.walk.import_numbers(numbers)
        self.count = len(numbers)
        self.own = await self._started(await self.walk.import_numbers(fresh(1)), per_second=0.1)
        await self.verbs.pause_campaign(v1.PauseCampaignRequest(name=self.own.name, pause_reason="Mine."))
        self.slow = await self._started(category, per_second=per_second)
        await eventually(self._has_begun, message="the campaign begins to send")

    @property
    def verbs(self) -> Any:
        """The verbs of campaigns."""
        return self.walk.client.campaigns

    async def paused(self, source: v1.CampaignPauseSource) -> str:
        """Waits until the campaign is paused for that reason; returns what its user reads."""
        await eventually(lambda: self._stands(STATE.PAUSED, source), 15, message=f"it is paused by {source.name}")
        return (await self.now()).pause_reason

    async def resumed(self) -> None:
        """Waits until the campaign runs by itself."""
        await eventually(lambda: self._stands(STATE.RUNNING), 15, message="it runs on")

    async def finished(self, **counts: int) -> None:
        """Lets the campaign send as fast as it can, and waits for its end and for the counts, by default of reads."""
        changed = v1.Campaign(name=self.slow.name, messages_per_second=0)
        mask = FieldMask(paths=["messages_per_second"])
        await self.verbs.update_campaign(v1.UpdateCampaignRequest(campaign=changed, update_mask=mask))
        await eventually(lambda: self.walk.is_completed(self.slow), 20, message="the campaign completes")
        await eventually(lambda: self.counted(counts or {"read_count": self.count}), 20, message="it is all read")

    async def now(self) -> v1.Campaign:
        """Returns the campaign as it is."""
        seen = await self.walk.watch_once(self.slow)
        assert seen.campaign is not None
        return seen.campaign

    async def end(self) -> None:
        """Sees that nothing has lifted the user's own pause, and stops both."""
        own = (await self.walk.watch_once(self.own)).campaign
        for campaign in (self.own, self.slow):
            try:
                await self.verbs.cancel_campaign(v1.CancelCampaignRequest(name=campaign.name))
            except WrongState:
                assert campaign is self.slow
        assert own is not None
        assert (own.state, own.pause_source, own.pause_reason) == (STATE.PAUSED, SOURCE.USER, "Mine.")

    async def _started(self, category: str, *, per_second: float) -> v1.Campaign:
        return await self.walk.start(await self.walk.create_campaign(category, per_second=per_second))

    async def _has_begun(self) -> bool:
        return (await self.walk.counts(self.slow)).accepted_count > 0

    async def knows_disabled(self) -> bool:
        """Tells whether the template is kept as disabled."""
        request = v1.GetTemplateRequest(name=self.walk.template.name)
        return (await self.walk.client.templates.get_template(request)).state == v1.TemplateState.DISABLED

    async def _stands(self, state: v1.CampaignState, source: v1.CampaignPauseSource = SOURCE.UNSPECIFIED) -> bool:
        campaign = await self.now()
        return (campaign.state, campaign.pause_source) == (state, source)

    async def counted(self, wanted: dict[str, int]) -> bool:
        """Tells whether the campaign's counts are these."""
        counts = await self.walk.counts(self.slow)
        return {name: getattr(counts, name) for name in wanted} == wanted


def fresh(many: int) -> list[str]:
    """Returns numbers that no test has used, and whose last digits ask for nothing special."""
    return [f"+3363997{next(_NUMBERS):04d}" for _ in range(many)]


@pytest.fixture
async def course(walk: Walk, whatsapp: WhatsApp) -> AsyncIterator[Course]:
    made = Course(walk)
    yield made
    await made.end()
    await whatsapp.clear_rules()
    await whatsapp.change_template(TEMPLATE, status="APPROVED")
    await whatsapp.change_number(SENDER_ID, refuse_code=0, status="CONNECTED", quality="GREEN")
    await whatsapp.change_account(ACCOUNT_ID, refuse_code=0)


async def test_a_paused_template_stops_its_campaign_until_it_is_approved_again(
    course: Course, whatsapp: WhatsApp
) -> None:
    await course.begin(fresh(30))
    await whatsapp.change_template(TEMPLATE, status="PAUSED")
    assert "paused the template" in await course.paused(SOURCE.TEMPLATE)
    await whatsapp.change_template(TEMPLATE, status="APPROVED")
    await course.resumed()
    await course.finished()
    assert await whatsapp.doubled_count() == 0


async def test_a_disabled_template_is_the_end_and_every_verb_says_so(course: Course, whatsapp: WhatsApp) -> None:
    unreachable, *others = fresh(30)
    await whatsapp.set_outcome(unreachable, fail=131026)
    await course.begin([unreachable, *others])
    await eventually(lambda: course.counted({"failed_count": 1}), 15)
    await whatsapp.change_template(TEMPLATE, status="DISABLED")
    assert "disabled the template for good" in await course.paused(SOURCE.TEMPLATE)
    # An answer may tell of it before the webhook does.
    await eventually(course.knows_disabled, 15, message="the template is known to be disabled")
    retry = v1.RetryFailedMessagesRequest(name=course.slow.name, error_codes=[131026])
    with pytest.raises(WrongState, match="disabled the template for good") as refused:
        await course.verbs.retry_failed_messages(retry)
    assert refused.value.reason == "TEMPLATE_NOT_APPROVED"
    with pytest.raises(WrongState, match="disabled the template for good"):
        await course.verbs.resume_campaign(v1.ResumeCampaignRequest(name=course.slow.name))
    assert (await course.now()).state == STATE.PAUSED


async def test_a_restricted_account_stops_its_campaigns_until_the_time_that_was_told(
    course: Course, whatsapp: WhatsApp
) -> None:
    await course.begin(fresh(30))
    await whatsapp.change_account(ACCOUNT_ID, refuse_code=368, restrict_seconds=4.0)
    await eventually(lambda: _says(course, "until 2"), 15, message="the end of the restriction is known")
    await whatsapp.change_account(ACCOUNT_ID, refuse_code=0)
    await course.resumed()
    await course.finished()


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ({"restrict_seconds": 86_400.0}, {"event": "ACCOUNT_RESTRICTION", "restriction_info": []}),
        (
            {"value": {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}},
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}},
        ),
    ],
)
async def test_a_restriction_or_a_ban_is_over_when_whatsapp_says_so(
    course: Course, whatsapp: WhatsApp, begin: dict[str, object], end: dict[str, object]
) -> None:
    await course.begin(fresh(30))
    await whatsapp.change_account(ACCOUNT_ID, refuse_code=368, **begin)
    assert "blocked the account" in await course.paused(SOURCE.ACCOUNT)
    await whatsapp.change_account(ACCOUNT_ID, refuse_code=0, value=end)
    await course.resumed()
    await course.finished()


async def test_a_number_that_was_reported_too_often_sends_again_once_it_is_unflagged(
    course: Course, whatsapp: WhatsApp
) -> None:
    await course.begin(fresh(30))
    await whatsapp.change_number(SENDER_ID, refuse_code=131048, flag=True)
    assert "restricted the sender" in await course.paused(SOURCE.SENDER)
    await whatsapp.change_number(SENDER_ID, refuse_code=0, event="UNFLAGGED")
    await course.resumed()
    await course.finished()


async def test_a_token_that_expired_stops_all_its_campaigns_and_they_are_resumed_by_hand(
    course: Course, whatsapp: WhatsApp, walk: Walk
) -> None:
    await course.begin(fresh(30))
    second = await walk.start(await walk.create_campaign(await walk.import_numbers(fresh(20)), per_second=2))
    await whatsapp.add_rule(endpoint="messages", action="refuse", code=190)
    assert "access token" in await course.paused(SOURCE.CREDENTIAL)
    other = (await walk.watch_once(second)).campaign
    assert other is not None
    assert (other.state, other.pause_source) == (STATE.PAUSED, SOURCE.CREDENTIAL)
    await whatsapp.clear_rules()
    for campaign in (course.slow, second):
        await course.verbs.resume_campaign(v1.ResumeCampaignRequest(name=campaign.name))
    await course.finished()
    await eventually(lambda: walk.is_completed(second), 20, message="the other completes too")


async def test_what_whatsapp_holds_is_named_and_waited_for(course: Course, whatsapp: WhatsApp) -> None:
    await whatsapp.change_template(TEMPLATE, pacing="hold")
    await course.begin(fresh(3), per_second=100)
    await eventually(lambda: _waits(course, "HELD"), message="the campaign waits for WhatsApp's check")
    assert (await course.now()).state == STATE.RUNNING
    await whatsapp.change_template(TEMPLATE, pacing="release")
    await course.finished()


async def test_what_whatsapp_drops_after_its_check_fails_with_words_and_is_sent_after_the_approval(
    course: Course, whatsapp: WhatsApp, walk: Walk
) -> None:
    await whatsapp.change_template(TEMPLATE, pacing="hold")
    await course.begin(fresh(3), per_second=100)
    await eventually(lambda: _waits(course, "HELD"), message="the campaign waits for WhatsApp's check")
    await whatsapp.change_template(TEMPLATE, pacing="drop")
    assert "paused the template" in await course.paused(SOURCE.TEMPLATE)
    await eventually(lambda: course.counted({"failed_count": 3}), message="the dropped messages are failed")
    assert {(each.error_code, bool(each.error_title)) for each in await walk.messages(course.slow)} == {(132015, True)}
    await whatsapp.change_template(TEMPLATE, status="APPROVED")
    await eventually(lambda: walk.is_completed(course.slow), message="nothing is left to send")
    retried = await course.verbs.retry_failed_messages(v1.RetryFailedMessagesRequest(name=course.slow.name))
    assert retried.message_count == 3
    await course.finished()


async def test_a_campaign_that_whatsapp_stopped_after_its_check_is_resumed_by_hand(
    course: Course, whatsapp: WhatsApp
) -> None:
    stopped, *others = fresh(20)
    await whatsapp.set_outcome(stopped, fail=135000)
    await course.begin([stopped, *others])
    assert "stopped the campaign" in await course.paused(SOURCE.ACCOUNT)
    await course.verbs.resume_campaign(v1.ResumeCampaignRequest(name=course.slow.name))
    await course.finished(read_count=19, failed_count=1)


async def _says(course: Course, words: str) -> bool:
    return words in (await course.now()).pause_reason


async def _waits(course: Course, reason: str) -> bool:
    return (await course.walk.watch_once(course.slow)).waiting_reason == reason
