"""tantivy and Elasticsearch hold the same documents and give the same answers.

On freshly built, merged indexes: totals, ids, facets, orders by number, scores within 1e-4 and their
order but for ties, suggestions, likeness, highlights, errors. `evaluate`, document by document, is
the third voice. After replacements and deletions scores differ, the rest does not.
"""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest

from search.document import Deletion, Document
from search.engines.tantivy import TantivyEngine
from search.errors import SearchError
from search.highlight import highlight, snippet
from search.parse import parse
from search.port import SearchEngine
from search.query import (
    DEEPEST,
    And,
    AnyOf,
    Not,
    Or,
    Phrase,
    Range,
    SearchRequest,
    Sort,
    Words,
)
from search.rankfile import read_rows
from search.ranking import Text
from search.similar import similar
from search.suggest import suggest, suggest_values
from tests.search.agreement import complaint
from tests.search.elastics import opened, prefix_of
from tests.search.generate import SCHEMA, Queries, listing, listings
from tests.search.reference import Reference
from tests.support.elastic import Elastic

SHARED = Path(os.environ.get("ZHIHE_SHARED") or Path(__file__).parents[3] / "shared")
ACHIEVEMENTS = SHARED / "bench" / "relevance" / "achievements.jsonl"
NUMBER = 300
LISTINGS = 20_000
PART = 10  # outside full runs


@dataclass
class Both:
    """The two engines with the same documents."""

    corpus: list[Document]
    tantivy: SearchEngine
    elastic: SearchEngine
    refresh: Callable[[], None]

    def write(self, upserts: list[Document], deletions: list[Deletion] | None = None) -> None:
        for engine in (self.tantivy, self.elastic):
            for start in range(0, len(upserts), 5_000):
                engine.write(upserts[start : start + 5_000])
            engine.write([], deletions or [])


@pytest.fixture
def both(elastic: Elastic, tmp_path: Path) -> Iterator[Callable[[list[Document]], Both]]:
    prefix = prefix_of(tmp_path)
    made: list[SearchEngine] = []

    def merged() -> None:
        with elastic.client() as client:
            client.options(request_timeout=120).indices.forcemerge(
                index=f"{prefix}-*", max_num_segments=1
            )
            client.indices.refresh(index=f"{prefix}-*")

    def fill(corpus: list[Document]) -> Both:
        made.extend((TantivyEngine(tmp_path, SCHEMA, read_only=False), opened(elastic.url, prefix)))
        found = Both(corpus, made[0], made[1], merged)
        found.write(corpus)
        merged()
        return found

    yield fill
    for engine in made:
        engine.close()
    elastic.drop(prefix)


@pytest.fixture
def seed() -> int:
    seed = int(os.environ.get("SEARCH_SEED") or random.randrange(2**32))
    print(f"SEARCH_SEED={seed}")
    return seed


def achievements(seed: int) -> list[Document]:
    """The shared achievements: real titles, every other one with a body of other titles; facets and
    numbers are made."""
    if not ACHIEVEMENTS.exists():
        pytest.skip(f"no achievements in {ACHIEVEMENTS}")
    with ACHIEVEMENTS.open(encoding="utf-8") as lines:
        titles = [row["title"] for row in read_rows(lines, ["id"]) if row["title"].strip()]
    rng = random.Random(seed)
    corpus = []
    for key, title in enumerate(titles, start=1):
        made = listing(rng, key)
        texts = {"title": title, "owner": made.texts["owner"]}
        if key % 2:
            texts["body"] = "\n".join(rng.sample(titles, rng.randint(1, 4)))
        corpus.append(replace(made, texts=texts))
    return corpus


def compare(both: Both, queries: Queries, numbers: range, *, scores: bool = True) -> int:
    """Ask both the same; return how many queries found some documents and not all."""
    telling = 0
    for number in numbers:
        request = queries.request(number)
        rng = random.Random(number)
        request = replace(request, limit=DEEPEST, facet_size=rng.choice((1, 3, 100)))
        one, other = both.tantivy.search(request), both.elastic.search(request)
        assert one.total == other.total, request
        assert one.facets == other.facets, request
        if request.sort.field is not None:
            assert one.hits == other.hits, request
        elif scores:
            assert not (wrong := complaint(one.hits, other.hits)), (wrong, request)
        elif one.total <= DEEPEST:
            assert {hit.id for hit in one.hits} == {hit.id for hit in other.hits}, request
        telling += 0 < one.total < len(both.corpus)
    return telling


def compare_mixed(both: Both, queries: Queries, number: int) -> None:
    """Parts that score beside parts that only say yes or no, which chance seldom puts together."""
    for _ in range(number):
        scoring = (queries._words(), queries._phrase(), queries._weighted())
        others = (queries._range(), queries._any_of(), queries._prefix(), queries._ids())
        for part, other in product(scoring, others):
            for tree in (Or((part, other)), And((Or((part, Not(other))), other))):
                request = SearchRequest(tree, limit=DEEPEST)
                one, answer = both.tantivy.search(request), both.elastic.search(request)
                assert one.total == answer.total, request
                assert not (wrong := complaint(one.hits, answer.hits)), (wrong, request)


def hold_against_evaluate(both: Both, queries: Queries, numbers: range) -> None:
    reference = Reference(both.corpus)
    for number in numbers:
        request = replace(queries.request(number), limit=DEEPEST)
        expected = reference.ids(request)
        for engine in (both.tantivy, both.elastic):
            found = engine.search(request)
            assert found.total == len(expected), request
            if len(expected) <= DEEPEST:
                assert {hit.id for hit in found.hits} == expected, request


def typed_alike(both: Both, rng: random.Random, number: int) -> None:
    """What people meet: suggestions, similar documents, highlighted pages."""
    for _ in range(number):
        document = rng.choice(both.corpus)
        title = document.texts["title"]
        start = rng.randrange(len(title))
        typed = title[start : start + rng.randint(1, 6)]
        like = Text(title, document.texts.get("body", ""))
        engines = (both.tantivy, both.elastic)
        trees = [similar(engine, like) for engine in engines]
        assert trees[0] == trees[1], title
        pages = [
            engine.search(SearchRequest(tree)) for engine, tree in zip(engines, trees, strict=True)
        ]
        assert not (wrong := complaint(pages[0].hits, pages[1].hits)), (wrong, title)
        first = [suggest_values(engine, typed, "owner", "owner_name") for engine in engines]
        assert first[0] == first[1], typed
        marked = [_marked(both, engine, typed) for engine in engines]
        assert marked[0] == marked[1], typed
        starts = [suggest(engine, typed, "title") for engine in engines]
        assert len(starts[0]) == len(starts[1]), typed


def _marked(both: Both, engine: SearchEngine, typed: str) -> dict[int, object]:
    """What a page would mark in all that is found."""
    found = parse(typed, SCHEMA)
    texts = {one.id: one.texts for one in both.corpus}
    return {
        hit.id: (
            highlight(texts[hit.id]["title"], found.terms, 80),
            snippet(texts[hit.id].get("body", ""), found.terms),
        )
        for hit in engine.search(SearchRequest(found.query, limit=1000)).hits
    }


def agree(both: Both, seed: int, number: int) -> None:
    queries = Queries(random.Random(seed + 1), both.corpus)
    telling = compare(both, queries, range(number))
    # About half say something; of thirty, chance leaves fewer than a quarter once in a thousand.
    assert telling > number / 4, "the generated queries say nothing"
    compare_mixed(both, queries, max(1, number // 100))
    hold_against_evaluate(both, queries, range(number, number + number // PART))
    typed_alike(both, random.Random(seed + 2), max(10, number // PART))


def test_generated_listings(both: Callable[..., Both], seed: int) -> None:
    agree(both(listings(random.Random(seed), LISTINGS // PART)), seed, NUMBER // PART)


def test_shared_achievements(both: Callable[..., Both], seed: int) -> None:
    agree(both(achievements(seed)), seed, NUMBER // PART)


@pytest.mark.full
def test_all_generated_listings(
    both: Callable[..., Both], seed: int, verified: Callable[..., None]
) -> None:
    agree(both(listings(random.Random(seed), LISTINGS)), seed, NUMBER)
    verified(
        "tantivy 与 Elasticsearch 的答案相同：总数、编号、分面、分数（1e-4）、先后、标亮；与逐篇核对相同",
        how_many=f"{LISTINGS} 篇生成的文档，{NUMBER} 个生成的查询",
        result="全部相同",
        seed=seed,
    )


@pytest.mark.full
def test_all_shared_achievements(
    both: Callable[..., Both], seed: int, verified: Callable[..., None]
) -> None:
    made = both(achievements(seed))
    agree(made, seed, NUMBER)
    verified(
        "tantivy 与 Elasticsearch 的答案相同：总数、编号、分面、分数（1e-4）、先后、标亮；与逐篇核对相同",
        how_many=f"{len(made.corpus)} 项公开的成果，{NUMBER} 个生成的查询",
        result="全部相同",
        seed=seed,
    )


def test_after_a_life_of_changes_all_but_scores_agrees(
    both: Callable[..., Both], seed: int
) -> None:
    rng = random.Random(seed)
    corpus = listings(rng, 400)
    made = both([replace(one, texts={"title": "旧的标题 石墨烯"}) for one in corpus])
    changed = [replace(one, version=2) for one in corpus]
    rng.shuffle(changed)
    gone = {one.id for one in changed[:40]}
    made.write(changed, [Deletion(key, 3) for key in gone])
    made.write([replace(one, version=1) for one in corpus[:50]])  # late
    made.corpus = [one for one in changed if one.id not in gone]
    queries = Queries(random.Random(seed + 1), made.corpus)
    assert compare(made, queries, range(60), scores=False) > 30
    hold_against_evaluate(made, queries, range(60, 80))


@pytest.mark.parametrize(
    "request_",
    [
        SearchRequest(Words(("a",), ("nope",), 1)),
        SearchRequest(Phrase(("a",), "kind")),
        SearchRequest(Not(Or((AnyOf("title", frozenset("a")),)))),
        SearchRequest(Range("kind", 1)),
        SearchRequest(filters={"price": frozenset("1")}),
        SearchRequest(facets=("title",)),
        SearchRequest(sort=Sort("kind")),
        SearchRequest(offset=-1),
        SearchRequest(offset=DEEPEST, limit=1),
        SearchRequest(facets=("kind",), facet_size=0),
    ],
)
def test_the_same_errors(both: Callable[..., Both], request_: SearchRequest) -> None:
    made = both([])
    told = []
    for engine in (made.tantivy, made.elastic):
        with pytest.raises(SearchError) as refused:
            engine.search(request_)
        told.append((type(refused.value), str(refused.value)))
    assert told[0] == told[1]
