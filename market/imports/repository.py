"""The SQL of imports."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import Select as SelectQuery

from market.imports.models import (
    EDGES,
    HeadingMeaning,
    ImportRun,
    Kind,
    RunProblem,
    RunRow,
    RunState,
)
from market.kit.db import changed, is_sqlite, must_change
from market.kit.files import StoredFile
from market.kit.ids import OrganisationId, PersonId, PublicId
from market.kit.intake import Effect

CHANGES = (Effect.CREATED, Effect.UPDATED)


def run(session: Session, run_id: int) -> ImportRun:
    return session.get_one(ImportRun, run_id)


def run_by_public_id(session: Session, public_id: PublicId) -> ImportRun | None:
    return session.scalars(select(ImportRun).where(col(ImportRun.public_id) == public_id)).first()


def runs(
    session: Session, organisation_id: OrganisationId, limit: int
) -> list[tuple[ImportRun, StoredFile]]:
    """Return the newest runs of an organisation, each with its file."""
    rows = session.execute(
        select(ImportRun, StoredFile)
        .join(StoredFile, col(StoredFile.id) == col(ImportRun.file_id))
        .where(col(ImportRun.organisation_id) == organisation_id)
        .order_by(col(ImportRun.id).desc())
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


def started_by(person_id: PersonId) -> SelectQuery[ImportRun, StoredFile]:
    """Ask for the runs that a person started, oldest first, each with its file."""
    return (
        select_rows(ImportRun, StoredFile)
        .join(StoredFile, col(StoredFile.id) == col(ImportRun.file_id))
        .where(col(ImportRun.created_by) == person_id)
        .order_by(col(ImportRun.id))
    )


def sent_at(session: Session, ids: Collection[int]) -> dict[int, tuple[PublicId, datetime]]:
    """Return public id and time of each of the runs."""
    rows = session.execute(
        select(col(ImportRun.id), col(ImportRun.public_id), col(ImportRun.created_at)).where(
            col(ImportRun.id).in_(list(ids))
        )
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def file_of(session: Session, one: ImportRun) -> StoredFile:
    return session.get_one(StoredFile, one.file_id)


def rows_file(session: Session, one: ImportRun) -> StoredFile:
    """Return the normalised rows of a run that was read."""
    assert one.rows_file_id is not None
    return session.get_one(StoredFile, one.rows_file_id)


def same_before(session: Session, one: ImportRun) -> ImportRun | None:
    """Return the newest earlier run that brought in the same bytes as the same kind, one that
    wrote before one that found nothing to write.
    """
    wrote = col(ImportRun.created) + col(ImportRun.updated) > 0
    sha256 = select(col(StoredFile.sha256)).where(col(StoredFile.id) == one.file_id)
    return session.scalars(
        select(ImportRun)
        .join(StoredFile, col(StoredFile.id) == col(ImportRun.file_id))
        .where(
            col(ImportRun.organisation_id) == one.organisation_id,
            col(ImportRun.kind) == one.kind,
            col(ImportRun.id) < one.id,
            col(ImportRun.state).in_([RunState.DONE, RunState.PARTLY]),
            col(StoredFile.sha256) == sha256.scalar_subquery(),
        )
        .order_by(wrote.desc(), col(ImportRun.id).desc())
        .limit(1)
    ).first()


def waiting_for_people(
    session: Session,
    person_id: PersonId | None = None,
    organisation_id: OrganisationId | None = None,
) -> list[tuple[ImportRun, StoredFile]]:
    """Return the runs that wait for people, all or a person's for an organisation, each with its
    file.
    """
    query = (
        select(ImportRun, StoredFile)
        .join(StoredFile, col(StoredFile.id) == col(ImportRun.file_id))
        .where(col(ImportRun.state).in_([RunState.MAPPING, RunState.READY]))
        .order_by(col(ImportRun.id))
    )
    if person_id is not None:
        query = query.where(col(ImportRun.created_by) == person_id)
    if organisation_id is not None:
        query = query.where(col(ImportRun.organisation_id) == organisation_id)
    rows = session.execute(query)
    return [(row[0], row[1]) for row in rows]


def add(session: Session, row: ImportRun) -> None:
    session.add(row)
    session.flush()


def move(
    session: Session, one: ImportRun, to: RunState, message: str | None = None, **values: Any
) -> None:
    """Bring a run from where the row says it stands to `to`. Raises Conflict where it moved."""
    now = RunState(one.state)
    assert to == now or to in EDGES[now], (now, to)
    must_change(
        session,
        update(ImportRun)
        .where(col(ImportRun.id) == one.id, col(ImportRun.state) == now)
        .values(state=to, **values)
        .execution_options(synchronize_session=False),
        message,
    )
    session.refresh(one)


def problems(session: Session, run_id: int, limit: int) -> list[RunProblem]:
    """Return what is wrong with rows, in the order of the file."""
    return list(
        session.scalars(
            select(RunProblem)
            .where(col(RunProblem.run_id) == run_id)
            .order_by(col(RunProblem.row), col(RunProblem.id))
            .limit(limit)
        )
    )


def reasons(session: Session, run_id: int, first: int, last: int) -> dict[int, str]:
    """Return all that is wrong with each refused row from `first` to `last`, in one sentence."""
    rows = session.execute(
        select(col(RunProblem.row), col(RunProblem.column), col(RunProblem.reason))
        .where(col(RunProblem.run_id) == run_id, col(RunProblem.row).between(first, last))
        .order_by(col(RunProblem.id))
    )
    found: dict[int, list[str]] = {}
    for row, column, reason in rows:
        found.setdefault(row, []).append(f"{column}：{reason}" if column else reason)
    return {row: "；".join(parts) for row, parts in found.items()}


def add_problems(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(insert(RunProblem), [dict(row) for row in rows])


def add_rows(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(insert(RunRow), [dict(row) for row in rows])


def met(session: Session, run_id: int, *, dry: bool, keys: Collection[str]) -> dict[str, int]:
    """Return those of the keys that the run has met, each with its row."""
    if not keys:
        return {}
    rows = session.execute(
        select(col(RunRow.key), col(RunRow.row)).where(
            col(RunRow.run_id) == run_id, col(RunRow.dry) == dry, col(RunRow.key).in_(list(keys))
        )
    )
    return {row[0]: row[1] for row in rows}


def forget(session: Session, run_id: int, limit: int) -> int:
    """Delete at most `limit` each of the rows and problems of a dry run; return how many."""
    count = 0
    for model, condition in (
        (RunRow, (col(RunRow.run_id) == run_id) & col(RunRow.dry)),
        (RunProblem, col(RunProblem.run_id) == run_id),
    ):
        ids = select(col(model.id)).where(condition).limit(limit)
        count += changed(session, delete(model).where(col(model.id).in_(ids)))
    return count


def to_update(session: Session, run_id: int, limit: int) -> list[RunRow]:
    """Return the first rows that a dry run would update, with what they were and will be called."""
    rows = select(RunRow).where(
        col(RunRow.run_id) == run_id, col(RunRow.dry), col(RunRow.effect) == Effect.UPDATED
    )
    return list(session.scalars(rows.order_by(col(RunRow.id)).limit(limit)))


def changes_of(session: Session, run_id: int, *, before: int, limit: int) -> list[RunRow]:
    """Return changes of a run that can still be taken back, the last first, ids below `before`."""
    return list(
        session.scalars(
            select(RunRow)
            .where(
                col(RunRow.run_id) == run_id,
                col(RunRow.dry).is_(False),
                col(RunRow.effect).in_(CHANGES),
                col(RunRow.undone_at).is_(None),
                col(RunRow.id) < before,
            )
            .order_by(col(RunRow.id).desc())
            .limit(limit)
        )
    )


def mark_undone(session: Session, ids: Iterable[int], at: datetime) -> None:
    session.execute(
        update(RunRow).where(col(RunRow.id).in_(list(ids))).values(undone_at=at, kept="")
    )


def mark_kept(session: Session, kept: Mapping[int, str]) -> None:
    """Note of rows by id why they could not be taken back."""
    if kept:
        session.execute(update(RunRow), [{"id": one, "kept": why} for one, why in kept.items()])


def kept_rows(session: Session, run_id: int, limit: int) -> list[RunRow]:
    """Return the changes that an undo left, in the order of the file."""
    return list(
        session.scalars(
            select(RunRow)
            .where(col(RunRow.run_id) == run_id, col(RunRow.kept) != "")
            .order_by(col(RunRow.row))
            .limit(limit)
        )
    )


def kept_count(session: Session, run_id: int) -> int:
    count: int = session.execute(
        select(func.count())
        .select_from(RunRow)
        .where(col(RunRow.run_id) == run_id, col(RunRow.kept) != "")
    ).scalar_one()
    return count


def meanings(session: Session, organisation_id: OrganisationId, kind: Kind) -> dict[str, str]:
    """Return what an organisation's headings mean, by folded heading."""
    rows = session.execute(
        select(col(HeadingMeaning.heading), col(HeadingMeaning.column)).where(
            col(HeadingMeaning.organisation_id) == organisation_id,
            col(HeadingMeaning.kind) == kind,
        )
    )
    return {row[0]: row[1] for row in rows}


def remember(
    session: Session, organisation_id: OrganisationId, kind: Kind, found: Mapping[str, str]
) -> None:
    """Keep what headings mean, by folded heading, in place of what was known."""
    if not found:
        return
    dialect = sqlite if is_sqlite(session) else postgresql
    write = dialect.insert(HeadingMeaning).values(
        [
            {"organisation_id": organisation_id, "kind": kind, "heading": one, "column": column}
            for one, column in sorted(found.items())  # one order, or two people wait for each other
        ]
    )
    session.execute(
        write.on_conflict_do_update(
            index_elements=["organisation_id", "kind", "heading"],
            set_={"column": write.excluded.column},
        )
    )
