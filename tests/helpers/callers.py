"""Calls as services see them, without a server: whose call it is, and which method."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from core.domain.access import Caller, Role
from server.call import Call, enter, leave

CALLER = Caller(api_key_id=UUID(int=7), role=Role.ADMIN)


@contextmanager
def calling(method: str = "/chappe.v1.ContactsService/CreateContact", *, caller: Caller = CALLER) -> Iterator[Call]:
    """Makes the block a call of that method by that caller."""
    call = Call(method=method, caller=caller, request_id="call-1")
    token = enter(call)
    try:
        yield call
    finally:
        leave(token)
