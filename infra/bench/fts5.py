"""SQLite's full-text search behind the same page.

    python -m infra.bench.fts5 INDEX

serves the market of the environment's data folder with that engine in place of ours.
"""

import sys
from pathlib import Path
from typing import cast

from infra.bench.repository_fts5 import Fts5Engine
from infra.settings import load
from infra.web import serve
from search.port import SearchEngine


def main(index: Path) -> None:
    engine = cast(SearchEngine, Fts5Engine(index))
    serve(load(), open_engine=lambda _settings: engine)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
