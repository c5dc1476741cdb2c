"""The contract on tantivy, and what only an index in a folder has: locks, crashes, other processes."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from search.document import Document
from search.engines.tantivy import TantivyEngine
from search.errors import SearchUnavailable, WriterBusy
from search.query import All, SearchRequest
from search.schema import Schema, TextField
from tests.search.contract import EngineContract
from tests.search.generate import SCHEMA

ROOT = Path(__file__).parents[2]
CHILD = """
import sys
from pathlib import Path
from search.document import Document
from search.engines.tantivy import TantivyEngine
from tests.search.generate import SCHEMA

engine = TantivyEngine(Path(sys.argv[1]), SCHEMA, read_only=False)
batch = int(sys.argv[2])
print("open", flush=True)
while True:
    texts = {"title": f"第 {batch} 批 电池", "body": "隔膜" * 200}
    engine.write([Document(key, batch, texts) for key in (*range(1, 21), 1000 + batch)])
    print(batch, flush=True)
    batch += 1
"""


class TestTantivy(EngineContract):
    @staticmethod
    def open(folder: Path, *, read_only: bool = False) -> TantivyEngine:
        return TantivyEngine(folder, SCHEMA, read_only=read_only)


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


def test_kill_at_any_moment_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """Ten writers killed with SIGKILL; each batch is there whole or not at all, and a replay of
    whatever came before changes nothing."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    reader = TantivyEngine(tmp_path, SCHEMA, read_only=True)
    written = 0
    for _ in range(10):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path), str(written + 1)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        deadline = time.monotonic() + rng.uniform(0.02, 0.5)
        while time.monotonic() < deadline:
            seen = dict(reader.scan())
            assert len({seen.get(key) for key in range(1, 21)}) == 1, "half a batch was visible"
        child.kill()
        acknowledged = [int(line) for line in child.stdout.read().split()]
        child.wait()
        child.stdout.close()
        last = acknowledged[-1] if acknowledged else written
        state = dict(reader.scan())
        written = state.get(1, 0)
        assert written in (last, last + 1), "acknowledged, or committed and not yet acknowledged"
        expected = dict.fromkeys(range(1, 21), written) if written else {}
        assert state == expected | {1000 + batch: batch for batch in range(1, written + 1)}
        assert reader.search(SearchRequest(All())).total == len(state)
    assert written > 3, "the children hardly wrote"
    engine = TantivyEngine(tmp_path, SCHEMA, read_only=False)
    before = dict(engine.scan())
    for batch in rng.sample(range(1, written), 5):
        engine.write([Document(key, batch) for key in range(1, 21)])
    assert dict(engine.scan()) == before
    engine.close()
    reader.close()
