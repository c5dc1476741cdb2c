"""What is written reads back the same, and can be read from any row on."""

import csv
import io
import unicodedata
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market.kit import sheets
from market.kit.sheets.lines import clean
from market.kit.sheets.writing import neutral, plain
from tests.market.kit.sheets.cases import KNOWN, H

_CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(
    "=+-@'\"\n\t,;|_x0041_ \u3000０Ａ"
)
_TEXT = st.text(_CHARACTERS, max_size=30) | st.sampled_from(
    (
        "=1+1",
        "'=1",
        "''-2",
        '="007"',
        "@SUM(A1)",
        "_x000D_",
        "#REF!",
        "1E+20",
        "<b>&amp;",
        "\u202egnp.exe",
        "sep=;",
        "😀",
    )
)
# The first cell keeps a row from being blank, a total, a remark or the header again.
_ROWS = st.lists(st.tuples(_TEXT.map("甲".__add__), _TEXT, _TEXT), min_size=1, max_size=40)


def _written(form: str, rows: Sequence[Sequence[str]]) -> bytes:
    out = io.BytesIO()
    (sheets.write_xlsx if form == "xlsx" else sheets.write_csv)(out, H, rows)
    return out.getvalue()


@pytest.mark.parametrize("form", ["xlsx", "csv"])
@given(rows=_ROWS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_written_reads_back_the_same(
    form: str, tmp_path: Path, rows: list[tuple[str, str, str]]
) -> None:
    out = tmp_path / "rows"
    shape = sheets.convert(io.BytesIO(_written(form, rows)), f"a.{form}", out, known=KNOWN)
    assert (shape.format, shape.header, shape.header_row, shape.notes) == (form, H, 1, ())
    with out.open("rb") as stream:
        found = [(row.row, row.cells, row.problem) for row in sheets.rows(stream)]
    assert found == [(number, tuple(map(clean, row)), "") for number, row in enumerate(rows, 2)]


@given(_TEXT)
def test_neutralising_loses_nothing(text: str) -> None:
    assert plain(neutral(text)) == text
    assert neutral(text)[:1] not in tuple("=+-@\t\r\n")


def test_no_cell_is_a_formula_or_a_link() -> None:
    hostile = (
        "=HYPERLINK(1)",
        "+1",
        "-1",
        "@x",
        "\t=1",
        "http://example.com",
        "{=1}",
        "mailto:a@b",
    )
    rows = [[text, "", ""] for text in hostile]
    with zipfile.ZipFile(io.BytesIO(_written("xlsx", rows))) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert "hyperlink" not in sheet
        assert not [name for name in archive.namelist() if "externalLink" in name]
    read = csv.reader(io.StringIO(_written("csv", rows).decode("utf-8-sig")))
    assert not [cell for row in read for cell in row if cell[:1] in tuple("=+-@\t\r")]


def test_a_cell_too_long_for_the_format_is_said() -> None:
    with pytest.raises(ValueError, match="row 2, column 1"):
        _written("xlsx", [["字" * (sheets.MAX_XLSX_CELL + 1)]])


def test_rows_go_on_from_where_a_chunk_ended(tmp_path: Path) -> None:
    out = tmp_path / "rows"
    rows = [(f"第{n}项", "甲\n乙", "") for n in range(25)]
    sheets.convert(io.BytesIO(_written("csv", rows)), "a.csv", out, known=KNOWN)
    with out.open("rb") as stream:
        whole = list(sheets.rows(stream))
        found, offset = [], 0
        while chunk := list(sheets.rows(stream, offset, 4)):
            assert len(chunk) <= 4
            found += chunk
            offset = chunk[-1].end
    assert found == whole
    assert [row.row for row in found] == list(range(2, 27))


def test_one_bad_row_in_a_thousand(tmp_path: Path) -> None:
    lines = [",".join(H), *(f"第{n}项,甲,{n}" for n in range(1000))]
    lines[500] = '"第499项,甲,499'
    out = tmp_path / "rows"
    data = "\r\n".join(lines).encode("gb18030")
    shape = sheets.convert(io.BytesIO(data), "a.csv", out, known=KNOWN)
    with out.open("rb") as stream:
        found = list(sheets.rows(stream))
    assert shape.rows == len(found) == 1000
    assert [row.row for row in found if row.problem] == [501]
    assert found[-1].cells == ("第999项", "甲", "999")


def test_headings_are_compared_without_their_dress() -> None:
    for written in ("成果名称", " 成果 名称：", "*成果名称", "成果\n名称", "成果名称"):
        assert sheets.folded(written) == "成果名称"
    assert sheets.folded("价格（万元）") == unicodedata.normalize("NFKC", "价格（万元）")
