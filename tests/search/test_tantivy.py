"""The contract on tantivy, and what only an index in a folder has: locks, crashes, other processes."""

from pathlib import Path

import pytest

from search.document import Document
from search.engines.tantivy import TantivyEngine
from search.errors import SearchUnavailable, WriterBusy
from search.query import All, SearchRequest
from search.schema import Schema, TextField
from tests.search.contract import EngineContract
from tests.search.generate import SCHEMA
from tests.search.killed import KilledWriters

OPENING = """
from pathlib import Path
from search.engines.tantivy import TantivyEngine
from tests.search.generate import SCHEMA

engine = TantivyEngine(Path({folder!r}), SCHEMA, read_only=False)
"""


class TestTantivy(EngineContract, KilledWriters):
    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> TantivyEngine:
        return TantivyEngine(folder, SCHEMA, read_only=read_only)

    @classmethod
    def opening(cls, folder: Path) -> str:
        return OPENING.format(folder=str(folder))


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    engine = TantivyEngine(tmp_path, SCHEMA, read_only=False)
    with pytest.raises(WriterBusy):
        TantivyEngine(tmp_path, SCHEMA, read_only=False)
    engine.close()
    TantivyEngine(tmp_path, SCHEMA, read_only=False).close()


def test_a_reader_may_come_before_the_index(tmp_path: Path) -> None:
    reader = TantivyEngine(tmp_path / "later", SCHEMA, read_only=True)
    with pytest.raises(SearchUnavailable):
        reader.search(SearchRequest())
    writer = TantivyEngine(tmp_path / "later", SCHEMA, read_only=False)
    assert reader.count() == 0
    writer.write([Document(1, 1)])
    assert reader.count() == 1
    writer.close()


def test_another_schema_begins_an_index_of_its_own(tmp_path: Path) -> None:
    engine = TantivyEngine(tmp_path, SCHEMA, read_only=False)
    engine.write([Document(1, 1)])
    other = TantivyEngine(tmp_path, Schema(texts=(TextField("title"),)), read_only=False)
    assert (engine.count(), other.count()) == (1, 0)
    engine.close()
    other.close()


def test_half_an_index_is_an_error_that_passes(tmp_path: Path) -> None:
    engine = TantivyEngine(tmp_path, SCHEMA, read_only=False)
    engine.write([Document(1, 1)])
    meta = next(tmp_path.glob("*/meta.json"))
    whole = meta.read_text()
    meta.write_text("{")
    with pytest.raises(SearchUnavailable):
        engine.search(SearchRequest(All()))
    meta.write_text(whole)
    assert engine.search(SearchRequest(All())).total == 1
    engine.close()


def test_scanning_reads_one_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.engines.tantivy._AT_ONCE", 10)
    engine = TantivyEngine(tmp_path, SCHEMA, read_only=False)
    engine.write([Document(key, 1) for key in range(1, 101)])
    scan = iter(engine.scan())
    first = next(scan)
    engine.write([Document(key, 2) for key in range(50, 150)])
    assert [first, *scan] == [(key, 1) for key in range(1, 101)]
    assert len(list(engine.scan())) == 149
    assert len(engine.versions(range(1, 150))) == 149
    engine.close()
