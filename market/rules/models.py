"""Rules that are data: which days rest, and what the region plans to reach."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, text
from sqlmodel import Field

from market.kit.columns import (
    Table,
    check,
    choice,
    day,
    fen,
    fk,
    json_list,
    moment,
    one_of,
    pk,
    public_id,
    words,
)
from market.kit.ids import PersonId, PublicId


class DayKind(StrEnum):
    REST = "rest"  # a public holiday, or a day moved to make one long
    WORK = "work"  # a weekend day worked in exchange


class PlanState(StrEnum):
    CURRENT = "current"
    ARCHIVED = "archived"


class VersionState(StrEnum):
    CURRENT = "current"
    ARCHIVED = "archived"


class Holiday(Table, table=True):
    """A day that is no plain weekday or weekend, by the State Council's notice for `year`."""

    __tablename__ = "holiday"
    __table_args__ = (one_of("kind", DayKind), Index("ix_holiday_year", "year"))

    falls_on: date = Field(primary_key=True)
    kind: str = choice()
    year: int
    name: str = words(40, default="")
    source: str = words(80)


_CURRENT = text("state = 'current'")


class RuleVersion(Table, table=True):
    """One text of the registration rules (认定登记规则) as data; `content` is a `RuleSet`.

    A contract goes by the version in force on its signing date. A row is never rewritten: an edit
    archives it and writes the next, so that what was in force can be told. `checked_on` is when
    somebody compared it with the official text; until then it wants a check.
    """

    __tablename__ = "rule_version"
    __table_args__ = (
        one_of("state", VersionState),
        Index(
            "uq_rule_version_current",
            "code",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
        Index(
            "uq_rule_version_effective",
            "effective_from",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
    )

    id: int = pk()
    public_id: PublicId = public_id()
    code: str = words(20)
    name: str = words(120)
    effective_from: date = day()
    source: str = words(300)
    draft: bool = Field(default=False)
    content: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    checked_on: date | None = day(nullable=True)
    state: str = choice(default=VersionState.CURRENT)
    created_by: PersonId | None = fk("person.id", nullable=True, index=False)
    created_at: datetime = moment()
    archived_at: datetime | None = moment(nullable=True)


class Plan(Table, table=True):
    """A target of 技术交易额 for a region and a time, both days included.

    A plan is never rewritten: an edit archives the row and writes the next one, so that what was
    aimed at on a past day can be told. The baseline is shown for comparison, never added.
    `region` is a GB/T 2260 code; its subordinate regions count with it.
    """

    __tablename__ = "plan"
    __table_args__ = (
        one_of("state", PlanState),
        check("period_ordered", "from_on < to_on"),
        check("target_positive", "target_fen > 0"),
        check("baseline_not_negative", "baseline_fen >= 0"),
        Index(
            "uq_plan_current",
            "region",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
    )

    id: int = pk()
    public_id: PublicId = public_id()
    name: str = words(60)
    region: str = words(6)
    from_on: date = day()
    to_on: date = day()
    baseline_fen: int = fen()
    baseline_year: int
    target_fen: int = fen()
    state: str = choice(default=PlanState.CURRENT)
    created_by: PersonId | None = fk("person.id", nullable=True, index=False)
    created_at: datetime = moment()
    archived_at: datetime | None = moment(nullable=True)


class DictionaryWord(Table, table=True):
    """A word that the segmentation's own dictionary lacks. Searches go by it `in_force_at` and
    after: since an index was built in which every document was cut by it.
    """

    __tablename__ = "dictionary_word"

    id: int = pk()
    public_id: PublicId = public_id()
    word: str = Field(max_length=12, unique=True)
    created_at: datetime = moment()
    in_force_at: datetime | None = moment(nullable=True)


class SynonymGroup(Table, table=True):
    """Terms that a search takes for one another. `edits` counts the changes of the row.

    Who wrote it stands in the audit alone.
    """

    __tablename__ = "synonym_group"

    id: int = pk()
    public_id: PublicId = public_id()
    terms: list[str] = json_list()
    edits: int = 0
    changed_at: datetime = moment()
