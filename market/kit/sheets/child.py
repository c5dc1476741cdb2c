"""The process that reads one file: `python -m market.kit.sheets.child SOURCE OUT REQUEST`.

The three are open file descriptors. It limits itself before it looks at the file, writes rows to
OUT and one JSON object to standard output: {"shape": …}, {"refused": sentence}, {"full": true}
where the disk is, or {"crashed": class}.
"""

import errno
import json
import os
import resource
import signal
import sys
from typing import Any, BinaryIO

from market.kit.sheets import objects
from market.kit.sheets.content import kind_of, note_on_ending
from market.kit.sheets.kept import Kept
from market.kit.sheets.lines import Sheet
from market.kit.sheets.packed import Packed
from market.kit.sheets.separated import SeparatedSheet
from market.kit.sheets.shape import Limits, Shape, Unreadable, folded
from market.kit.sheets.table import Writer, choose, left_aside
from market.kit.sheets.text_lines import NAMES
from market.kit.sheets.xlsx import Book

_TOO_MUCH = "文件应是普通的表格，现在它太大，读它要的内存超过了限度；请分成几个文件，另存为新的xlsx"
_TOO_SLOW = "读这个文件用的时间超过了限度；请分成几个小一些的文件，另存为新的xlsx"


def _limit(limits: Limits) -> None:
    def out_of_time(*_: object) -> None:
        raise Unreadable(_TOO_SLOW)

    signal.signal(signal.SIGXCPU, out_of_time)
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu, limits.cpu + 2))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.output, limits.output))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    signal.alarm(limits.wall + 5)  # should the asking process be gone
    os.nice(10)


def read(
    source: BinaryIO, name: str, known: frozenset[str], limits: Limits, out: BinaryIO
) -> Shape:
    """Write a file's rows to `out`. Raises Unreadable."""
    kept = Kept(out, limits.written(os.fstat(source.fileno()).st_size))
    kind = kind_of(source, limits)
    if kind == "jsonl":
        shape = objects.convert(source, limits, kept)
        return _with_notes(shape, note_on_ending(name, kind))
    encoding = delimiter = ""
    sheets: list[Sheet]
    if kind == "csv":
        text = SeparatedSheet(source, known)
        encoding, delimiter, sheets = NAMES[text.encoding], text.delimiter, [text]
    elif kind == "xlsx":
        sheets = [*Book(Packed(source, limits), limits).sheets]
    else:
        from market.kit.sheets import calamine  # noqa: PLC0415  only these two need its memory

        sheets = [*calamine.sheets(source)]
    sheet, header = choose(sheets, known)
    writer = Writer(header, limits, kept, strict=kind == "csv")
    writer.write(sheet)
    others, notes = left_aside(sheets, sheet)
    return Shape(
        format=kind,
        encoding=encoding,
        delimiter=delimiter,
        sheet=sheet.name,
        other_sheets=others,
        header=header.headings,
        header_row=header.row,
        rows=writer.count,
        notes=(*note_on_ending(name, kind), *notes, *writer.notes),
    )


def _with_notes(shape: Shape, notes: list[str]) -> Shape:
    return Shape.of(shape.payload() | {"notes": [*notes, *shape.notes]})


def _answer(given: int, kept: int, asked: int) -> dict[str, Any]:
    with os.fdopen(asked, "rb") as stream:
        request = json.load(stream)
    limits = Limits(**request["limits"])
    known = frozenset(filter(None, map(folded, request["known"])))
    _limit(limits)
    try:
        with os.fdopen(given, "rb") as source, os.fdopen(kept, "wb", 1 << 20) as out:
            return {"shape": read(source, request["name"], known, limits, out).payload()}
    except Unreadable as refused:
        return {"refused": str(refused)}
    except MemoryError:
        return {"refused": _TOO_MUCH}
    except OSError as error:
        if error.errno == errno.EFBIG:
            return {"refused": _TOO_MUCH}
        return {"full": True} if error.errno == errno.ENOSPC else {"crashed": repr(error.errno)}
    except Exception as error:  # noqa: BLE001  the file made us fail; the asking process tells
        return {"crashed": type(error).__name__}


if __name__ == "__main__":
    print(json.dumps(_answer(*map(int, sys.argv[1:4]))))  # noqa: T201  the answer
