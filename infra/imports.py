"""Imports and matching from the command line: start, wait with a progress bar, report."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import click

from infra.settings import Settings
from infra.users import COMMAND_LINE
from infra.waiting import work_until_done
from market.accounts import creditcode, repository
from market.accounts.policy import HOLDERS
from market.accounts.work import Parts, writing
from market.catalog import imports, views
from market.catalog.vocabulary import ListingKind
from market.discovery import service as discovery
from market.kit import changes
from market.kit.errors import Invalid, NotFound
from market.kit.ids import ListingId, PublicId

KINDS = {"achievements": ListingKind.ACHIEVEMENT, "demands": ListingKind.DEMAND}
SHOWN = 20
CHUNK = 500


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
) -> dict[str, Any]:
    """Start an import for an organisation and, with `wait`, see it indexed and matched.

    Returns the counts, the notes and the refused rows. Raises NotFound, Invalid, TooLarge.
    """
    with writing(parts, COMMAND_LINE, "listing.import") as work:
        organisation = repository.organisation_by_code(work.session, creditcode.normalise(code))
        if organisation is None:
            raise NotFound(f"没有代码为{code}的机构，示范机构的代码可用 zhihe demo 列出")
        if organisation.kind not in HOLDERS:
            raise Invalid(fields={"org": "成果和需求应属于高校或企业，这家机构不是"})
        started = imports.start_import(
            work, organisation.id, KINDS[kind], stream, name, publish=publish
        )
        public_id = started.public_id
    if wait:
        wait_until_done(settings, parts, quiet=quiet)
    return result(parts, public_id)


def result(parts: Parts, public_id: PublicId) -> dict[str, Any]:
    with parts.database.read() as session:
        found = imports.result_of(session, public_id)
    return {
        "state": found.state,
        "rows": found.rows,
        "created": found.created,
        "updated": found.updated,
        "unchanged": found.unchanged,
        "refused": found.refused,
        "ignored_columns": list(found.unknown),
        "errors": [
            {"row": one.row, "column": one.column, "reason": one.reason} for one in found.errors
        ],
    }


def lines(found: dict[str, Any]) -> list[str]:
    """Return a result as sentences for a person."""
    if found["state"] == "waiting":
        return [f"已排队，共{found['rows']}行；由任务进程处理，加 --wait 可以等到完成"]
    counts = {"created": "新建", "updated": "更新", "unchanged": "没有变化", "refused": "未导入"}
    told = ["，".join(f"{label}{found[key]}条" for key, label in counts.items())]
    told += [
        f"  第{one['row']}行 {one['column']}：{one['reason']}" for one in found["errors"][:SHOWN]
    ]
    if len(found["errors"]) > SHOWN:
        told.append(f"  另有{len(found['errors']) - SHOWN}处，用 --json 看全部")
    if found["ignored_columns"]:
        told.append(f"没有用到的列：{'、'.join(found['ignored_columns'])}")
    return told


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Any]:
    """Yield what to call with the number of things left; the bar grows as they go."""
    if quiet:
        yield None
        return
    with click.progressbar(length=1, label="导入、索引、匹配", show_eta=False) as bar:
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


def wait_until_done(settings: Settings, parts: Parts, *, quiet: bool) -> None:
    with _bar(quiet=quiet) as left:
        work_until_done(settings, parts, progress=left)


def match_status(parts: Parts) -> dict[str, int]:
    with parts.database.read() as session:
        return discovery.match_status(session)


def reindex(settings: Settings, parts: Parts) -> int:
    """Owe every published listing to the index anew and wait; return how many there are."""
    after, count = ListingId(0), 0
    while True:
        with writing(parts, COMMAND_LINE, "reindex") as work:
            ids = views.public_ids(work.session, after_id=after, limit=CHUNK)
            changes.record_many(
                work.session,
                changes.SubjectKind.LISTING,
                ids,
                "reindex",
                at=work.now,
                actor_id=None,
            )
        if not ids:
            break
        after, count = ids[-1], count + len(ids)
    wait_until_done(settings, parts, quiet=False)
    return count
