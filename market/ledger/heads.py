"""The heads of the chains outside the database: whoever has all of it, and no key, can still cut
off its end or put an old copy in its place; a head that was signed before tells.

A seal is a row, written in the transaction that reads the heads, and a file of the same words,
written after it. Files are never written over. One for each night and each month that closes.
"""

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlmodel import Session

from market.kit.errors import Conflict
from market.kit.files import names_to_disk
from market.ledger import chain, repository, repository_verify
from market.ledger.models import Cause, Chain, Seal

_REMEMBERED: Final = "ledger heads"
_PATIENCE: Final = 1.0
"""Seconds for which a file is waited for whose row stands: it is written just after."""

Told = Mapping[str, Any]
"""What a seal says, as it stands in its file, with its `signature`."""


def seal(
    session: Session,
    cause: Cause,
    *,
    at: datetime,
    month: str | None = None,
    figures: Mapping[str, Any] | None = None,
    reason: str = "",
) -> Seal:
    """Sign the heads as they are now. Raises Conflict without the key.

    `write_files` follows when the transaction has ended.
    """
    heads = {one: repository.lock_head(session, one) for one in Chain}
    key = chain.key_for(session, next((one.key_id for one in heads.values() if one.key_id), ""))
    rows = repository_verify.seals(session)
    files = read_files(chain.keeping(session).heads)
    last = max([row.number for row in rows] + [*files], default=0)
    resumes = _whole_until(row.number for row in rows) if cause is Cause.RESTORED else None
    content: dict[str, Any] = {
        "number": last + 1,
        "cause": cause,
        "month": month,
        "at": at,
        "heads": {name: [one.seq, one.hash] for name, one in heads.items() if one.seq},
        "figures": dict(figures or {}),
        "resumes": resumes,
        "reason": reason,
        "key_id": key.id,
        "previous": files[last]["signature"]
        if last in files
        else (rows[-1].signature if rows else ""),
    }
    row = Seal(**content, signature=key.signature(content))
    session.add(row)
    session.flush()
    return row


def _whole_until(numbers: Iterable[int]) -> int:
    """Return up to which number none is missing: what was lost begins after it."""
    last = 0
    for number in numbers:
        if number != last + 1:
            break
        last = number
    return last


def told(row: Seal) -> dict[str, Any]:
    """Return what stands in the file of a seal."""
    written: dict[str, Any] = json.loads(chain.canonical(row.model_dump(exclude={"id"})))
    return written


def write_files(session: Session) -> int:
    """Write the files that are missing of the seals; return how many. Raises Conflict where there
    is no place for them.
    """
    folder = chain.keeping(session).heads
    if folder is None:
        raise Conflict("没有账头文件的存放处")
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for row in repository_verify.seals(session):
        target = folder / _name(row.number)
        if not target.exists():
            _write(target, told(row))
            written += 1
    if written:
        names_to_disk(folder)
    return written


def _name(number: int) -> str:
    return f"{number:08d}.json"


def _write(target: Path, content: Told) -> None:
    """Write a file whole or not at all, never over another, and let nobody change it."""
    descriptor, name = tempfile.mkstemp(prefix="head-", dir=target.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, sort_keys=True, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o440)
        with contextlib.suppress(FileExistsError):
            target.hardlink_to(name)
    finally:
        Path(name).unlink()


def read_files(folder: Path | None) -> dict[int, Told]:
    """Return what the files say by their numbers; of one that cannot be read, {}."""
    if folder is None or not folder.is_dir():
        return {}
    return {int(path.stem): _read(path) for path in sorted(folder.glob("*.json")) if _ours(path)}


def _ours(path: Path) -> bool:
    return path.stem.isascii() and path.stem.isdecimal()


def _read(path: Path) -> Told:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    return found if isinstance(found, dict) and "signature" in found else {"signature": ""}


def remember(session: Session) -> None:
    """Read the files before the session chooses the state that it sees: what is written later has
    no row in it.
    """
    session.info[_REMEMBERED] = read_files(chain.keeping(session).heads)


def remembered(session: Session, wanted: set[int]) -> dict[int, Told]:
    """Return the files as remembered, and those of these numbers that came since."""
    folder = chain.keeping(session).heads
    files = dict(session.info.get(_REMEMBERED) or read_files(folder))
    until = time.monotonic() + _PATIENCE
    while folder is not None and wanted - files.keys():
        later = read_files(folder)
        files |= {number: later[number] for number in wanted & later.keys()}
        if time.monotonic() > until or not wanted - files.keys():
            break
        time.sleep(0.1)
    return files
