"""Known-item search: a few neighbouring words of a title, typed without a space, bring it up.

The titles are those of the shared achievements with their spaces removed, so that no index has the
words as somebody cut them.
"""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from market.discovery.documents import SCHEMA
from search.document import Document
from search.engines.tantivy import TantivyEngine
from search.parse import parse
from search.port import SearchEngine
from search.query import SearchRequest
from search.rankfile import read_rows
from tests.search.elastics import opened, prefix_of
from tests.support.elastic import Elastic

SHARED = Path(os.environ.get("ZHIHE_SHARED") or Path(__file__).parents[3] / "shared")
TITLES = SHARED / "bench" / "relevance" / "achievements.jsonl"
WORDS, FIRST, TRIES = 3, 10, 2_000

pytestmark = pytest.mark.skipif(
    not TITLES.exists() and not os.environ.get("CI"), reason=f"no titles in {TITLES}"
)


@pytest.fixture(scope="module")
def titles() -> list[list[str]]:
    """Each title in its words."""
    with TITLES.open(encoding="utf-8") as lines:
        return [str(row["title"]).split() for row in read_rows(lines, ["title"])]


@pytest.fixture(scope="module")
def tantivy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchEngine]:
    engine = TantivyEngine(tmp_path_factory.mktemp("known"), SCHEMA, read_only=False)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def elasticsearch(
    elastic: Elastic, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SearchEngine]:
    prefix = prefix_of(tmp_path_factory.mktemp("known"))
    engine = opened(elastic.url, prefix, schema=SCHEMA)
    yield engine
    engine.close()
    elastic.drop(prefix)


@pytest.fixture(params=["tantivy", "elasticsearch"])
def engine(request: pytest.FixtureRequest, titles: list[list[str]]) -> SearchEngine:
    engine: SearchEngine = request.getfixturevalue(request.param)
    if not engine.count():
        named = enumerate(titles, start=1)
        engine.write([Document(n, 1, {"title": "".join(one)}) for n, one in named])
    return engine


def found(engine: SearchEngine, titles: list[list[str]], tries: int, seed: int) -> list[str]:
    """What was typed for nothing."""
    rng = random.Random(seed)
    long_enough = [one for one in titles if len(one) >= WORDS]
    missed = []
    for _ in range(tries):
        words = rng.choice(long_enough)
        start = rng.randrange(len(words) - WORDS + 1)
        typed = "".join(words[start : start + WORDS])
        hits = engine.search(SearchRequest(parse(typed, SCHEMA).query, limit=FIRST)).hits
        if "".join(words) not in {"".join(titles[hit.id - 1]) for hit in hits}:
            missed.append(typed)
    return missed


def test_three_words_of_a_title_bring_it_up(engine: SearchEngine, titles: list[list[str]]) -> None:
    seed = random.randrange(2**32)
    tries = TRIES // 10
    missed = found(engine, titles, tries, seed)
    print(f"seed {seed}: {tries - len(missed)} of {tries}, missed {missed}")
    # At 99.9%, as measured, more than four of 200 are missed once in half a million runs.
    assert len(missed) <= 4


@pytest.mark.full
def test_three_words_of_a_title_bring_it_up_in_99_of_100(
    engine: SearchEngine,
    titles: list[list[str]],
    verified: Callable[..., None],
    request: pytest.FixtureRequest,
) -> None:
    seed = random.randrange(2**32)
    missed = found(engine, titles, TRIES, seed)
    share = 1 - len(missed) / TRIES
    print(f"seed {seed}: {share:.2%}, missed {missed}")
    verified(
        f"连着输入名称里相邻的三个词，这条成果在前10条（{request.node.callspec.params['engine']}）",
        how_many=f"{TRIES} 次",
        result=f"{share:.2%}",
        seed=seed,
    )
    assert share >= 0.99
