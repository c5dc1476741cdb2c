"""Column helpers, made once because the obvious spellings fail on one database or the other.

`int` is 32 bits on PostgreSQL, a plain BigInteger primary key fails on SQLite, SQLite drops time
zones, and SQLModel cannot guess a column type for a NewType.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import JSON, TypeDecorator
from sqlmodel import Field, SQLModel

BIG = BigInteger().with_variant(Integer, "sqlite")

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(SQLModel):
    """Base of every table model. Tables and wire schemas are kept apart."""


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out, on both databases. A naive value is a programming error."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "naive datetime"
            raise ValueError(msg)
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  the base class's signature
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def pk() -> Any:
    """Return a 64-bit surrogate key; `None` until the row is flushed."""
    return Field(default=None, primary_key=True, sa_type=BIG)


def fk(target: str, *, index: bool = True, nullable: bool = False, unique: bool = False) -> Any:
    """Return a 64-bit reference to `table.column`; deletion of the target is refused."""
    options: dict[str, Any] = {"default": None} if nullable else {}
    return Field(
        **options,
        sa_type=BIG,
        sa_column_args=(ForeignKey(target),),
        nullable=nullable,
        index=index,
        unique=unique,
    )


def public_id() -> Any:
    """Return the random id that stands in URLs, unique."""
    return Field(sa_type=String(20), unique=True)


def fen(*, nullable: bool = False) -> Any:
    """Return an amount of money: integer fen in 64 bits."""
    options: dict[str, Any] = {"default": None} if nullable else {}
    return Field(**options, sa_type=BIG, nullable=nullable)


def big(*, default: int | None = None, nullable: bool = False) -> Any:
    """Return a 64-bit integer that is not money."""
    if nullable:
        return Field(default=None, sa_type=BIG, nullable=True)
    return Field(default=default, sa_type=BIG) if default is not None else Field(sa_type=BIG)


def moment(*, nullable: bool = False, index: bool = False) -> Any:
    """Return a point in time, aware UTC."""
    options: dict[str, Any] = {"default": None} if nullable else {}
    return Field(**options, sa_type=UtcDateTime, nullable=nullable, index=index)


def day(*, nullable: bool = False) -> Any:
    """Return a calendar day in China."""
    options: dict[str, Any] = {"default": None} if nullable else {}
    return Field(**options, sa_type=Date, nullable=nullable)


def words(length: int, *, nullable: bool = False, default: str | None = None) -> Any:
    """Return a short text of at most `length` characters, held by the wire schema."""
    options: dict[str, Any] = {} if default is None and not nullable else {"default": default}
    return Field(**options, sa_type=String(length), nullable=nullable)


def prose(*, nullable: bool = False, default: str | None = None) -> Any:
    """Return a long text."""
    options: dict[str, Any] = {} if default is None and not nullable else {"default": default}
    return Field(**options, sa_type=Text, nullable=nullable)


def choice(*, default: str | None = None, nullable: bool = False, index: bool = False) -> Any:
    """Return a StrEnum value kept as text; pair it with `one_of` in `__table_args__`."""
    options: dict[str, Any] = {} if default is None and not nullable else {"default": default}
    return Field(**options, sa_type=String(32), nullable=nullable, index=index)


def json_list() -> Any:
    """Return a list of texts or flat objects, stored as JSON."""
    return Field(default_factory=list, sa_type=JSON)


def one_of(column: str, enum: type[StrEnum], *, nullable: bool = False) -> CheckConstraint:
    """Return the CHECK that holds `column` to the values of `enum`."""
    values = ", ".join(f"'{item.value}'" for item in enum)
    null = f" OR {column} IS NULL" if nullable else ""
    return CheckConstraint(f"{column} IN ({values}){null}", name=f"{column}_known")


def check(name: str, condition: str) -> CheckConstraint:
    return CheckConstraint(condition, name=name)


def unique_where(name: str, *columns: str, where: str) -> Index:
    """A UNIQUE index over the rows that fit a condition."""
    condition = text(where)
    return Index(name, *columns, unique=True, sqlite_where=condition, postgresql_where=condition)
