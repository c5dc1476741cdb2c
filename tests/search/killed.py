"""What a writer that is killed leaves behind, on every engine: what it acknowledged, and of the
batch in hand all or nothing, or what the engine's capabilities say."""

import random
import subprocess
import sys
import time
from pathlib import Path

from search.document import Document
from search.port import SearchEngine
from search.query import All, SearchRequest

ROOT = Path(__file__).parents[2]
SAME = range(1, 21)  # in every batch; beside them one of its own
CHILD = """
import sys
from tests.search.killed import batch_of

{opening}
print("open", flush=True)
number = int(sys.argv[1])
while True:
    engine.write(batch_of(number))
    print(number, flush=True)
    number += 1
"""


def batch_of(number: int) -> list[Document]:
    texts = {"title": f"第 {number} 批 电池", "body": "隔膜" * 200}
    return [Document(key, number, texts) for key in (*SAME, 1000 + number)]


def held(number: int) -> dict[int, int]:
    """Every id's version after this many batches."""
    same = dict.fromkeys(SAME, number) if number else {}
    return same | {1000 + one: one for one in range(1, number + 1)}


class KilledWriters:
    """Beside `EngineContract`: give `opening`."""

    kills = 10
    longest = 0.5
    """Seconds until a kill."""

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> SearchEngine:
        raise NotImplementedError

    @classmethod
    def opening(cls, folder: Path) -> str:
        """Python that sets `engine` as `open` would, for a process of its own."""
        raise NotImplementedError

    def test_kill_at_any_moment_loses_nothing_acknowledged(self, tmp_path: Path) -> None:
        """Writers killed with SIGKILL; a replay of whatever came before changes nothing."""
        seed = random.randrange(2**32)
        print(f"seed {seed}")
        rng = random.Random(seed)
        self.open(tmp_path).close()
        reader = self.open(tmp_path, read_only=True)
        whole = reader.capabilities.atomic_writes
        written = 0
        for _ in range(self.kills):
            acknowledged = self._kill(reader, tmp_path, written, rng.uniform(0.02, self.longest))
            last = acknowledged[-1] if acknowledged else written
            state = dict(reader.scan())
            if whole:
                written = state.get(1, 0)
                assert written in (last, last + 1), "acknowledged, or committed and not yet told"
                assert state == held(written)
                assert reader.search(SearchRequest(All())).total == len(state)
            else:
                written = last
                assert held(last + 1).items() | held(last).items() >= state.items()
                assert held(last).keys() <= state.keys()
        assert written > self.kills // 3, "the children hardly wrote"
        engine = self.open(tmp_path)
        if not whole:
            written += 1
            engine.write(batch_of(written))
        for number in rng.sample(range(1, written), min(5, written - 1)):
            engine.write(batch_of(number))
        assert dict(engine.scan()) == held(written)
        engine.close()
        reader.close()

    def _kill(self, reader: SearchEngine, folder: Path, written: int, after: float) -> list[int]:
        """Let a process write for so many seconds; return what it acknowledged."""
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD.format(opening=self.opening(folder)), str(written + 1)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        deadline = time.monotonic() + after
        while time.monotonic() < deadline:
            seen = dict(reader.scan())
            versions = {seen.get(key) for key in SAME}
            assert len(versions) == 1 or not reader.capabilities.atomic_writes, "half a batch"
            time.sleep(0.002)
        child.kill()
        acknowledged = [int(line) for line in child.stdout.read().split()]
        child.wait()
        child.stdout.close()
        return acknowledged
