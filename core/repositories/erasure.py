"""Erases a person wherever rows hold a trace, on one connection inside one transaction."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from math import ceil
from typing import Final
from uuid import UUID

import asyncpg

from core.db import Connection, Row
from core.domain.contacts import Contact
from core.domain.errors import WrongState
from core.domain.messages import seconds_to_look_again
from core.queries import load
from core.repositories.contacts import refuse_unknown

SQL = load("erasure")
# Replies of this method hold many contacts, so no column says whose.
BATCH_METHOD = "/chappe.v1.ContactsService/BatchUpsertContacts"
# Seconds after which to try again when others held what was to be changed.
_TRY_AGAIN: Final = 1.0


class Erasure:
    """Empties every column that tells of one person; counts and states stay."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def hold_off(self) -> None:
        """Keeps erasures waiting until the transaction ends: what is applied meanwhile they see, or are seen by it.

        Comes before any row is locked, and so does `take_turn`: neither ever waits for the other with a row in hand.
        """
        await self._connection.execute(SQL["hold_off"])

    @asynccontextmanager
    async def turn(self, contact_id: UUID) -> AsyncIterator[None]:
        """Lets nobody apply what WhatsApp told meanwhile, and until the transaction ends.

        All who apply stand behind it, so the transaction is to bound its waits before: refuses with ``CONTACT_BUSY``
        when one is over.
        """
        try:
            await self.take_turn()
            yield
        except asyncpg.LockNotAvailableError as error:
            text = "What tells of this contact is being changed just now; try again."
            name, again = f"contacts/{contact_id}", _TRY_AGAIN
            raise WrongState("CONTACT_BUSY", text, contact=name, retry_after=again) from error

    async def take_turn(self) -> None:
        """Waits for those who apply what WhatsApp told, and keeps them waiting until the transaction ends."""
        await self._connection.execute(SQL["take_turn"])

    async def find_former_identities(self, contact_id: UUID) -> list[str]:
        """Returns the numbers, in E.164, and WhatsApp's ids by which a contact was known before."""
        former: list[str] | None = await self._connection.fetchval(SQL["find_former_identities"], contact_id)
        return former or []

    async def erase(
        self,
        contact: Contact,
        *,
        hashes: Sequence[bytes],
        traces: Sequence[int],
        at: datetime,
        lease_seconds: float,
    ) -> set[str]:
        """Erases a contact that the transaction has locked; refuses with ``CONTACT_BUSY`` while a message is underway.

        Returns what told of the contact in these rows and may stand in webhook bodies: the ids of its messages, and
        WhatsApp's ids. `traces` are of what identifies the person (core/domain/traces.py). Whom not to know any more is
        for the caller to have remembered, with what is returned.
        """
        await self.forget_checkpoints(contact.id)  # campaigns are locked before messages
        await self.forget_parked_receipts(contact.id, traces)
        await self.lock_messages_to_contact(contact.id, lease_seconds=lease_seconds)
        told = await self.forget_attempts(contact.id)
        told |= await self.forget_messages(contact.id, at=at)
        told |= await self.forget_interactions(contact.id)
        await self.forget_consent_events(contact.id)
        await self.keep_opt_out(contact.id, hashes=hashes)
        await self.forget_replies(contact)
        await self.delete_contact(contact.id)
        return told

    async def forget_checkpoints(self, contact_id: UUID) -> None:
        """Empties what says that the contact was the last one a campaign was made for."""
        await self._connection.execute(SQL["forget_checkpoints"], contact_id)

    async def forget_parked_receipts(self, contact_id: UUID, traces: Sequence[int]) -> None:
        """Deletes parked receipts that tell of the contact."""
        await self._connection.execute(SQL["forget_parked_receipts"], traces, contact_id)

    async def lock_messages_to_contact(self, contact_id: UUID, *, lease_seconds: float) -> None:
        """Keeps the contact's messages from being sent; refuses with ``CONTACT_BUSY`` while one is on its way out.

        ``lease_seconds`` is for how long a worker claims a message: the refusal says when to come back.
        """
        left = await self._connection.fetchval(SQL["lock_messages_to_contact"], contact_id)
        if left is None:
            return
        seconds = ceil(left)
        text = f"A message to this contact is on its way out; that is over in {seconds} seconds at the latest."
        again = seconds_to_look_again(left, lease_seconds=lease_seconds)
        raise WrongState("CONTACT_BUSY", text, contact=f"contacts/{contact_id}", seconds=seconds, retry_after=again)

    async def forget_attempts(self, contact_id: UUID) -> set[str]:
        """Empties WhatsApp's ids in earlier attempts of the contact's messages and returns them."""
        return _ids(await self._connection.fetch(SQL["forget_attempts"], contact_id))

    async def forget_messages(self, contact_id: UUID, *, at: datetime) -> set[str]:
        """Empties what tells of the contact in its messages; returns their ids, ours and WhatsApp's."""
        rows = await self._connection.fetch(SQL["forget_messages"], contact_id, at)
        return {str(row["id"]) for row in rows} | _ids(rows)

    async def forget_interactions(self, contact_id: UUID) -> set[str]:
        """Empties what the contact wrote and tapped; returns WhatsApp's ids of it."""
        return _ids(await self._connection.fetch(SQL["forget_interactions"], contact_id))

    async def remember_erasure(self, traces: Sequence[int], *, at: datetime) -> None:
        """Notes whom not to know any more, for as long as news of before the erasure may come."""
        await self._connection.execute(SQL["remember_erasure"], traces, at)

    async def find_erasures(self, traces: Sequence[int]) -> dict[int, datetime]:
        """Returns which of these traces are of erased people, and when they were erased."""
        return {row["trace"]: row["erase_time"] for row in await self._connection.fetch(SQL["find_erasures"], traces)}

    async def delete_old_erasures(self, *, before: datetime) -> None:
        """Forgets erasures before a moment."""
        await self._connection.execute(SQL["delete_old_erasures"], before)

    async def forget_consent_events(self, contact_id: UUID) -> None:
        """Empties the evidence of the contact's consents; the person's hash stays."""
        await self._connection.execute(SQL["forget_consent_events"], contact_id)

    async def keep_opt_out(self, contact_id: UUID, *, hashes: Sequence[bytes]) -> None:
        """Keeps the contact's opt-out, if there is one, under each of the person's hashes."""
        await self._connection.execute(SQL["keep_opt_out"], contact_id, list(hashes))

    async def forget_replies(self, contact: Contact) -> None:
        """Empties kept replies that tell of the contact."""
        traces = [trace.encode() for trace in (*_traces(contact), f"contacts/{contact.id}")]
        await self._connection.execute(SQL["forget_replies"], contact.id, BATCH_METHOD, traces)

    async def delete_contact(self, contact_id: UUID) -> None:
        """Deletes the contact with its categories and service windows; refuses with ``CONTACT_NOT_FOUND``."""
        if await self._connection.fetchval(SQL["delete_contact"], contact_id) is None:
            raise refuse_unknown(contact_id)


def _ids(rows: Sequence[Row]) -> set[str]:
    return {row["whatsapp_message_id"] for row in rows if row["whatsapp_message_id"]}


def _traces(contact: Contact) -> list[str]:
    known = ((contact.phone_number or "").removeprefix("+"), contact.whatsapp_user_id)
    return [text for text in known if text]
