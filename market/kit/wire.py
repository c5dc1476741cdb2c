"""Wire types: what may come in and what goes out. Kept apart from tables.

Inputs forbid unknown fields, coerce nothing, bound every number and text, and refuse characters
that one of the databases or the index cannot hold.
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

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


def _line(limit: int, at_least: int = 1) -> object:
    return StringConstraints(strip_whitespace=True, min_length=at_least, max_length=limit)


Line = Annotated[str, _line(200), Storable]
Title = Annotated[str, _line(200), Storable]
Short = Annotated[str, _line(60), Storable]
Optional60 = Annotated[str, _line(60, 0), Storable]
Optional200 = Annotated[str, _line(200, 0), Storable]
Prose = Annotated[str, _line(10_000, 0), Storable]
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
