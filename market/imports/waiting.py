"""What of a run waits for a person, and what the person hears of it."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from sqlmodel import Session

from market.accounts import repository as accounts
from market.imports import repository
from market.imports.models import ImportRun, RunState
from market.kit import notify
from market.kit.clock import Clock
from market.kit.ids import PersonId

MAP, CONFIRM = "import.map", "import.confirm"
KINDS = (MAP, CONFIRM)
_TITLES = {
    RunState.MAPPING: (MAP, "导入“{name}”：有表头要您对应"),
    RunState.READY: (CONFIRM, "导入“{name}”：已试导入，等您确认"),
}


def _subject(run: ImportRun) -> notify.Subject:
    return notify.Subject("import", run.public_id)


def _there(session: Session, runs: Iterable[ImportRun]) -> set[int]:
    """Return who of those that sent the files of the runs still has an account."""
    ids = {PersonId(run.created_by) for run in runs if run.created_by is not None}
    return {one.id for one in accounts.people(session, ids).values() if one.deleted_at is None}


def _task(run: ImportRun, name: str, there: Collection[int]) -> Iterator[notify.Task]:
    said = _TITLES.get(RunState(run.state))
    if said is None or run.created_by not in there:
        return
    kind, title = said
    yield notify.Task(
        to=notify.To(person_id=run.created_by),
        kind=kind,
        subject=_subject(run),
        title=title.format(name=name),
        round=str(run.checks),
    )


def tasks(session: Session) -> Iterator[notify.Task]:
    """Yield everything of imports that waits for a person who has not deleted the account."""
    rows = repository.waiting_for_people(session)
    there = _there(session, [run for run, _ in rows])
    for run, file in rows:
        yield from _task(run, file.name, there)


def hold(session: Session, run: ImportRun, clock: Clock) -> None:
    """Let exactly that wait which the run's state says."""
    name = repository.file_of(session, run).name
    notify.hold(
        session, _subject(run), KINDS, _task(run, name, _there(session, [run])), at=clock.now()
    )


def gone(session: Session, run: ImportRun, *, at: datetime) -> None:
    """Let nothing wait any more of a run that is being deleted."""
    notify.hold(session, _subject(run), KINDS, (), at=at)


def ended(session: Session, run: ImportRun, clock: Clock) -> None:
    """Tell who sent the file how it ended, where that is worth a word."""
    name = repository.file_of(session, run).name
    words = {
        RunState.DONE: f"导入“{name}”已完成，{run.refused}行没有导入" if run.refused else "",
        RunState.REFUSED: f"导入“{name}”：文件读不了",
        RunState.FAILED: f"导入“{name}”没有完成",
        RunState.PARTLY: f"撤销导入“{name}”：{run.kept}条保留",
    }.get(RunState(run.state), "")
    if not words or run.created_by not in _there(session, [run]):
        return
    notify.tell(
        session,
        notify.To(person_id=run.created_by),
        f"import.{run.state}",
        _subject(run),
        words,
        detail=run.problem,
        key=f"import.{run.state}:{run.public_id}:{run.checks}",
        at=clock.now(),
    )
