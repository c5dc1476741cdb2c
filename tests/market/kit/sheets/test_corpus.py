"""Every file of the corpus, each with exactly the result that it must have."""

import io
from pathlib import Path

import pytest

from market.kit import sheets
from market.kit.errors import Invalid
from tests.market.kit.sheets.cases import KNOWN, Case
from tests.market.kit.sheets.corpus_refused import REFUSED
from tests.market.kit.sheets.corpus_text import TEXT
from tests.market.kit.sheets.corpus_xlsx import XLSX

CORPUS = [*XLSX, *TEXT, *REFUSED]


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_file(case: Case, tmp_path: Path) -> None:
    out = tmp_path / "rows"
    if case.refused:
        with pytest.raises(Invalid) as refused:
            sheets.convert(io.BytesIO(case.make()), case.file, out, known=KNOWN)
        assert refused.value.fields == {"file": case.refused}
        return
    shape = sheets.convert(io.BytesIO(case.make()), case.file, out, known=KNOWN)
    with out.open("rb") as stream:
        found = list(sheets.rows(stream))
    content = [(one.row, one.cells if shape.table or one.problem else one.values) for one in found]
    assert content == list(case.rows)
    assert {(one.row, c): why for one in found for c, why in one.faults.items()} == case.faults
    assert {one.row: one.problem for one in found if one.problem} == case.problems
    assert (shape.header, shape.header_row) == (tuple(case.header), case.header_row)
    assert shape.notes == tuple(case.notes)
    assert (shape.format, shape.encoding, shape.sheet) == (case.kind, case.encoding, case.sheet)
    assert (shape.other_sheets, shape.rows) == (tuple(case.others), len(found))
    assert sheets.Shape.of(shape.payload()) == shape


def test_the_corpus_is_what_the_issue_asks_for() -> None:
    assert len({case.name for case in CORPUS}) == len(CORPUS) >= 60
