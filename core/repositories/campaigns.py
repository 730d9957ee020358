"""Reads and changes campaigns on one connection; the verbs that move their states are in campaign_states."""

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn
from uuid import UUID

from core.db import TRANSACTION_CONFLICT, Connection, Row
from core.domain import campaigns as rules
from core.domain.bindings import dump_bindings, load_bindings
from core.domain.campaigns import Audience, Campaign, CampaignDraft, CampaignState
from core.domain.errors import Conflict, NotFound
from core.domain.time_ranges import ANY_TIME, NEWEST, TimeRange
from core.queries import load

SQL = load("campaigns")


class Campaigns:
    """Reads campaigns and changes what people may edit of them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get_campaign(self, campaign_id: UUID) -> Campaign:
        """Reads one campaign; refuses with ``CAMPAIGN_NOT_FOUND``."""
        return self._found(campaign_id, await self._connection.fetchrow(SQL["get_campaign"], campaign_id))

    async def lock_campaign(self, campaign_id: UUID) -> Campaign:
        """Reads one campaign and keeps others from changing it until the transaction ends."""
        return self._found(campaign_id, await self._connection.fetchrow(SQL["lock_campaign"], campaign_id))

    async def list_campaigns(
        self, *, limit: int, before: UUID | None = None, created: TimeRange = ANY_TIME
    ) -> list[Campaign]:
        """Lists campaigns created in a time, newest first, older than ``before``."""
        rows = await self._connection.fetch(SQL["list_campaigns"], _before(created, before), limit)
        return _created_in(created, rows)

    async def list_campaigns_by_state(
        self, state: CampaignState, *, limit: int, before: UUID | None = None, created: TimeRange = ANY_TIME
    ) -> list[Campaign]:
        """Lists campaigns in one state created in a time, newest first, older than ``before``."""
        rows = await self._connection.fetch(SQL["list_campaigns_by_state"], _before(created, before), limit, state)
        return _created_in(created, rows)

    async def create_campaign(self, draft: CampaignDraft) -> Campaign:
        """Creates a draft, at the moment in its id; the caller has read its sender, template and categories."""
        row = await self._connection.fetchrow(SQL["create_campaign"], *_columns(draft))
        return read_campaign(row)

    async def update_campaign(self, campaign_id: UUID, draft: CampaignDraft, *, at: datetime) -> Campaign:
        """Writes all that may change of a draft; refuses with ``CAMPAIGN_NOT_EDITABLE``."""
        row = await self._connection.fetchrow(SQL["update_campaign"], campaign_id, *_columns(draft), at)
        if row is None:
            await self._refuse(campaign_id, verb="EDITABLE")
        return read_campaign(row)

    async def update_live_campaign(
        self, campaign_id: UUID, *, display_name: str, messages_per_second: float | None, at: datetime
    ) -> Campaign:
        """Writes what may change in any state."""
        row = await self._connection.fetchrow(
            SQL["update_live_campaign"], campaign_id, display_name, messages_per_second, at
        )
        return self._found(campaign_id, row)

    async def delete_campaign(self, campaign_id: UUID, *, revision: int | None = None) -> None:
        """Deletes a draft; refuses with ``CAMPAIGN_NOT_DELETABLE`` or ``ETAG_MISMATCH``."""
        if await self._connection.fetchval(SQL["delete_campaign"], campaign_id, revision) is None:
            await self._refuse(campaign_id, verb="DELETABLE", revision=revision)

    async def find_unknown_categories(self, category_ids: Sequence[UUID]) -> list[UUID]:
        """Lists those of the ids that no category has."""
        rows = await self._connection.fetch(SQL["find_unknown_categories"], list(category_ids))
        return [row["id"] for row in rows]

    def _found(self, campaign_id: UUID, row: Row | None) -> Campaign:
        if row is None:
            raise refuse_unknown(campaign_id)
        return read_campaign(row)

    async def _refuse(self, campaign_id: UUID, *, verb: str, revision: int | None = None) -> NoReturn:
        raise explain(await self.get_campaign(campaign_id), verb=verb, revision=revision)


def _before(created: TimeRange, before: UUID | None) -> UUID:
    """Returns what the ids are below: a list of a time begins at its end, like a page behind another."""
    return min(created.end_id, before or NEWEST)


def _created_in(created: TimeRange, rows: Sequence[Row]) -> list[Campaign]:
    """Cuts a page at the beginning of the time, so that what is read of it is a page, and its plan the same."""
    return [read_campaign(row) for row in rows if row["id"] >= created.first_id]


def explain(stuck: Campaign, *, verb: str, revision: int | None = None) -> Exception:
    """Returns why a guarded statement took no row: the campaign's state forbids the verb, or its revision moved on."""
    allowed: frozenset[CampaignState] = getattr(rules, verb)
    if stuck.state in allowed and stuck.kind is rules.CampaignKind.BULK:
        if revision is None:
            # It was forbidden then and no longer is: whoever asked for no revision may simply try again.
            return Conflict(TRANSACTION_CONFLICT, "Another change got in the way; try again.")
        return refuse_etag(stuck.id)
    return rules.refuse_verb(verb, state=stuck.state, campaign=f"campaigns/{stuck.id}", allowed=allowed)


def refuse_unknown(campaign_id: UUID) -> NotFound:
    """Returns the refusal of an id that no campaign has."""
    return NotFound("CAMPAIGN_NOT_FOUND", "There is no such campaign.", campaign=f"campaigns/{campaign_id}")


def refuse_etag(campaign_id: UUID) -> Conflict:
    """Returns the refusal of a change to a campaign that someone else changed meanwhile."""
    text = "The campaign changed since it was read; read it again."
    return Conflict("ETAG_MISMATCH", text, campaign=f"campaigns/{campaign_id}")


def read_campaign(row: Row | None) -> Campaign:
    """Reads a campaign from the columns that every statement on campaigns returns."""
    if row is None:
        raise LookupError("The statement returned no campaign.")
    values = dict(row)
    audience = Audience(
        all_contacts=values.pop("all_contacts"),
        category_ids=tuple(values.pop("category_ids")),
        excluded_category_ids=tuple(values.pop("excluded_category_ids")),
    )
    return Campaign(
        **values
        | {
            "audience": audience,
            "bindings": load_bindings(row["bindings"]),
            "kind": rules.CampaignKind(row["kind"]),
            "state": CampaignState(row["state"]),
            "pause_source": rules.PauseSource(row["pause_source"]),
            "unconfirmed_policy": rules.UnconfirmedPolicy(row["unconfirmed_policy"]),
        }
    )


def _columns(draft: CampaignDraft) -> tuple[object, ...]:
    return (
        draft.display_name,
        draft.sender_id,
        draft.template_id,
        dump_bindings(draft.bindings),
        draft.audience.all_contacts,
        draft.audience.category_ids,
        draft.audience.excluded_category_ids,
        draft.messages_per_second,
        draft.unconfirmed_policy,
    )
