"""How a run goes on: from one state to the next, with the job that does the work between."""

from collections.abc import Mapping

from sqlmodel import Session

from market.imports import mapping, reading, repository, waiting
from market.imports.models import HEADING, REASON, ImportRun, Kind, RunState
from market.kit import jobs, letters
from market.kit.clock import Clock
from market.kit.intake import Target
from market.kit.sheets import Shape

READ, BRING, UNDO = "imports.read", "imports.bring", "imports.undo"
MAX_UNKNOWN = 20


def storable(text: str, limit: int) -> str:
    """Return a text of a file as both databases can keep it, in one line."""
    kept = (
        one if letters.is_storable(one) and one not in "\n\r\t" else " " for one in text[:limit]
    )
    return "".join(kept)


def owe(session: Session, run: ImportRun, kind: str, clock: Clock, *, dry: bool = False) -> None:
    """Owe the job that does what the run's state says."""
    key = f"{kind}:{run.public_id}:{run.checks}{'d' if dry else ''}"
    payload = {"run": run.id, "dry": dry}
    jobs.enqueue(session, kind, key, payload, at=clock.now(), organisation_id=run.organisation_id)


def after_reading(
    session: Session, run: ImportRun, target: Target, clock: Clock, first: str
) -> None:
    """Go on with a file that was read: as far as it can without a person. `first` is what is wrong
    with its first row, "" for nothing.
    """
    shape = Shape.of(run.layout)
    names = reading.headings(shape)
    remembered = repository.meanings(session, run.organisation_id, Kind(run.kind))
    asks = run.ask and run.created_by is not None
    found = mapping.proposed(target.columns, names, remembered)
    if asks:
        found = mapping.settled(target.columns, found, remembered)
    lacking, doubled = mapping.missing(target.columns, found), mapping.doubled(found)
    unknown = [name for name in names if name not in found]
    run.mapping = found
    if asks and names and (lacking or unknown):
        repository.move(session, run, RunState.MAPPING)
        return
    problem = ""
    if not names and first:  # no line was an object: what is wrong is not what names they have
        problem = f"没有一行能读；第一行：{first}"
    elif lacking:
        shown = storable("、".join(names), HEADING)
        labels = "、".join(f"“{one.label}”" for one in lacking)
        where = "第一行应为表头，其中要有" if shape.table else "每一行的JSON对象里要有"
        problem = f"{where}{labels}一列，现在是：{shown}"
    elif doubled:
        first, other = doubled[0]
        problem = f"表头里“{first}”和“{other}”是同一个意思，请只留一列"
    if problem:
        repository.move(
            session,
            run,
            RunState.REFUSED,
            problem=storable(problem, REASON),
            finished_at=clock.now(),
        )
        return
    proceed(session, run, found, names, clock)


def proceed(
    session: Session,
    run: ImportRun,
    chosen: Mapping[str, str],
    names: tuple[str, ...],
    clock: Clock,
) -> None:
    """Begin the dry run, or the import where nobody asked to see that first."""
    left = [storable(one, HEADING) for one in names if not chosen.get(one)]
    run.mapping, run.unknown = dict(chosen), left[:MAX_UNKNOWN]
    if not run.ask:
        repository.move(session, run, RunState.RUNNING)
        owe(session, run, BRING, clock)
        return
    run.checks, run.checked, run.preview = run.checks + 1, {}, []
    repository.move(session, run, RunState.CHECKING)
    owe(session, run, BRING, clock, dry=True)
    waiting.hold(session, run, clock)
