"""The search service in a process of its own, without pages.

    python -m infra.bench.calling PARAMS SECONDS

`PARAMS` is a pickle of what was typed and chosen (our own file, written a moment before). Every
call parses, compiles, searches, counts and asks for all facets, as deep as a page reads. Prints
how many calls a second were made.
"""

import json
import pickle
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

from infra.bench.asking import a_second, service_call
from infra.settings import load
from infra.wiring import open_reader
from market.discovery.results import SearchParams
from search.port import SearchEngine


def main(path: str, seconds: str) -> None:
    asked: list[SearchParams] = pickle.loads(Path(path).read_bytes())  # noqa: S301  our parent's
    with closing(open_reader(load())) as engine:
        asks = [partial(_call, engine, params) for params in asked]
        for ask in asks[: -(-len(asks) // 4)]:
            ask()
        print(json.dumps(a_second(asks, float(seconds))))


def _call(engine: SearchEngine, params: SearchParams) -> None:
    engine.search(service_call(params))


if __name__ == "__main__":
    main(*sys.argv[1:])
