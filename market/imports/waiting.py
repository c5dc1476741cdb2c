"""What of a run waits for a person, and what the person hears of it."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlmodel import Session

from market.accounts import repository_waiting as accounts
from market.accounts.policy import Action
from market.imports import repository
from market.imports.models import ImportRun, RunState
from market.kit import notify
from market.kit.clock import Clock
from market.kit.ids import OrganisationId, PersonId

MAP, CONFIRM = "import.map", "import.confirm"
KINDS = (MAP, CONFIRM)
_TITLES = {
    RunState.MAPPING: (MAP, "导入“{name}”：有表头要您对应"),
    RunState.READY: (CONFIRM, "导入“{name}”：已试导入，等您确认"),
}


def _subject(run: ImportRun) -> notify.Subject:
    return notify.Subject("import", run.public_id)


def _addresses(session: Session, runs: Iterable[ImportRun]) -> dict[int, notify.To]:
    """Return whom the runs concern, by run: who sent the file while that person imports for the
    organisation, else those who do. Nobody where a command sent it.
    """
    sent = [(run, PersonId(run.created_by)) for run in runs if run.created_by is not None]
    able = accounts.members_who_may(session, {person for _, person in sent}, Action.IMPORT_USE)
    return {
        run.id: notify.To(person_id=person)
        if (person, run.organisation_id) in able
        else notify.To(organisation_id=run.organisation_id, action=Action.IMPORT_USE)
        for run, person in sent
    }


def _task(run: ImportRun, name: str, to: notify.To | None) -> Iterator[notify.Task]:
    said = _TITLES.get(RunState(run.state))
    if said is None or to is None:
        return
    kind, title = said
    yield notify.Task(
        to=to,
        kind=kind,
        subject=_subject(run),
        title=title.format(name=name),
        round=str(run.checks),
    )


def tasks(session: Session) -> Iterator[notify.Task]:
    """Yield everything of imports that waits for people."""
    rows = repository.waiting_for_people(session)
    addresses = _addresses(session, [run for run, _ in rows])
    for run, file in rows:
        yield from _task(run, file.name, addresses.get(run.id))


def hold(session: Session, run: ImportRun, clock: Clock) -> None:
    """Let exactly that wait which the run's state says."""
    _hold(session, run, repository.file_of(session, run).name, clock.now())


def _hold(session: Session, run: ImportRun, name: str, at: datetime) -> None:
    to = _addresses(session, [run]).get(run.id)
    notify.hold(session, _subject(run), KINDS, _task(run, name, to), at=at)


def member_moved(
    session: Session, person_id: PersonId, organisation_id: OrganisationId, at: datetime
) -> None:
    """Let what waits of a person's files for an organisation follow the membership."""
    for run, file in repository.waiting_for_people(session, person_id, organisation_id):
        _hold(session, run, file.name, at)


def gone(session: Session, run: ImportRun, *, at: datetime) -> None:
    """Let nothing wait any more of a run that is being deleted."""
    notify.hold(session, _subject(run), KINDS, (), at=at)


def ended(session: Session, run: ImportRun, clock: Clock) -> None:
    """Tell whom the run concerns how it ended, where that is worth a word."""
    name = repository.file_of(session, run).name
    words = {
        RunState.DONE: f"导入“{name}”已完成，{run.refused}行没有导入" if run.refused else "",
        RunState.REFUSED: f"导入“{name}”：文件读不了",
        RunState.FAILED: f"导入“{name}”没有完成",
        RunState.PARTLY: f"撤销导入“{name}”：{run.kept}条保留",
    }.get(RunState(run.state), "")
    to = _addresses(session, [run]).get(run.id)
    if not words or to is None:
        return
    notify.tell(
        session,
        to,
        f"import.{run.state}",
        _subject(run),
        words,
        detail=run.problem,
        key=f"import.{run.state}:{run.public_id}:{run.checks}",
        at=clock.now(),
    )
