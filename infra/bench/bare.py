"""The peer: the engine alone, in a process of its own, asked just what the site asked of it.

    python -m infra.bench.bare INDEX REQUESTS

`REQUESTS` is a pickle of lists of search requests, one list for each kind of page (our own file,
written by infra.bench.site a moment before). Prints JSON: for each kind the milliseconds of every
list, and the process's anonymous memory in MB.
"""

import json
import pickle
import sys
import time
from pathlib import Path

from infra.bench.measure import anonymous_mb
from market.discovery.documents import SCHEMA
from search.engines.tantivy import TantivyEngine
from search.query import SearchRequest

Asked = dict[str, list[list[SearchRequest]]]


def main(index: Path, requests: Path) -> None:
    asked: Asked = pickle.loads(requests.read_bytes())  # noqa: S301  written by our own parent
    engine = TantivyEngine(index, SCHEMA, read_only=True)
    taken: dict[str, list[float]] = {}
    for kind, pages in asked.items():
        for page in pages[: len(pages) // 4]:  # warmed up as the site was
            _ask(engine, page)
        taken[kind] = [_ask(engine, page) for page in pages]
    print(json.dumps({"ms": taken, "anonymous_mb": anonymous_mb()}))


def _ask(engine: TantivyEngine, page: list[SearchRequest]) -> float:
    begun = time.perf_counter()
    for request in page:
        engine.search(request)
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
