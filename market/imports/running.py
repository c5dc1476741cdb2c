"""The work of a run, in jobs: reading the file, the dry run, the import, the undo.

Each goes in chunks; where the next one begins is saved in the transaction of what the last one
did. Files are read and rows fetched before that transaction, so that they hold no lock.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import blake2b
from typing import Any

from sqlmodel import Session

from market.accounts.work import Parts
from market.imports import flow, mapping, reading, repository, showing, targets, waiting
from market.imports.models import EDGES, HEADING, REASON, ImportRun, Kind, RunState
from market.kit import files, sheets
from market.kit.intake import Context, Done, Effect, Fault, Given, Outcome, Value
from market.kit.jobs import Chunk, Job, Steps

CHUNK_ROWS = 500
FORGOTTEN = 5000  # rows of an earlier dry run deleted at once
PREVIEW = 5
CELL = 60  # characters of a cell that a preview shows
READING_LEASE = timedelta(seconds=3 * reading.LIMITS.wall)
GIVEN_UP = "系统没有处理完这个文件；已处理的行都已保存，原样再导入一次会接着做，不会重复"
UNDO_GIVEN_UP = (
    "系统没有撤销完；已撤销的行不再变，其余的仍是导入后的样子，运营人员排除原因后会接着撤销"
)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows in hand. `columns` says which column each of the file's is, by index or name; `headings`
    what the file calls a column; `reasons` where rows that were handed back say why.
    """

    records: Sequence[sheets.Row]
    table: bool
    columns: Mapping[int | str, str]
    headings: Mapping[str, str]
    reasons: Sequence[int | str]


class Running:
    """The steps of every kind of job of imports."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._offers = targets.offers(demo=parts.demo)

    def handlers(self) -> dict[str, Steps]:
        return {
            flow.READ: Steps(self._convert, self._take, self._give_up, READING_LEASE),
            flow.BRING: Steps(self._fetch, self._bring, self._give_up),
            flow.UNDO: Steps(lambda _job: None, self._undo, self._give_up),
        }

    def _give_up(self, session: Session, job: Job) -> None:
        run = repository.run(session, job.payload["run"])
        if RunState.FAILED in EDGES[RunState(run.state)]:
            now = self._parts.clock.now()
            problem = UNDO_GIVEN_UP if job.kind == flow.UNDO else GIVEN_UP
            repository.move(session, run, RunState.FAILED, problem=problem, finished_at=now)
            waiting.hold(session, run, self._parts.clock)
            waiting.ended(session, run, self._parts.clock)

    def _resume(self, session: Session, job: Job, state: RunState) -> ImportRun | None:
        """Return the run where the job is still wanted; a job tried again revives a failed run."""
        run = repository.run(session, job.payload["run"])
        if run.state == RunState.FAILED:
            repository.move(session, run, state, problem="", finished_at=None)
        return run if run.state == state else None

    # Reading

    def _convert(self, job: Job) -> reading.Read | str:
        with self._parts.database.read() as session:
            run = repository.run(session, job.payload["run"])
            file = repository.file_of(session, run)
        if run.state not in (RunState.WAITING, RunState.FAILED):
            return ""
        columns = self._offers[Kind(run.kind)].target.columns
        known = [name for one in columns for name in (one.label, one.key, *one.aliases)]
        return reading.convert(self._parts.files, file, known)

    def _take(self, session: Session, job: Job, found: reading.Read | str) -> Chunk:
        run = self._resume(session, job, RunState.WAITING)
        if run is None:
            return Chunk(None)
        if isinstance(found, str):
            self._refuse(session, run, found)
            return Chunk(None)
        file = repository.file_of(session, run)
        kept = files.keep(
            session,
            stored=found.stored,
            name=f"{file.name}.jsonl",
            media_type="application/jsonl",
            organisation_id=run.organisation_id,
            person_id=run.created_by,
            at=self._parts.clock.now(),
        )
        run.rows, run.rows_file_id = found.shape.rows, kept.id
        run.layout = found.shape.payload()
        session.flush()
        target = self._offers[Kind(run.kind)].target
        flow.after_reading(session, run, target, self._parts.clock, found.first)
        waiting.hold(session, run, self._parts.clock)
        waiting.ended(session, run, self._parts.clock)
        return Chunk(None)

    def _refuse(self, session: Session, run: ImportRun, problem: str) -> None:
        now = self._parts.clock.now()
        problem = flow.storable(problem, REASON)
        repository.move(session, run, RunState.REFUSED, problem=problem, finished_at=now)
        waiting.ended(session, run, self._parts.clock)

    # Dry run and import

    def _fetch(self, job: Job) -> _Rows | None:
        if "offset" not in job.cursor:
            return None
        with self._parts.database.read() as session:
            run = repository.run(session, job.payload["run"])
            sha256 = repository.rows_file(session, run).sha256
        shape = sheets.Shape.of(run.layout)
        names = reading.headings(shape)
        places: Sequence[int | str] = range(len(names)) if shape.table else shape.header
        columns = [run.mapping.get(name, "") for name in names]
        return _Rows(
            reading.rows(self._parts.files, sha256, job.cursor["offset"], CHUNK_ROWS),
            shape.table,
            {place: one for place, one in zip(places, columns, strict=True) if one},
            {column: heading for heading, column in run.mapping.items() if column},
            [place for place, name in zip(places, names, strict=True) if mapping.is_reasons(name)],
        )

    def _bring(self, session: Session, job: Job, found: _Rows | None) -> Chunk:
        dry: bool = job.payload["dry"]
        run = self._resume(session, job, RunState.CHECKING if dry else RunState.RUNNING)
        if run is None:
            return Chunk(None)
        if found is None:
            left = repository.forget(session, run.id, FORGOTTEN)
            return Chunk({} if left else {"offset": 0})
        outcomes = self._outcomes(session, run, found, dry=dry)
        self._note(session, run, outcomes, dry=dry)
        if dry and len(run.preview) < PREVIEW:
            self._preview(run, found, outcomes)
        session.add(run)
        if found.records:
            return Chunk({"offset": found.records[-1].end})
        session.flush()
        if dry and not _settles_itself(run):
            repository.move(session, run, RunState.READY)
        else:
            counts: dict[str, Any] = dict(run.checked) if dry else {}
            now = self._parts.clock.now()
            repository.move(session, run, RunState.DONE, finished_at=now, **counts)
        waiting.hold(session, run, self._parts.clock)
        waiting.ended(session, run, self._parts.clock)
        return Chunk(None)

    def _outcomes(
        self, session: Session, run: ImportRun, found: _Rows, *, dry: bool
    ) -> list[Outcome]:
        """Return what becomes of the rows, in order; of a dry run nothing stays written."""
        bad = {one.row: faults for one in found.records if (faults := _unreadable(one, found))}
        given = [_given(one, found) for one in found.records if one.row not in bad]
        target = self._offers[Kind(run.kind)].target
        context = self._context(session, run, dry=dry)
        if dry:
            # Whatever the savepoint takes back, the run's own row must not be among it.
            session.flush()
            with session.begin_nested() as savepoint:
                told = list(target.bring_in(session, context, given))
                savepoint.rollback()
        else:
            told = list(target.bring_in(session, context, given)) if given else []
        by_row = {one.row: one for one in told}
        return [
            by_row[one.row]
            if one.row not in bad
            else Outcome(one.row, Effect.REFUSED, bad[one.row])
            for one in found.records
        ]

    def _context(self, session: Session, run: ImportRun, *, dry: bool) -> Context:
        def met(keys: Collection[str]) -> dict[str, int]:
            digests = {_digest(key): key for key in keys}
            found = repository.met(session, run.id, dry=dry, keys=digests)
            return {digests[one]: row for one, row in found.items()}

        relied = self._offers[Kind(run.kind)].relied_on
        return Context(
            run_id=run.id,
            organisation_id=run.organisation_id,
            person_id=run.created_by,
            at=self._parts.clock.now(),
            publish=run.publish,
            dry=dry,
            met=met,
            depends=partial(relied, session, since=run.created_at),
        )

    def _note(
        self, session: Session, run: ImportRun, outcomes: Sequence[Outcome], *, dry: bool
    ) -> None:
        """Count the rows, and keep what each did and what was wrong with it."""
        detailed = run.checked.get(Effect.UPDATED, 0) < showing.UPDATES
        counts = dict.fromkeys((str(effect) for effect in Effect), 0)
        for one in outcomes:
            counts[one.effect] += 1
        if dry:
            run.checked = {key: run.checked.get(key, 0) + n for key, n in counts.items()}
        else:
            run.created += counts[Effect.CREATED]
            run.updated += counts[Effect.UPDATED]
            run.unchanged += counts[Effect.UNCHANGED]
            run.refused += counts[Effect.REFUSED]
        rows = [
            {
                "run_id": run.id,
                "dry": dry,
                "row": one.row,
                "effect": one.effect,
                "key": _digest(one.key),
                "subject_id": None if dry else one.subject_id,
                "before": _kept(one, dry=dry, whole=detailed),
                "kept": "",
            }
            for one in outcomes
            if one.effect is not Effect.REFUSED
        ]
        repository.add_rows(session, rows)
        problems = [
            {
                "run_id": run.id,
                "row": one.row,
                "column": flow.storable(fault.heading, HEADING),
                "reason": flow.storable(fault.reason, REASON),
            }
            for one in outcomes
            for fault in one.faults
        ]
        repository.add_problems(session, problems)

    def _preview(self, run: ImportRun, found: _Rows, outcomes: Sequence[Outcome]) -> None:
        target = self._offers[Kind(run.kind)].target
        for record, outcome in zip(found.records, outcomes, strict=True):
            if len(run.preview) >= PREVIEW:
                return
            if outcome.effect is not Effect.REFUSED:
                told = target.understood(_given(record, found))
                shown = {key: flow.storable(value, CELL) for key, value in told.items()}
                run.preview = [*run.preview, shown]

    # Undo

    def _undo(self, session: Session, job: Job, _prepared: None) -> Chunk:
        run = self._resume(session, job, RunState.UNDOING)
        if run is None:
            return Chunk(None)
        before: int = job.cursor.get("before", 2**62)
        rows = repository.changes_of(session, run.id, before=before, limit=CHUNK_ROWS)
        now = self._parts.clock.now()
        if not rows:
            kept = repository.kept_count(session, run.id)
            to = RunState.PARTLY if kept else RunState.UNDONE
            repository.move(session, run, to, kept=kept, finished_at=now)
            waiting.ended(session, run, self._parts.clock)
            return Chunk(None)
        done = [
            Done(row.row, Effect(row.effect), row.subject_id, row.before)
            for row in rows
            if row.subject_id is not None
        ]
        ids = {row.subject_id: row.id for row in rows}
        last = rows[-1].id
        target = self._offers[Kind(run.kind)].target
        left = dict(target.undo(session, self._context(session, run, dry=False), done))
        repository.mark_kept(
            session, {ids[one]: flow.storable(why, REASON) for one, why in left.items()}
        )
        repository.mark_undone(
            session, [row_id for one, row_id in ids.items() if one not in left], now
        )
        run = repository.run(session, job.payload["run"])
        run.undone += len(ids) - len(left)
        session.add(run)
        return Chunk({"before": last})


def _settles_itself(run: ImportRun) -> bool:
    """Tell whether a dry run leaves nothing to confirm: rows were known again, none would change.

    Where every row was refused a person may still say better what the headings mean. A dry run of
    the command line waits for nobody and stays one.
    """
    counts = run.checked
    return (
        run.created_by is not None
        and bool(counts[Effect.UNCHANGED])
        and not counts[Effect.CREATED] + counts[Effect.UPDATED]
    )


def _kept(one: Outcome, *, dry: bool, whole: bool) -> dict[str, Any] | None:
    """Return what to keep of a row: what undo needs, or what a dry run shows of an update."""
    if dry:
        shown = one.was and one.effect is Effect.UPDATED
        return showing.update(one, whole=whole) if shown else None
    return None if one.before is None else dict(one.before)


def _given(record: sheets.Row, found: _Rows) -> Given:
    """Return a row by columns."""
    values: dict[str, Value] = {}
    for place, column in found.columns.items():
        if isinstance(place, int) or place in record.values:
            values[column] = _at(record, place)
    headings = {column: found.headings[column] for column in values}
    returned = "；".join(str(_at(record, place)) for place in found.reasons)
    return Given(record.row, values, headings, found.table, returned)


def _at(record: sheets.Row, place: int | str) -> Value:
    if isinstance(place, int):
        return record.cells[place] if place < len(record.cells) else ""
    value: Value = record.values.get(place, "")
    return value


def _unreadable(record: sheets.Row, found: _Rows) -> tuple[Fault, ...]:
    """Return what in a row cannot be believed, of the columns that count."""
    if record.problem:
        return (Fault("", record.problem),)
    return tuple(
        Fault(found.headings[found.columns[place]], reason)
        for place, reason in record.faults.items()
        if place in found.columns
    )


def _digest(key: str) -> str:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
