"""Files made to harm cost little and harm nobody; large ones are read with flat memory."""

import io
import random
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psutil
import pytest

from market.kit import sheets
from market.kit.errors import Invalid
from market.kit.sheets import Limits, Shape
from tests.market.kit.sheets.cases import KNOWN, H
from tests.support.sheetfiles import (
    MAIN,
    Page,
    book,
    opendocument,
    packed,
    parts,
    rows,
    shared,
    strings,
)

SECONDS = 5
PATIENCE = 3  # times the bound: other work runs on the machine
MEMORY = 300 << 20
SHEET = "xl/worksheets/sheet1.xml"
GOOD = b"\xef\xbb\xbf" + "成果名称,持有单位\n甲,乙\n".encode()


class Watch:
    """Follows the processes that read files: their largest memory, their environments."""

    def __init__(self) -> None:
        self.peak = 0
        self.environments: list[dict[str, str]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        me = psutil.Process()
        while not self._stop.wait(0.01):
            for child in me.children():
                try:
                    if "market.kit.sheets.child" in child.cmdline():
                        status = Path(f"/proc/{child.pid}/status").read_text()
                        high = next(one for one in status.splitlines() if one.startswith("VmHWM"))
                        self.peak = max(self.peak, int(high.split()[1]) << 10)
                        self.environments.append(child.environ())
                except (psutil.Error, OSError, StopIteration):
                    continue

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def _repeated(block: bytes, times: int) -> bytes:
    """A raw deflate stream of a block many times over, made without unpacking it all."""
    maker = zlib.compressobj(9, zlib.DEFLATED, -15)
    once = maker.compress(block) + maker.flush(zlib.Z_FULL_FLUSH)
    return once * times + maker.flush()


def _archive(files: dict[str, bytes], name: str, stream: bytes, stated: int, crc: int = 0) -> bytes:
    """A workbook with one part given as a deflate stream, and the size that is stated for it."""
    out = bytearray(packed(files))
    end = out.rindex(b"PK\x05\x06")
    start = struct.unpack("<I", out[end + 16 : end + 20])[0]
    directory, tail, at = bytes(out[start:end]), bytearray(out[end:]), start
    del out[start:]
    title = name.encode()
    head = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(stream), stated, len(title), 0)
    out += b"PK\x03\x04" + head + title + stream
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + head
    entry += struct.pack("<HHHII", 0, 0, 0, 0, at) + title
    tail[8:12] = struct.pack("<HH", *[struct.unpack("<H", tail[8:10])[0] + 1] * 2)
    tail[12:20] = struct.pack("<II", len(directory) + len(entry), len(out))
    return bytes(out) + directory + entry + tail


def _workbook(name: str, block: bytes, megabytes: int, stated: int | None = None) -> bytes:
    files = {
        k: v
        for k, v in parts(Page(rows(H, ("甲", "乙", "1"))), texts=strings("<t>x</t>")).items()
        if k != name
    }
    times = max(1, (megabytes << 20) // len(_repeated(block, 1)))
    size = min(len(block) * times, 0xFFFFFFFE) if stated is None else stated
    return _archive(files, name, _repeated(block, times), size)


def _thousandfold(stated: int | None) -> Callable[[], bytes]:
    return lambda: _workbook(SHEET, b" " * (1 << 20), 10, stated)


def _blank_cells() -> bytes:
    """Ten megabytes of cells without content, packed just within what is let through."""
    head = f'<worksheet xmlns="{MAIN}"><sheetData>'.encode()
    noise = random.Random(7)
    cells = b"".join(
        b"<row>" + b"".join(b'<c s="%d"/>' % noise.randrange(40) for _ in range(9000)) + b"</row>"
        for _ in range(60)
    )
    maker = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = maker.compress(head) + maker.flush(zlib.Z_FULL_FLUSH)
    once = _repeated(cells, 1)[:-2]
    times = (10 << 20) // len(once)
    crc = zlib.crc32(head)
    for _ in range(times):
        crc = zlib.crc32(cells, crc)
    files = {k: v for k, v in parts(Page(rows(H))).items() if k != SHEET}
    return _archive(
        files, SHEET, stream + once * times + maker.flush(), len(head) + len(cells) * times, crc
    )


def _texts() -> bytes:
    block = "".join(f"<si><t>{n}</t></si>" for n in range(1000)).encode()
    head = f'<sst xmlns="{MAIN}">'.encode()
    return _workbook("xl/sharedStrings.xml", head + block * 60, 10)


def _spread() -> bytes:
    cell = '<table:table-cell table:number-columns-repeated="16384"><text:p>x</text:p></table:table-cell>'
    return opendocument(
        f'<table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row>'
    )


def _many_entries() -> bytes:
    return packed(parts(Page(rows(H))) | {f"xl/media/{n}": b"" for n in range(90_000)})


def _named_again(text: str, width: int, count: int) -> bytes:
    """A workbook of a few kilobytes in which every cell is the same shared text."""
    head = [H[0], *(f"列{n}" for n in range(1, width))]
    body = [[shared(0)] * width] * count
    return book(Page(rows(head, *body)), texts=strings(f"<t>{text}</t>"))


BOMBS = {
    "10 MB that unpack to 4 GB": _thousandfold(None),
    "10 MB that state 1 MB": _thousandfold(1 << 20),
    "10 MB that state a plausible size": _thousandfold(500 << 20),
    "10 MB of blank cells": _blank_cells,
    "10 MB of shared texts": _texts,
    "a table of 17 billion cells": _spread,
    "90,000 parts": _many_entries,
    "10 MB of quotes": lambda: GOOD + b'"\n' * (5 << 20),
    "10 MB of open quotes": lambda: GOOD + b'"a' * (5 << 20),
    "10 MB of commas": lambda: (b"," * 900_000 + b"\n") * 12,
    "10 MB of headings": lambda: (b"a," * 450_000 + b"\n") * 12,
    "one text of 32,767 characters in 19,998 rows": lambda: _named_again("甲" * 32_767, 1, 19_998),
    "one text of 100,000 characters in 2,500 cells": lambda: _named_again("A" * 100_000, 500, 5),
    "10 MB of brackets": lambda: b'{"a":' + b"[" * (10 << 20),
    "10 MB of bracket lines": lambda: (b'{"a":' + b"[" * 900_000 + b"\n") * 12,
    "10 MB of one line": lambda: b"a" * (10 << 20),
}


@contextmanager
def _neighbour(folder: Path) -> Iterator[list[Shape]]:
    """Someone else's file, read at the same time."""
    found: list[Shape] = []

    def run() -> None:
        found.append(sheets.convert(io.BytesIO(GOOD), "b.csv", folder / "other", known=KNOWN))

    thread = threading.Thread(target=run)
    thread.start()
    yield found
    thread.join()


@pytest.mark.parametrize("make", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_dealt_with_at_once(make: Callable[[], bytes], tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.xlsx"
    bomb.write_bytes(make())
    before = psutil.Process().memory_info().rss
    with Watch() as watch, _neighbour(tmp_path) as other:
        begun = time.monotonic()
        try:
            found: object = sheets.convert(bomb, bomb.name, tmp_path / "out", known=KNOWN)
        except Invalid as refused:
            found = refused.fields["file"]
        took = time.monotonic() - begun
    print(f"{took:.1f} s, {watch.peak >> 20} MB: {found}"[:300])
    assert took < SECONDS * PATIENCE
    assert watch.peak < MEMORY
    kept = (tmp_path / "out").stat().st_size
    assert kept <= max(64 << 20, 20 * bomb.stat().st_size)
    assert psutil.Process().memory_info().rss - before < 32 << 20
    assert [shape.rows for shape in other] == [1]
    # Rows that are each named as faulty are the one thing besides a refusal.
    if isinstance(found, Shape):
        with (tmp_path / "out").open("rb") as stream:
            assert all(row.problem or row.row == 2 for row in sheets.rows(stream))


LONG = GOOD + b",".join([b"x"] * 40) + b"\n" + (b"a," * 39 + b"a\n") * 60_000
MERGED = packed(
    parts(Page(rows(H, ("a",)), merges=[f"A{n}:A{n + 1}" for n in range(3, 500_005, 2)]))
)


@pytest.mark.parametrize(
    ("data", "limits", "words"),
    [
        (LONG, Limits(cpu=1), "用的时间超过了限度"),
        (LONG, Limits(wall=1), "现在超时了"),
        (LONG, Limits(output=1 << 20), "展开后应不超过1 MB"),
        (LONG, Limits(rows=1000), "一次最多导入1,000行"),
        (MERGED, Limits(memory=80 << 20), "太大"),
    ],
)
def test_limits_end_the_reading(data: bytes, limits: Limits, words: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refused:
        sheets.convert(io.BytesIO(data), "a", tmp_path / "out", known=("x",), limits=limits)
    assert words in refused.value.fields["file"]
    assert not [one for one in psutil.Process().children() if "sheets.child" in str(one.cmdline())]


def test_the_reading_process_has_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHIHE_SECRET", "not for files")
    data = GOOD + b"a,b\n" * 100_000
    with Watch() as watch:
        sheets.convert(io.BytesIO(data), "a.csv", tmp_path / "out", known=KNOWN)
    assert watch.environments
    assert all(set(one) <= {"PYTHONPATH", "PYTHONUTF8"} for one in watch.environments)


HEADINGS = (*H, *(f"列{n}" for n in range(9)))


def _many(count: int) -> Iterator[tuple[str, ...]]:
    noise = random.Random(5)
    for n in range(count):
        yield (
            f"第{n}项石墨烯复合材料的制备方法", f"第{n % 300}研究院", f"{noise.randint(1, 999)}万元",
            "一种面向工业现场的方法，" * 5 + str(n), "石墨烯、复合材料", "2025-03-01", "500106",
            f"{noise.random()}", f"{n}", "是", "", "新材料",
        )  # fmt: skip


def _measure(tmp_path: Path, form: str, count: int) -> tuple[float, int]:
    given, out = tmp_path / f"many.{form}", tmp_path / "rows"
    with given.open("wb") as stream:
        write = sheets.write_xlsx if form == "xlsx" else sheets.write_csv
        write(stream, HEADINGS, _many(count))
    with Watch() as watch:
        begun = time.monotonic()
        shape = sheets.convert(given, given.name, out, known=KNOWN)
        took = time.monotonic() - begun
    assert shape.rows == count
    with out.open("rb") as stream:
        for expected, row in zip(_many(count), sheets.rows(stream), strict=True):
            assert row.cells == expected
    return took, watch.peak


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_memory_does_not_grow_with_rows(form: str, tmp_path: Path) -> None:
    _, few = _measure(tmp_path, form, 1_000)
    _, many = _measure(tmp_path, form, 15_000)
    assert many - few < 16 << 20


@pytest.mark.full
@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_two_hundred_thousand_rows(
    form: str, tmp_path: Path, verified: Callable[..., None]
) -> None:
    """Under two minutes for both forms."""
    took, peak = _measure(tmp_path, form, 200_000)
    verified(
        f"读{form}表格",
        how_many="200,000行×12列",
        result=f"{took:.0f}秒，读表进程最多占{peak >> 20}MB内存",
        seed=5,
    )
    assert took < 60
    assert peak < MEMORY
