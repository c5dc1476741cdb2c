"""Imports and matching from the command line: start, wait with a progress bar, report."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import click
from sqlmodel import Session

from infra.settings import Settings
from infra.users import COMMAND_LINE
from infra.waiting import work_until_done
from market.accounts import creditcode, repository
from market.accounts.models import Organisation
from market.accounts.policy import HOLDERS, OrganisationKind
from market.accounts.work import Parts, writing
from market.catalog import views
from market.discovery import repository_judged
from market.discovery import service as discovery
from market.imports import service, showing
from market.imports.models import Kind, RunProblem, RunState
from market.kit import changes
from market.kit.errors import Invalid, NotFound
from market.kit.ids import ListingId, PublicId

KINDS = {
    "achievements": Kind.ACHIEVEMENT,
    "demands": Kind.DEMAND,
    "organisations": Kind.ORGANISATION,
    "contracts": Kind.CONTRACT,
}
LISTINGS = (Kind.ACHIEVEMENT, Kind.DEMAND)
SHOWN = 20
CHUNK = 500
POLL = 0.3  # seconds between two looks at how far an import is


def run(
    settings: Settings,
    parts: Parts,
    *,
    kind: str,
    code: str,
    name: str,
    stream: BinaryIO,
    publish: bool,
    wait: bool,
    quiet: bool,
    dry: bool = False,
) -> dict[str, Any]:
    """Start an import for an organisation and, with `wait`, see it indexed and matched.

    `dry` waits too, and writes nothing. Returns the counts, the notes and the refused rows.
    Raises NotFound, Invalid, TooLarge.
    """
    received = service.receive(parts.files, name, stream)
    with writing(parts, COMMAND_LINE, "import.use") as work:
        owner = _owner(work.session, KINDS[kind], code)
        run = service.start(work, owner.id, KINDS[kind], received, ask=dry, publish=publish)
        public_id = run.public_id
    if wait or dry:
        with _rows_bar(parts, public_id, quiet=quiet):
            work_until_done(settings, parts)
    found = result(parts, public_id)
    if found["state"] == RunState.REFUSED:
        raise Invalid(fields={"file": found["problem"]})
    if dry and found["state"] == "checked":
        with writing(parts, COMMAND_LINE, "import.use") as work:
            service.set_aside(work, service.run_of(parts, work.session, public_id).run)
    return found


def undo(
    settings: Settings, parts: Parts, public_id: str, *, wait: bool, quiet: bool
) -> dict[str, Any]:
    """Take back a whole import. Raises NotFound, Conflict where there is nothing to undo."""
    with writing(parts, COMMAND_LINE, "import.use") as work:
        run = service.run_of(parts, work.session, PublicId(public_id)).run
        service.begin_undo(work, run)
    if wait:
        wait_until_done(settings, parts, "撤销", quiet=quiet)
    return result(parts, PublicId(public_id))


def _owner(session: Session, kind: Kind, code: str) -> Organisation:
    """Return whose import it is: of records that the bureau keeps, the bureau's by default."""
    if not code and kind not in LISTINGS:
        bureau = repository.first_of_kind(session, OrganisationKind.BUREAU)
        if bureau is None:
            raise NotFound("还没有科技局，请先用 zhihe user create 建立，或用 --org 写明机构代码")
        return bureau
    owner = repository.organisation_by_code(session, creditcode.normalise(code)) if code else None
    if owner is None:
        raise NotFound(f"没有代码为{code}的机构，示范机构的代码可用 zhihe demo 列出")
    if kind in LISTINGS and owner.kind not in HOLDERS:
        raise Invalid(fields={"org": "成果和需求应属于高校或企业，这家机构不是"})
    return owner


def result(parts: Parts, public_id: PublicId) -> dict[str, Any]:
    with parts.database.read() as session:
        found = service.run_of(parts, session, public_id)
    counts = dict.fromkeys(("created", "updated", "unchanged", "refused"), 0)
    if found.state is RunState.READY:
        counts |= found.run.checked
    else:
        counts = {key: getattr(found.run, key) for key in counts}
    return {
        "id": public_id,
        "state": "checked" if found.state is RunState.READY else found.state,
        "rows": found.run.rows,
        **counts,
        "undone": found.run.undone,
        "kept": [{"row": one.row, "reason": one.kept} for one in found.kept],
        "ignored_columns": list(found.run.unknown),
        "problem": found.run.problem,
        "same_as": found.same_as.public_id if found.same_as else None,
        "errors": [
            {"row": one.row, "column": one.column, "reason": one.reason} for one in found.problems
        ],
    }


def lines(found: dict[str, Any]) -> list[str]:
    """Return a result as sentences for a person."""
    if found["state"] == RunState.WAITING:
        return [f"已排队，编号{found['id']}；由任务进程处理，加 --wait 可以等到完成"]
    if found["state"] == RunState.UNDOING:
        return ["已开始撤销，由任务进程处理，加 --wait 可以等到完成"]
    if found["state"] in (RunState.UNDONE, RunState.PARTLY):
        told = [f"已撤销{found['undone']}条，保留{len(found['kept'])}条"]
        return told + [f"  第{one['row']}行：{one['reason']}" for one in found["kept"]]
    counts = {"created": "新建", "updated": "更新", "unchanged": "没有变化", "refused": "未导入"}
    told = ["，".join(f"{label}{found[key]}条" for key, label in counts.items())]
    if found["state"] == "checked":
        told = [f"试导入，没有写入：{told[0]}"]
    if found["problem"]:
        told.append(found["problem"])
    if found["same_as"]:
        told.append(f"同样的文件以前导入过，编号{found['same_as']}")
    told += _wrong(found["errors"])
    if found["ignored_columns"]:
        told.append(f"没有用到的列：{'、'.join(found['ignored_columns'])}")
    if found["state"] == RunState.DONE and (found["created"] or found["updated"]):
        told.append(f"编号{found['id']}；要整次撤销：zhihe import undo {found['id']}")
    return told


def _wrong(errors: Sequence[dict[str, Any]]) -> list[str]:
    """Return what is wrong with rows, those with the same reason in one line."""
    alike = showing.alike(RunProblem(**one) for one in errors)
    told = [f"  {showing.rows_named(one.rows)} {one.column}：{one.reason}" for one in alike[:SHOWN]]
    if len(alike) > SHOWN:
        told.append(f"  另有{len(alike) - SHOWN}处，用 --json 看全部")
    return told


@contextmanager
def _rows_bar(parts: Parts, public_id: PublicId, *, quiet: bool) -> Iterator[None]:
    """Show on a bar how many rows are done, while the block works or waits."""
    if quiet:
        yield
        return
    over = threading.Event()
    with click.progressbar(length=1, label="导入", show_pos=True) as bar:

        def look() -> None:
            with parts.database.read() as session:
                found = service.run_of(parts, session, public_id)
            bar.length = max(1, found.run.rows)
            bar.update(found.done - bar.pos)

        def watch() -> None:
            while not over.wait(POLL):
                look()

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        look()


@contextmanager
def _bar(label: str, *, quiet: bool) -> Iterator[Any]:
    """Yield what to call with the number of things left; the bar grows as they go."""
    if quiet:
        yield None
        return
    with click.progressbar(length=1, label=label, show_eta=False) as bar:
        most = 1

        def left(count: int) -> None:
            nonlocal most
            most = max(most, count)
            bar.length = most
            bar.pos = most - count
            bar.update(0)

        yield left
        bar.pos = bar.length or 1
        bar.update(0)


def wait_until_done(settings: Settings, parts: Parts, label: str, *, quiet: bool) -> None:
    with _bar(label, quiet=quiet) as left:
        work_until_done(settings, parts, progress=left)


def match_status(parts: Parts) -> dict[str, int]:
    with parts.database.read() as session:
        status = discovery.match_status(session)
        return status | {"waiting": status["waiting"] + repository_judged.due_count(session)}


def reindex(settings: Settings, parts: Parts) -> int:
    """Owe every published listing to the index anew and wait; return how many there are."""
    after, count = ListingId(0), 0
    with writing(parts, COMMAND_LINE, "reindex"):
        pass  # one row of the audit, however many chunks
    while True:
        with parts.database.write() as session:
            ids = views.public_ids(session, after_id=after, limit=CHUNK)
            at = parts.clock.now()
            changes.record_many(
                session, changes.SubjectKind.LISTING, ids, "reindex", at=at, actor_id=None
            )
        if not ids:
            break
        after, count = ids[-1], count + len(ids)
    wait_until_done(settings, parts, "索引", quiet=False)
    return count
