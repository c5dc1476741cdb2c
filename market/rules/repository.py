"""The only SQL of rules."""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import delete, func, update
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from market.kit.db import changed, must_change
from market.kit.errors import NotFound
from market.kit.ids import PublicId
from market.rules.models import (
    DictionaryWord,
    Holiday,
    Plan,
    PlanState,
    RuleVersion,
    SynonymGroup,
    VersionState,
)


def holidays(session: Session, year: int | None = None) -> list[Holiday]:
    """Return the days of one year, or of all, in order."""
    query = select(Holiday).order_by(col(Holiday.falls_on))
    if year is not None:
        query = query.where(col(Holiday.year) == year)
    return list(session.exec(query))


def holiday_kinds(session: Session) -> list[tuple[date, str, int]]:
    """Return (day, kind, year of its notice) of all days."""
    query = sa_select(col(Holiday.falls_on), col(Holiday.kind), col(Holiday.year))
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def plans(session: Session) -> list[Plan]:
    """Return all plans, current ones first, then the newest."""
    return list(
        session.exec(select(Plan).order_by(col(Plan.state).desc(), col(Plan.id).desc()).limit(500))
    )


def newest_current(session: Session) -> Plan | None:
    return session.exec(
        select(Plan).where(col(Plan.state) == PlanState.CURRENT).order_by(col(Plan.id).desc())
    ).first()


def current_of(session: Session, region: str) -> Plan | None:
    return session.exec(
        select(Plan).where(col(Plan.region) == region, col(Plan.state) == PlanState.CURRENT)
    ).first()


def archive(session: Session, plan: PublicId, *, at: datetime) -> None:
    must_change(
        session,
        update(Plan)
        .where(col(Plan.public_id) == plan, col(Plan.state) == PlanState.CURRENT)
        .values(state=PlanState.ARCHIVED, archived_at=at),
        "这份计划刚被别人改过，请刷新后在新的计划上再改",
    )


def current_versions(session: Session) -> list[RuleVersion]:
    """Return the rule versions that hold, by the day from which each is in force."""
    return list(
        session.exec(
            select(RuleVersion)
            .where(col(RuleVersion.state) == VersionState.CURRENT)
            .order_by(col(RuleVersion.effective_from))
        )
    )


def archived_versions(session: Session) -> list[RuleVersion]:
    """Return what was rewritten, the newest first."""
    return list(
        session.exec(
            select(RuleVersion)
            .where(col(RuleVersion.state) == VersionState.ARCHIVED)
            .order_by(col(RuleVersion.id).desc())
            .limit(200)
        )
    )


def archive_version(session: Session, version: PublicId, *, at: datetime) -> None:
    must_change(
        session,
        update(RuleVersion)
        .where(
            col(RuleVersion.public_id) == version,
            col(RuleVersion.state) == VersionState.CURRENT,
        )
        .values(state=VersionState.ARCHIVED, archived_at=at),
        "这一版规则刚被别人改过，请刷新后再改",
    )


def remove_year(session: Session, year: int) -> None:
    """Take out the days of a year's notice, for others to be written."""
    changed(session, delete(Holiday).where(col(Holiday.year) == year))


OVERTAKEN = "这一组刚被别人改过或删去，请刷新后再改"


def synonym_mark(session: Session) -> tuple[int, int, datetime | None]:
    """Return what no two states of the synonyms share."""
    count, edits, newest = session.execute(
        sa_select(
            func.count(),
            func.coalesce(func.sum(col(SynonymGroup.edits)), 0),
            func.max(col(SynonymGroup.changed_at)),
        ).select_from(SynonymGroup)
    ).one()
    return count, int(edits), newest


def synonym_groups(session: Session) -> list[SynonymGroup]:
    """Return all groups, the ones changed last first."""
    order = (col(SynonymGroup.changed_at).desc(), col(SynonymGroup.id).desc())
    return list(session.exec(select(SynonymGroup).order_by(*order)))


def synonym_group(session: Session, public_id: PublicId) -> SynonymGroup | None:
    return session.exec(
        select(SynonymGroup).where(col(SynonymGroup.public_id) == public_id)
    ).first()


def change_synonyms(
    session: Session, group: PublicId, *, edits: int, terms: list[str], at: datetime
) -> None:
    must_change(
        session,
        update(SynonymGroup)
        .where(col(SynonymGroup.public_id) == group, col(SynonymGroup.edits) == edits)
        .values(terms=terms, edits=edits + 1, changed_at=at),
        OVERTAKEN,
    )


def remove_synonyms(session: Session, group: PublicId, *, edits: int) -> None:
    must_change(
        session,
        delete(SynonymGroup).where(
            col(SynonymGroup.public_id) == group, col(SynonymGroup.edits) == edits
        ),
        OVERTAKEN,
    )


def dictionary_mark(session: Session) -> tuple[int, int, int, datetime | None]:
    """Return what no two states of the words share: they are written and removed, never changed,
    and come into force once. SQLite may give a removed word's id again, at a later moment.
    """
    count, ids, in_force, newest = session.execute(
        sa_select(
            func.count(),
            func.coalesce(func.sum(col(DictionaryWord.id)), 0),
            func.count(col(DictionaryWord.in_force_at)),
            func.max(col(DictionaryWord.created_at)),
        ).select_from(DictionaryWord)
    ).one()
    return count, int(ids), in_force, newest


def dictionary(session: Session) -> list[DictionaryWord]:
    """Return all words, the newest first."""
    return list(session.exec(select(DictionaryWord).order_by(col(DictionaryWord.id).desc())))


def put_in_force(session: Session, ids: Collection[int], *, at: datetime) -> None:
    session.execute(
        update(DictionaryWord)
        .where(col(DictionaryWord.in_force_at).is_(None), col(DictionaryWord.id).in_(ids))
        .values(in_force_at=at)
    )


def remove_word(session: Session, word: PublicId) -> None:
    """Raises NotFound."""
    if changed(session, delete(DictionaryWord).where(col(DictionaryWord.public_id) == word)) != 1:
        raise NotFound
