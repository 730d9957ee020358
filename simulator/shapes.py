"""Simulator, shapes: JSON from outside held against declared types, and the words for what does not fit."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

import orjson
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

T = TypeVar("T")

# A century of simulated time, and a week of waiting in real time, are more than any test needs.
_CENTURY: Final = 3_200_000_000
_WEEK: Final = 604_800

Rate = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=_CENTURY)]
RealSeconds = Annotated[float, Field(ge=0, le=_WEEK)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Positive = Annotated[int, Field(ge=1, le=1_000_000_000)]
Code = Annotated[int, Field(ge=0, le=9_999_999)]
RateOfNumber = Annotated[float, Field(gt=0, le=1_000_000)]


def _rising(span: tuple[float, float]) -> tuple[float, float]:
    if span[0] > span[1]:
        raise ValueError("the first figure is the smaller one")
    return span


Span = Annotated[tuple[Seconds, Seconds], AfterValidator(_rising)]


class ShapeError(ValueError):
    """A name or a value from outside is not one we know; its text says which and why."""


def checked(adapter: TypeAdapter[T], value: object) -> T:
    """Returns the value as its declared type; raises ShapeError naming the first part that does not fit."""
    try:
        return adapter.validate_json(orjson.dumps(value), strict=True)
    except ValidationError as error:
        raise ShapeError(words_for(error)) from None
    except orjson.JSONEncodeError as error:
        raise ShapeError(str(error)) from None


def words_for(error: ValidationError) -> str:
    """Returns one sentence about the first complaint, without the value, which may be a secret."""
    first: Any = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(map(str, first["loc"]))
    if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"there is no {path}"
    if first["type"] in ("missing", "missing_argument"):
        return f"{path} is missing"
    text = first["msg"][:1].lower() + first["msg"][1:]
    return f"{path}: {text}" if path else text
