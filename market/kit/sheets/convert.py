"""Any spreadsheet file, read in a process of its own.

A file comes from outside and may be made to harm: the process that reads it has no secrets in its
environment, little memory, little time and low priority, and nobody waits for it for ever. It
writes rows to a file and a few lines about them to another; nothing of the file's size ever
stands in the memory of the process that asks.
"""

import json
import logging
import subprocess
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, Final

from market.kit.errors import Invalid, Unavailable
from market.kit.sheets.shape import Limits, Shape

_ROOT: Final = Path(__file__).resolve().parents[3]
_ANSWER: Final = 1 << 20  # bytes; what the process says is far shorter
_BLOCK: Final = 1 << 20
_log = logging.getLogger(__name__)


def convert(
    source: Path | BinaryIO,
    name: str,
    out: Path | BinaryIO,
    *,
    known: Iterable[str] = (),
    limits: Limits | None = None,
) -> Shape:
    """Read a file of any kind into a normalised one (`rows`), and tell what it was.

    `known` are headings under which the caller recognises columns, in any spelling that `folded`
    makes equal: by them the header's row and the sheet are chosen. `source` is read from its
    start, and its position afterwards is undefined. `out` is written from its start.

    Raises Invalid at `file` with a sentence that says what is wrong and what would be right;
    Unavailable where the disk is full.
    """
    limits = limits or Limits()
    request = json.dumps({"name": name, "known": sorted(set(known)), "limits": asdict(limits)})
    with ExitStack() as stack:
        given = _on_disk(stack, source)
        kept = stack.enter_context(out.open("w+b")) if isinstance(out, Path) else out
        said = stack.enter_context(TemporaryFile())
        asked = stack.enter_context(TemporaryFile())
        asked.write(request.encode())
        asked.seek(0)
        code = _run(given, kept, said, asked, limits)
        said.seek(0)
        return _answer(code, said.read(_ANSWER), limits)


def _on_disk(stack: ExitStack, source: Path | BinaryIO) -> BinaryIO:
    if isinstance(source, Path):
        return stack.enter_context(source.open("rb"))
    source.seek(0)
    try:
        source.fileno()
    except OSError:
        copy: BinaryIO = stack.enter_context(TemporaryFile())  # noqa: SIM115  the stack closes it
        while block := source.read(_BLOCK):
            copy.write(block)
        copy.seek(0)
        return copy
    return source


def _run(
    given: BinaryIO, kept: BinaryIO, said: BinaryIO, asked: BinaryIO, limits: Limits
) -> int | None:
    """Run the reading process to its end; return its exit code, None where it took too long."""
    kept.seek(0)
    kept.truncate()
    kept.flush()
    fds = (given.fileno(), kept.fileno(), asked.fileno())
    process = subprocess.Popen(  # noqa: S603  our own interpreter and module
        [sys.executable, "-s", "-P", "-m", "market.kit.sheets.child", *map(str, fds)],
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=subprocess.DEVNULL,
        pass_fds=fds,
        env={"PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1"},
        start_new_session=True,
    )
    try:
        return process.wait(timeout=limits.wall)
    except subprocess.TimeoutExpired:
        return None
    finally:
        process.kill()
        process.wait()


def _answer(code: int | None, said: bytes, limits: Limits) -> Shape:
    try:
        answer = json.loads(said)
    except ValueError:
        answer = {}
    if code == 0 and "shape" in answer:
        return Shape.of(answer["shape"])
    if "refused" in answer:
        raise Invalid(fields={"file": answer["refused"]})
    if "full" in answer:
        raise Unavailable("服务器的存储空间不够，文件没有读；请稍后再试或联系运营人员")
    _log.warning(
        "reading a spreadsheet ended with %s",
        "a timeout" if code is None else answer.get("crashed", code),
    )
    if code is None:
        sentence = f"读这个文件应在{limits.wall}秒之内，现在超时了；请分成几个小一些的文件"
    else:
        sentence = (
            "文件应是普通的表格，现在它太大或内部结构异常，读到一半停了；请用Excel另存为新的xlsx"
        )
    raise Invalid(fields={"file": sentence})
