"""Everything that must agree, looked at in one go: `zhihe audit`.

The database is read in one state, files and index after it; whoever writes meanwhile is not held up
and makes no false alarm.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from sqlmodel import Session

from infra.backup import Heard, files_lock, sqlite_file
from infra.migrate import revisions
from infra.settings import PREFIX, Settings
from infra.wiring import build_parts, close_parts, open_reader
from market.accounts.work import Parts
from market.discovery.audit import audit_index
from market.jobs import AUDITS
from market.kit import dump, files, soundness
from market.kit.across import Finding
from market.kit.errors import Conflict, NotFound
from market.kit.sweep import YOUNG, contents, sweep, unnamed
from market.ledger import audit as ledger
from market.ledger import heads
from market.waiting import put_right

_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Report:
    """What does not agree, and what is only worth knowing. `seconds` by step."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": not self.findings,
            "findings": [asdict(one) for one in self.findings],
            "notes": list(self.notes),
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
        }

    def lines(self) -> list[str]:
        if not self.findings:
            return [*self.notes, "核对完毕，全部一致"]
        told = [f"{one.where}：{one.what}\n  {one.remedy}" for one in self.findings[:_SHOWN]]
        if (more := len(self.findings) - _SHOWN) > 0:
            told.append(f"另有{more}处，用 --json 看全部")
        return [*self.notes, *told, f"核对完毕，有{len(self.findings)}处不一致"]


def audit(settings: Settings, heard: Heard) -> Report:
    """Look at everything. Raises NotFound where there is no database."""
    if (file := sqlite_file(settings)) is not None and not file.exists():
        raise NotFound(f"{file} 不存在，没有可以核对的内容。请检查{PREFIX}DATA_DIR")
    parts = build_parts(settings)
    try:
        return look(settings, parts, heard)
    finally:
        close_parts(parts)


def look(settings: Settings, parts: Parts, heard: Heard) -> Report:
    """Look at everything by open parts."""
    if behind := _behind(parts):
        return Report((behind,))
    with parts.database.read() as session:
        heads.remember(session)
        steps: dict[str, Callable[[], Iterator[Finding]]] = {
            "数据库": lambda: _database(session),
            **{name: _of(each, session) for name, each in AUDITS.items()},
            "变更和任务": lambda: _processes(parts, session),
        }
        findings, seconds = _run(steps, heard)
    more, later = _run(
        {"文件": lambda: _files(parts), "索引": lambda: _index(settings, parts)}, heard
    )
    return Report((*findings, *more), _notes(parts), seconds | later)


def repaired(settings: Settings) -> int:
    """Make the open tasks what the nouns say waits; return how many were not."""
    parts = build_parts(settings)
    try:
        with parts.database.write() as session:
            return put_right(session, parts.clock.now())
    finally:
        close_parts(parts)


def swept(settings: Settings, report: Report) -> Report:
    """Remove bytes that no row names and that were saved more than a day ago, and say so."""
    lock = files_lock(settings)
    if not lock.take():
        raise Conflict("另一个备份或清理正在进行，请等它结束后再试")
    parts = build_parts(settings)
    try:
        gone = sweep(parts.database, parts.files, parts.clock.now())
        return replace(report, notes=(f"已删去{gone}份没有记录引用的文件内容", *_notes(parts)))
    finally:
        close_parts(parts)
        lock.release()


def _run(
    steps: dict[str, Callable[[], Iterator[Finding]]], heard: Heard
) -> tuple[list[Finding], dict[str, float]]:
    found: list[Finding] = []
    seconds = {}
    for name, step in steps.items():
        begun = time.monotonic()
        found += step()
        seconds[name] = time.monotonic() - begun
        heard(f"核对{name}", 1, 1)
    return found, seconds


def _of(
    each: Callable[[Session], Iterator[Finding]], session: Session
) -> Callable[[], Iterator[Finding]]:
    return lambda: each(session)


def _behind(parts: Parts) -> Finding | None:
    with parts.database.reader.connect() as connection:
        present = dump.revision(connection)
    newest = revisions()[0]
    if present == newest:
        return None
    remedy = "请运行 zhihe migrate" if present in (None, *revisions()) else "请用更新的程序"
    return Finding("数据库", f"数据结构是{present or '空的'}，这个程序需要{newest}", remedy)


def _database(session: Session) -> Iterator[Finding]:
    yield from soundness.database(session)
    yield from soundness.guarded(session)


def _processes(parts: Parts, session: Session) -> Iterator[Finding]:
    now = parts.clock.now()
    yield from soundness.change_log(session, now)
    yield from soundness.jobs(session, now)
    yield from ledger.unsigned(session, now)


def _files(parts: Parts) -> Iterator[Finding]:
    """Yield a finding for bytes that are gone or not what they were, of all that rows name."""
    with parts.database.reader.connect() as connection:
        wanted = contents(connection)
    bad = {one: what for one, size in wanted.items() if (what := _wrong(parts, one, size))}
    if not bad:
        return
    with parts.database.reader.connect() as connection:
        still = contents(connection)  # a row that went meanwhile took its bytes along
    for sha256, what in sorted(bad.items()):
        if sha256 in still:
            remedy = (
                "请从备份里取出同名的内容（files/ 下）放回数据目录的 files 里，或请上传者重新上传"
            )
            yield Finding(f"文件 {sha256}", what, remedy)


def _wrong(parts: Parts, sha256: str, size: int) -> str:
    digest, read = hashlib.sha256(), 0
    try:
        for piece in files.blocks(parts.files.open(sha256)):
            digest.update(piece)
            read += len(piece)
    except NotFound:
        return "内容不在存储里"
    except OSError as error:
        return f"内容读不出来：{error.strerror}"
    if read != size:
        return f"内容是{read}字节，应为{size}字节"
    return "" if digest.hexdigest() == sha256 else "内容已被改动"


def _index(settings: Settings, parts: Parts) -> Iterator[Finding]:
    with closing(open_reader(settings)) as engine:
        yield from audit_index(parts, engine)


def _notes(parts: Parts) -> tuple[str, ...]:
    count = sum(1 for _ in unnamed(parts.database, parts.files))
    if not count:
        return ()
    hours = int(YOUNG.total_seconds() // 3600)
    what = f"有{count}份文件内容没有记录引用，不影响使用"
    return (f"{what}；存放{hours}小时以上的会在夜间删去，也可用 zhihe audit --sweep 删去",)
