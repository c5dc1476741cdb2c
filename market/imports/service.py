"""What people do with a run: send a file, say what headings mean, confirm, undo, set aside.

A file's bytes are in the store before any of this opens a transaction (`receive`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlmodel import Session

from market.accounts import repository as accounts
from market.accounts.policy import Action
from market.accounts.work import Parts, Work
from market.imports import (
    flow,
    mapping,
    reading,
    repository,
    retention,
    showing,
    targets,
    waiting,
)
from market.imports.models import HEADING, ImportRun, Kind, RunProblem, RunRow, RunState
from market.kit import files
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.files import MAX_IMPORT_BYTES, FileStore, StoredFile
from market.kit.ids import OrganisationId, PublicId, new_public_id
from market.kit.intake import Column, Effect
from market.kit.sheets import Shape

SHOWN_PROBLEMS = 1000
SHOWN_KEPT = 100
SHOWN_RUNS = 50
ENDINGS = (".xlsx", ".xlsm", ".xls", ".ods", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson")
MOVED = "这次导入刚刚变了状态，请刷新后再看"
S = RunState
ENDED = frozenset({S.DONE, S.UNDONE, S.PARTLY, S.REFUSED, S.CANCELLED, S.FAILED})
AT_WORK = frozenset({S.WAITING, S.CHECKING, S.RUNNING, S.UNDOING})
UNDOABLE = frozenset({S.DONE, S.PARTLY})
CANCELLABLE = frozenset({S.WAITING, S.MAPPING, S.CHECKING, S.READY})


@dataclass(frozen=True, slots=True)
class Received:
    """A file that the store has."""

    name: str
    stored: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Update:
    """What a row would update: what that was called, what it would be called, and the columns
    that change as (label, was, now).
    """

    row: int
    was: str
    now: str
    changes: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it stands, with the first of what is wrong, of what an undo left, and of what
    confirming would update.
    """

    run: ImportRun
    file: StoredFile
    title: str
    problems: tuple[RunProblem, ...] = ()
    kept: tuple[RunRow, ...] = ()
    updates: tuple[Update, ...] = ()
    same_as: ImportRun | None = None

    @property
    def state(self) -> RunState:
        return RunState(self.run.state)

    @property
    def tried(self) -> bool:
        """Tell whether the counts are those of a dry run that nothing came after."""
        return self.state in (S.CHECKING, S.READY)

    @property
    def counts(self) -> dict[str, int]:
        """Return how many rows became what (by Effect), in the dry run or the import."""
        told = self.run.checked if self.tried else {}
        return {
            one.value: told.get(one, 0) if self.tried else getattr(self.run, one) for one in Effect
        }

    @property
    def done(self) -> int:
        """Return how many rows have been dealt with, in the dry run or the import."""
        return sum(self.counts.values())

    @property
    def changes_nothing(self) -> bool:
        """Tell whether the run is done and every row that could be taken was there already."""
        return self.state is S.DONE and not self.run.created + self.run.updated

    @property
    def alike(self) -> tuple[showing.Alike, ...]:
        return showing.alike(self.problems)

    @property
    def finished(self) -> bool:
        return self.state in ENDED

    @property
    def at_work(self) -> bool:
        return self.state in AT_WORK

    @property
    def notes(self) -> list[str]:
        """Return what was done to read the file, in sentences."""
        return list(self.run.layout.get("notes", []))


@dataclass(frozen=True, slots=True)
class Mapped:
    """The headings of a file with what each is taken for (None: nobody has said), and a sample."""

    headings: tuple[tuple[str, str | None, str], ...]
    columns: tuple[Column, ...]


def receive(store: FileStore, name: str, stream: BinaryIO) -> Received:
    """Keep the bytes of a file. Raises Invalid at `file`, TooLarge over 50 MB."""
    if Path(name).suffix.lower() not in ENDINGS:
        raise Invalid(
            fields={"file": "应为表格文件：xlsx、xls、ods、csv，或JSON行（jsonl），请另存后再上传"}
        )
    stored = store.save(stream, limit=MAX_IMPORT_BYTES)
    if stored[1] == 0:
        raise Invalid(fields={"file": "文件应有内容，现在是空的"})
    return Received(name, stored)


def kinds(work: Work) -> dict[Kind, targets.Offer]:
    """Return the kinds of files that the actor may bring in."""
    found = targets.offers(demo=work.parts.demo)
    return {kind: one for kind, one in found.items() if work.actor.role in one.roles}


def start_own(work: Work, kind: Kind, received: Received, *, ask: bool) -> ImportRun:
    """Start a run for the acting organisation. Raises Invalid at `kind`."""
    work.require(Action.IMPORT_USE)
    if kind not in kinds(work):
        raise Invalid(fields={"kind": "这一类文件不由您的机构导入，请选另一类"})
    return start(work, work.actor.organisation, kind, received, ask=ask)


def start(
    work: Work,
    organisation_id: OrganisationId,
    kind: Kind,
    received: Received,
    *,
    ask: bool,
    publish: bool = False,
) -> ImportRun:
    """Write the run and owe its reading. The caller has checked that the actor may."""
    file = files.keep(
        work.session,
        stored=received.stored,
        name=received.name,
        media_type="application/octet-stream",
        organisation_id=organisation_id,
        person_id=work.actor.person_id,
        at=work.now,
    )
    run = ImportRun(
        public_id=new_public_id(),
        organisation_id=organisation_id,
        kind=kind,
        file_id=file.id,
        ask=ask,
        publish=publish,
        created_by=work.actor.person_id,
        created_at=work.now,
    )
    repository.add(work.session, run)
    flow.owe(work.session, run, flow.READ, work.parts.clock)
    work.touched("import", run.public_id)
    return run


def view(parts: Parts, session: Session, run: ImportRun) -> RunView:
    """Return a run with the first SHOWN_PROBLEMS of what is wrong with its rows."""
    return RunView(
        run=run,
        file=repository.file_of(session, run),
        title=targets.offers(demo=parts.demo)[Kind(run.kind)].target.title,
        problems=tuple(repository.problems(session, run.id, SHOWN_PROBLEMS)),
        kept=tuple(repository.kept_rows(session, run.id, SHOWN_KEPT)),
        updates=_updates(session, run) if run.state == S.READY else (),
        same_as=repository.same_before(session, run),
    )


def _updates(session: Session, run: ImportRun) -> tuple[Update, ...]:
    rows = repository.to_update(session, run.id, showing.UPDATES)
    return tuple(
        Update(row.row, kept["was"], kept["now"], tuple(map(tuple, kept.get("changes", ()))))
        for row in rows
        if (kept := row.before)
    )


def run_of(parts: Parts, session: Session, public_id: PublicId) -> RunView:
    """Return any run, for operators. Raises NotFound."""
    run = repository.run_by_public_id(session, public_id)
    if run is None:
        raise NotFound
    return view(parts, session, run)


def own_run(work: Work, public_id: PublicId) -> ImportRun:
    """Return a run of the acting organisation. Raises NotFound, Forbidden."""
    run = repository.run_by_public_id(work.session, public_id)
    if run is None or run.organisation_id != work.actor.organisation_id:
        raise NotFound
    work.touched("import", run.public_id)
    work.require(Action.IMPORT_USE)
    return run


def own_view(work: Work, public_id: PublicId) -> RunView:
    return view(work.parts, work.session, own_run(work, public_id))


def own_runs(work: Work) -> list[RunView]:
    """Return the newest SHOWN_RUNS runs of the acting organisation, without their problems."""
    work.require(Action.IMPORT_USE)
    found = targets.offers(demo=work.parts.demo)
    rows = repository.runs(work.session, work.actor.organisation, SHOWN_RUNS)
    return [RunView(run, file, found[Kind(run.kind)].target.title) for run, file in rows]


def sent_at(session: Session, ids: Collection[int]) -> dict[int, tuple[PublicId, datetime]]:
    """Return public ids of runs and when their files were sent, for who sees what they brought."""
    return repository.sent_at(session, ids)


def run_id(session: Session, public_id: PublicId) -> int:
    """Return the id of a run. Raises NotFound."""
    run = repository.run_by_public_id(session, public_id)
    if run is None:
        raise NotFound
    return run.id


def mapped(work: Work, run: ImportRun) -> Mapped:
    """Return how the headings of a run are taken, with a value of each.

    Raises Conflict where the file was not read (yet).
    """
    if run.rows_file_id is None:
        raise Conflict("文件还没有读完，请稍后再看")
    shape = Shape.of(run.layout)
    names = reading.headings(shape)
    sha256 = repository.rows_file(work.session, run).sha256
    samples: dict[str, str] = {}
    for row in reading.rows(work.parts.files, sha256, 0, 20):
        for place, name in enumerate(names):
            value: object = (
                row.values.get(shape.header[place], "")
                if not shape.table
                else (row.cells[place] if place < len(row.cells) else "")
            )
            if value not in ("", None):
                samples.setdefault(name, flow.storable(str(value), HEADING))
    columns = targets.offers(demo=work.parts.demo)[Kind(run.kind)].target.columns
    found = tuple((name, run.mapping.get(name), samples.get(name, "")) for name in names)
    return Mapped(found, tuple(columns))


def map_headings(work: Work, public_id: PublicId, chosen: Mapping[str, str]) -> ImportRun:
    """Take what the person says of each heading ("" leaves it aside), remember it, try again.

    Headings that are not named stay as they were proposed; those of which nothing is known must be
    named. Raises Conflict where the run does not wait for it, Invalid at `mapping`.
    """
    run = own_run(work, public_id)
    if run.state not in (S.MAPPING, S.READY):
        raise Conflict(MOVED)
    names = reading.headings(Shape.of(run.layout))
    target = targets.offers(demo=work.parts.demo)[Kind(run.kind)].target
    known = {one.key for one in target.columns} | {mapping.ASIDE}
    if not (set(chosen) <= set(names) and set(chosen.values()) <= known):
        raise Invalid(
            fields={"mapping": "有一处不是这个文件的表头，或不是这类内容的列，请刷新后再选"}
        )
    whole = {**run.mapping, **chosen}
    if problem := mapping.problem(target.columns, names, whole):
        raise Invalid(fields={"mapping": problem})
    told = {folded: column for name, column in chosen.items() if (folded := mapping.fold(name))}
    repository.remember(work.session, run.organisation_id, Kind(run.kind), told)
    if run.state == S.READY:
        repository.move(work.session, run, S.MAPPING, MOVED)
    flow.proceed(work.session, run, whole, names, work.parts.clock)
    return run


def publishes_itself(work: Work) -> bool:
    """Tell whether what the acting organisation brings in is public without a review."""
    return accounts.organisation(work.session, work.actor.organisation).self_publish


def keep_choices(work: Work, public_id: PublicId, chosen: Mapping[str, str]) -> None:
    """Keep on the run what a person chose so far, where it waits for the rest."""
    run = own_run(work, public_id)
    if run.state != S.MAPPING:  # of a dry run the mapping is what it was made with
        return
    names = reading.headings(Shape.of(run.layout))
    columns = targets.offers(demo=work.parts.demo)[Kind(run.kind)].target.columns
    known = {one.key for one in columns} | {mapping.ASIDE}
    said = {one: key for one, key in chosen.items() if one in names and key in known}
    repository.move(work.session, run, S.MAPPING, MOVED, mapping={**run.mapping, **said})


def confirm(work: Work, public_id: PublicId) -> ImportRun:
    """Bring in what the dry run showed. Raises Conflict where the run does not wait for it."""
    run = own_run(work, public_id)
    if run.state != S.READY:
        raise Conflict(MOVED)
    repository.move(work.session, run, S.RUNNING, MOVED)
    flow.owe(work.session, run, flow.BRING, work.parts.clock)
    waiting.hold(work.session, run, work.parts.clock)
    return run


def cancel(work: Work, public_id: PublicId) -> ImportRun:
    """Set a run aside of which nothing was brought in. Raises Conflict."""
    return set_aside(work, own_run(work, public_id))


def set_aside(work: Work, run: ImportRun) -> ImportRun:
    """Set any run aside; the caller has checked that the actor may. Raises Conflict."""
    if RunState(run.state) not in CANCELLABLE:
        raise Conflict(MOVED)
    repository.move(work.session, run, S.CANCELLED, MOVED, finished_at=work.now)
    waiting.hold(work.session, run, work.parts.clock)
    return run


def undo(work: Work, public_id: PublicId) -> ImportRun:
    """Owe the undo of a whole run. Raises Conflict where there is nothing to undo."""
    return begin_undo(work, own_run(work, public_id))


def undoable(run: ImportRun, now: datetime) -> bool:
    """Tell whether a run has left anything that could be taken back, and what it did is kept."""
    known = run.rows_file_id is not None  # older than this: what each row did was not kept
    kept = run.finished_at is not None and now - run.finished_at < retention.ENDED
    some = run.created + run.updated > run.undone
    return known and kept and some and RunState(run.state) in UNDOABLE


def begin_undo(work: Work, run: ImportRun) -> ImportRun:
    """Owe the undo of any run; the caller has checked that the actor may. Raises Conflict."""
    if not undoable(run, work.now):
        raise Conflict("只有已完成、还有内容可撤的导入可以撤销")
    run.checks += 1
    repository.move(work.session, run, S.UNDOING, MOVED, finished_at=None)
    flow.owe(work.session, run, flow.UNDO, work.parts.clock)
    work.touched("import", run.public_id)
    return run
