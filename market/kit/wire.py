"""Wire types: what may come in and what goes out. Kept apart from tables.

Inputs forbid unknown fields, coerce nothing, bound every number and text, and refuse characters
that one of the databases or the index cannot hold.
"""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from market.kit.money import MAX_FEN


class In(BaseModel):
    """Base of request bodies."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Out(BaseModel):
    """Base of response bodies."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


def _storable(text: str) -> str:
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("含有无法保存的字符，请删去后重填")
    return text


Storable = AfterValidator(_storable)


def text(limit: int, at_least: int = 0) -> Any:
    """Return the bounds of a text whose ends are trimmed; pair it with `Storable`."""
    return StringConstraints(strip_whitespace=True, min_length=at_least, max_length=limit)


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(value: object) -> object:
    """Let only `2026-11-20` through; a bare number would be read as seconds since 1970."""
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("应写成2026-11-20的样子")


Line = Annotated[str, text(200, 1), Storable]
Title = Annotated[str, text(200, 1), Storable]
Short = Annotated[str, text(60, 1), Storable]
Optional60 = Annotated[str, text(60), Storable]
Optional200 = Annotated[str, text(200), Storable]
Optional300 = Annotated[str, text(300), Storable]
Optional500 = Annotated[str, text(500), Storable]
Prose = Annotated[str, text(10_000), Storable]
Day = Annotated[date, Field(strict=False), BeforeValidator(_day)]
Fen = Annotated[int, Field(ge=0, le=MAX_FEN)]
PathId = Annotated[str, StringConstraints(pattern=r"^[2-9a-z]{14}$")]
Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        to_lower=True,
        max_length=200,
        pattern=r"^[^@\s<>\"',;]+@[^@\s<>\"',;]+\.[^@\s<>\"',;.]+$",
    ),
    Storable,
]


class FieldError(Out):
    field: str
    message: str


class ErrorBody(Out):
    """The one error shape of the API."""

    code: str
    message: str
    fields: list[FieldError] = []


class ErrorOut(Out):
    error: ErrorBody
