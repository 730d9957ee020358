"""Where every mutation passes: one transaction for the change, its reply by request id, and its audit row."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, cast
from uuid import UUID

from google.protobuf.message import Message

from core.db import TRANSACTION_CONFLICT
from core.domain.errors import Conflict, InvalidArgument, Violation, WrongState
from core.repositories.idempotency import Answered, RequestKey
from core.repositories.rooms import Rooms, Store
from server.call import current_call, current_caller

R = TypeVar("R", bound=Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change(Generic[R]):
    request: Message
    reply_type: type[R]
    apply: Callable[[Rooms], Awaitable[R]]
    resource: Callable[[R], str] | None
    contact_id: UUID | Callable[[R], UUID] | None

    def digest(self) -> bytes:
        return hashlib.sha256(self.request.SerializeToString(deterministic=True)).digest()

    def resource_name(self, reply: R) -> str:
        if self.resource is not None:
            return self.resource(reply)
        return _text(reply, "name") or _text(self.request, "name")

    def told_contact(self, reply: R) -> UUID | None:
        return self.contact_id(reply) if callable(self.contact_id) else self.contact_id


class Mutations:
    """Runs changes once: a repeated request id gets the reply it got before."""

    def __init__(self, *, store: Store) -> None:
        self._store = store

    async def run(
        self,
        request: Message,
        reply_type: type[R],
        apply: Callable[[Rooms], Awaitable[R]],
        *,
        resource: Callable[[R], str] | None = None,
        contact_id: UUID | Callable[[R], UUID] | None = None,
    ) -> R:
        """Applies a change in a transaction of its own, or returns what the same request id was answered.

        ``resource`` names what changed, for the audit (else the name of the reply or of the request); ``contact_id`` is
        whose data the reply holds, so that erasure removes it. ``apply`` may run twice, in two transactions. Refuses
        with ``REQUEST_ID_REUSED`` when the request id came with another request, and with ``TRANSACTION_CONFLICT``
        when the change lost twice against others.
        """
        change = _Change(request=request, reply_type=reply_type, apply=apply, resource=resource, contact_id=contact_id)
        try:
            return await self._attempt(change)
        except Conflict as conflict:
            if conflict.reason != TRANSACTION_CONFLICT:
                raise
        return await self._attempt(change)

    async def _attempt(self, change: _Change[R]) -> R:
        async with self._store.transaction() as rooms:
            key = _request_key(change.request)
            if key is None:
                return await self._apply(rooms, change)
            digest = change.digest()
            if not await rooms.idempotency.reserve(key, digest=digest):
                return _repeat(rooms, change, await rooms.idempotency.find(key))
            reply = await self._apply(rooms, change)
            answered = Answered(digest=digest, reply=reply.SerializeToString(), outdated=rooms.outdated)
            await rooms.idempotency.answer(key, answered, contact_id=change.told_contact(reply))
            return reply

    async def _apply(self, rooms: Rooms, change: _Change[R]) -> R:
        reply = await change.apply(rooms)
        call = current_call()
        await rooms.audit.add(
            api_key_id=current_caller().api_key_id,
            method=call.method,
            resource_name=change.resource_name(reply),
            request_id=call.request_id,
        )
        return reply


def _request_key(request: Message) -> RequestKey | None:
    """Names the request, when its caller gave it an id."""
    request_id = _text(request, "request_id")
    if not request_id:
        return None
    return RequestKey(api_key_id=current_caller().api_key_id, method=current_call().method, request_id=request_id)


def _repeat(rooms: Rooms, change: _Change[R], answered: Answered | None) -> R:
    """Returns the reply again, and outdates again what it did: nobody may have heard of it the first time."""
    if answered is None:
        raise Conflict("REQUEST_ID_EXPIRED", "The reply to this request id was removed just now; try again.")
    if answered.digest != change.digest():
        text = "This request id came with another request; a new request needs a new id."
        violation = Violation(field="request_id", description=text, reason="REQUEST_ID_REUSED")
        raise InvalidArgument("REQUEST_ID_REUSED", text, violations=[violation])
    if answered.reply is None:
        raise WrongState("REPLY_ERASED", "The reply to this request id told of a contact who was erased since.")
    rooms.outdate(*answered.outdated)
    return change.reply_type.FromString(answered.reply)


def _text(message: Message, field: str) -> str:
    return cast("str", getattr(message, field)) if field in message.DESCRIPTOR.fields_by_name else ""
