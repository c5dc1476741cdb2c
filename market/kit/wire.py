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
    JsonValue,
    StringConstraints,
)

from market.kit import letters
from market.kit.money import MAX_FEN


class In(BaseModel):
    """Base of request bodies."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Out(BaseModel):
    """Base of response bodies."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


def _unaltered(value: object) -> object:
    if isinstance(value, str) and (wrong := letters.problem(value)):
        raise ValueError(wrong)
    return value


def _storable(value: object) -> object:
    kept = _unaltered(value)
    return letters.clean(kept) if isinstance(kept, str) else kept


def _in_one_line(value: object) -> object:
    kept = _unaltered(value)
    return letters.one_line(kept) if isinstance(kept, str) else kept


# They run before the bounds, which count what is kept.
Unaltered = BeforeValidator(_unaltered)  # a password
Storable = BeforeValidator(_storable)
OneLine = BeforeValidator(_in_one_line)


def text(limit: int, at_least: int = 0) -> Any:
    """Return the bounds of a text whose ends are trimmed; pair it with `Storable` or `OneLine`."""
    return StringConstraints(strip_whitespace=True, min_length=at_least, max_length=limit)


FIRST_YEAR, LAST_YEAR = 1900, 2200
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(value: object) -> object:
    """Let only `2026-11-20` through; a bare number would be read as seconds since 1970."""
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("应写成2026-11-20的样子")


def in_time(day: date) -> date:
    """Let days through that somebody may mean; a day before or after any is no day in China."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"年份应在{FIRST_YEAR}到{LAST_YEAR}之间，现在是{day.year}")
    return day


Line = Annotated[str, text(200, 1), OneLine]
Title = Annotated[str, text(200, 1), OneLine]
Short = Annotated[str, text(60, 1), OneLine]
OrganisationName = Annotated[str, text(120, 1), OneLine]
Phone = Annotated[str, text(30), OneLine]
Optional60 = Annotated[str, text(60), OneLine]
Optional200 = Annotated[str, text(200), Storable]
Optional300 = Annotated[str, text(300), Storable]
Optional500 = Annotated[str, text(500), Storable]
Prose = Annotated[str, text(10_000), Storable]
Day = Annotated[date, Field(strict=False), BeforeValidator(_day), AfterValidator(in_time)]
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
    OneLine,
]


class FieldError(Out):
    field: str
    message: str


class ErrorBody(Out):
    """The one error shape of the API."""

    code: str
    message: str
    fields: list[FieldError] = []
    current: dict[str, JsonValue] | None = Field(
        default=None, description="409：别人先保存时，现在的内容和它的版本"
    )


class ErrorOut(Out):
    error: ErrorBody
