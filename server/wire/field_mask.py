"""Update masks: which fields of a resource a request wants changed."""

from collections.abc import Collection

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from core.domain.errors import InvalidArgument, Violation


def changed_fields(mask: FieldMask, resource: Message, allowed: Collection[str]) -> frozenset[str]:
    """Returns the fields to change: the mask's, all allowed ones for ``*``, the populated ones for an empty mask.

    Refuses a path that is not allowed with ``UPDATE_MASK_INVALID``.
    """
    paths = frozenset(mask.paths)
    if not paths:
        populated = {field.name for field, _ in resource.ListFields()}
        return frozenset(populated.intersection(allowed))
    if "*" in paths:
        return frozenset(allowed)
    if not paths <= frozenset(allowed):
        raise _refusal(allowed)
    return paths


def _refusal(allowed: Collection[str]) -> InvalidArgument:
    fields = ", ".join(sorted(allowed))
    text = f"The update mask names a field that cannot be changed; these can: {fields}."
    violation = Violation(field="update_mask", description=text, reason="UPDATE_MASK_INVALID")
    return InvalidArgument("UPDATE_MASK_INVALID", text, violations=[violation], allowed=fields)
