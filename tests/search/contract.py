"""What every engine must do: one suite, run on each. The reference is `evaluate`, document by document."""

import os
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from search.analysis import grams
from search.document import Deletion, Document
from search.errors import DocumentRejected, QueryRejected, SearchUnavailable
from search.evaluate import Reading
from search.port import SearchEngine
from search.query import (
    DEEPEST,
    All,
    And,
    AnyOf,
    AtLeast,
    Ids,
    Not,
    Or,
    Phrase,
    Range,
    Scaled,
    SearchRequest,
    Sort,
    Weighted,
    Words,
)
from search.result import FacetCount
from tests.search.generate import SCHEMA, Queries, listing, listings
from tests.search.reference import Reference, ids, live, pages

GENERATED = 120  # queries


class EngineContract:
    """Inherit, and give `open`."""

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> SearchEngine:
        """An engine with SCHEMA whose data belong to `folder`; opened twice, it is the same
        index."""
        raise NotImplementedError

    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[SearchEngine]:
        engine = self.open(tmp_path)
        yield engine
        engine.close()

    @pytest.fixture(scope="class")
    @classmethod
    def seed(cls) -> int:
        seed = int(os.environ.get("SEARCH_SEED") or random.randrange(2**32))
        print(f"SEARCH_SEED={seed}")
        return seed

    @pytest.fixture(scope="class")
    @classmethod
    def corpus(cls, seed: int) -> list[Document]:
        return listings(random.Random(seed), 400)

    @pytest.fixture(scope="class")
    @classmethod
    def filled(
        cls, corpus: list[Document], tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[SearchEngine]:
        """The corpus, after the life an index leads: several commits, replacements, deletions."""
        engine = cls.open(tmp_path_factory.mktemp("contract"))
        live(engine, corpus)
        yield engine
        engine.close()

    # Against the reference

    def test_generated_queries(
        self, filled: SearchEngine, corpus: list[Document], seed: int
    ) -> None:
        reference, queries = Reference(corpus), Queries(random.Random(seed + 1), corpus)
        found_some = 0
        for number in range(GENERATED):
            request = queries.request(number)
            context = f"SEARCH_SEED={seed} query {number}: {request}"
            expected = reference.ids(request)
            got = pages(filled, request)
            hits = [hit for page in got for hit in page.hits]
            assert {page.total for page in got} == {len(expected)}, context
            assert {hit.id for hit in hits} == expected, context
            assert len(hits) == len(expected), context
            assert {hit.version for hit in hits} <= {5}, context
            if request.sort.field is None:
                assert hits == sorted(hits, key=lambda hit: (-hit.score, hit.id)), context
            else:
                assert [hit.id for hit in hits] == reference.sorted_ids(request), context
            for field in request.facets:
                assert got[0].facets[field] == reference.facet(request, field), context
            found_some += 0 < len(expected) < len(corpus)
        assert found_some > GENERATED / 2, "the generated queries say nothing"

    def test_one_page_is_the_whole_cut(self, filled: SearchEngine) -> None:
        for sort in (Sort(), Sort("price"), Sort("price", descending=False)):
            request = SearchRequest(Words(("电池",), ("title", "body"), 1), sort=sort, limit=9)
            whole = filled.search(replace(request, limit=1000)).hits
            assert len(whole) > 30
            assert [hit for page in pages(filled, request) for hit in page.hits] == list(whole)

    def test_facets_ignore_their_own_filter_and_respect_the_others(
        self, filled: SearchEngine, corpus: list[Document]
    ) -> None:
        request = SearchRequest(
            filters={"kind": frozenset({"成果"}), "field": frozenset({"环保", "ICT"})},
            facets=("kind", "field", "owner_name"),
            limit=0,
        )
        result = filled.search(request)
        kinds = {found.value for found in result.facets["kind"]}
        fields = {found.value for found in result.facets["field"]}
        assert kinds == {"成果", "需求"}
        assert fields > {"环保", "ICT"}
        owned = sum(found.count for found in result.facets["owner_name"])
        assert owned == result.total == len(Reference(corpus).ids(request))

    def test_facet_size_keeps_the_most_frequent_and_the_chosen(self, filled: SearchEngine) -> None:
        every = filled.search(SearchRequest(facets=("owner_name",), limit=0)).facets["owner_name"]
        rarest = every[-1].value
        for chosen in (frozenset[str](), frozenset({rarest})):
            request = SearchRequest(
                filters={"owner_name": chosen}, facets=("owner_name",), facet_size=3, limit=0
            )
            shown = filled.search(request).facets["owner_name"]
            assert shown == every[:3] + (every[-1:] if chosen else ())

    # Words, phrases, negation, order

    def write_titles(self, engine: SearchEngine, *titles: str) -> None:
        engine.write([Document(key, 1, {"title": one}) for key, one in enumerate(titles, start=1)])

    def test_phrase_in_a_title_is_an_exact_sequence(self, engine: SearchEngine) -> None:
        self.write_titles(
            engine,
            "锂离子 电池",
            "锂离子（电池）隔膜",
            "电池与锂离子",
            "锂电池离子",
            "Ti 6Al",
            "Ti6Al",
        )
        assert ids(engine, Phrase(tuple(grams("离子电")), "title_grams")) == [1, 2]
        assert ids(engine, Phrase(tuple(grams("ti 6al")), "title_grams")) == [5]
        assert ids(engine, Phrase(tuple(grams("ti6al")), "title_grams")) == [6]

    def test_words_at_least(self, engine: SearchEngine) -> None:
        self.write_titles(engine, "电池", "电池 隔膜", "电池 隔膜 涂层")
        terms = ("电池", "隔膜", "涂层")
        for at_least, expected in ((1, {1, 2, 3}), (2, {2, 3}), (3, {3})):
            assert set(ids(engine, Words(terms, ("title",), at_least))) == expected

    def test_at_least_so_many_of_any_parts(self, engine: SearchEngine) -> None:
        self.write_titles(engine, "电池", "电池 隔膜", "电池 隔膜 涂层", "涂层")
        phrase = Phrase(tuple(grams("电池隔")), "title_grams")
        parts = (
            Words(("电池",), ("title",), 1),
            Or((phrase,)),
            Not(Words(("涂层",), ("title",), 1)),
        )
        for number, expected in ((1, [1, 2, 3]), (2, [1, 2, 3]), (3, [2]), (4, [])):
            assert sorted(ids(engine, AtLeast(parts, number))) == expected, number
        assert ids(engine, AtLeast((), 1)) == []
        hits = engine.search(SearchRequest(AtLeast(parts, 2))).hits
        assert [hit.score for hit in hits] == pytest.approx(
            [hit.score for hit in engine.search(SearchRequest(Or(parts[:2]))).hits[:3]]
        )

    def test_what_is_scaled_scores_in_proportion(self, filled: SearchEngine) -> None:
        query = Or((Words(("电池",), ("title", "body"), 1), Phrase(("离子",), "body")))
        whole = filled.search(SearchRequest(query)).hits
        tenth = filled.search(SearchRequest(Scaled(query, 0.1))).hits
        assert [hit.id for hit in tenth] == [hit.id for hit in whole]
        assert [hit.score * 10 for hit in tenth] == pytest.approx([hit.score for hit in whole])
        nested = filled.search(SearchRequest(Scaled(Scaled(query, 0.1), 10.0))).hits
        assert [hit.score for hit in nested] == pytest.approx([hit.score for hit in whole])
        assert {hit.score for hit in filled.search(SearchRequest(Scaled(All(), 2.0))).hits} == {0.0}

    def test_negation_alone_finds_the_rest(self, engine: SearchEngine) -> None:
        self.write_titles(engine, "电池", "隔膜", "涂层")
        battery = Words(("电池",), ("title",), 1)
        assert ids(engine, Not(battery)) == [2, 3]
        assert ids(engine, And((Not(battery), Not(Ids(frozenset({3})))))) == [2]
        assert ids(engine, Or((battery, Not(Or(()))))) == [1, 2, 3]
        assert ids(engine, Not(Not(battery))) == [1]
        assert ids(engine, Not(All())) == []

    def test_empty_trees(self, engine: SearchEngine) -> None:
        self.write_titles(engine, "电池", "隔膜")
        assert ids(engine, And(())) == [1, 2]
        for nothing in (Or(()), Words((), ("title",), 1), Phrase((), "title"), Weighted((), ("title",)),
                        AnyOf("kind", frozenset()), Ids(frozenset()), AtLeast((), 1), Scaled(Or(()), 2.0)):  # fmt: skip
            assert ids(engine, nothing) == [], nothing
            assert not Reading(Document(1, 1, {"title": "电池"}), SCHEMA).matches(nothing)

    def test_titles_count_more_than_bodies_and_weights_multiply(self, engine: SearchEngine) -> None:
        engine.write([
            Document(1, 1, {"title": "电池", "body": "隔膜"}),
            Document(2, 1, {"title": "隔膜", "body": "电池"}),
        ])  # fmt: skip
        both = ("title", "body")
        assert ids(engine, Words(("电池",), both, 1)) == [1, 2]
        assert ids(engine, Words(("隔膜",), both, 1)) == [2, 1]
        assert ids(engine, Weighted((("电池", 1.0), ("隔膜", 5.0)), both)) == [2, 1]
        one = engine.search(SearchRequest(Weighted((("电池", 1.0),), both))).hits
        three = engine.search(SearchRequest(Weighted((("电池", 3.0),), both))).hits
        assert [hit.score * 3 for hit in one] == pytest.approx([hit.score for hit in three])

    def test_what_only_says_yes_or_no_does_not_score(self, filled: SearchEngine) -> None:
        for query in (
            All(),
            Range("published", 3),
            Not(Ids(frozenset({1}))),
            AnyOf("kind", frozenset({"成果"})),
        ):
            assert {hit.score for hit in filled.search(SearchRequest(query)).hits} == {0.0}
        words = Words(("电池",), ("title",), 1)
        alone = filled.search(SearchRequest(words)).hits
        within = filled.search(SearchRequest(And((words, All(), Range("published")))))
        assert alone == within.hits
        assert all(hit.score > 0 for hit in alone)

    def test_equal_scores_stand_by_id_across_commits(self, engine: SearchEngine) -> None:
        keys = random.Random(7).sample(range(1, 10_000), 300)
        for start in range(0, 300, 50):
            engine.write([Document(key, 1, {"title": "电池"}) for key in keys[start : start + 50]])
        request = SearchRequest(Words(("电池",), ("title",), 1), limit=7)
        shown = [hit.id for page in pages(engine, request) for hit in page.hits]
        assert shown == sorted(keys)

    # Writing

    def test_newer_versions_win_whatever_the_order(self, engine: SearchEngine) -> None:
        rng = random.Random(3)
        changes = [listing(rng, key, version) for key in range(1, 21) for version in range(1, 6)]
        newest = [change for change in changes if change.version == 5]
        for _ in range(3):
            rng.shuffle(changes)
            for start in range(0, len(changes), 17):
                engine.write(changes[start : start + 17])
        assert dict(engine.scan()) == dict.fromkeys(range(1, 21), 5)
        reference, queries = Reference(newest), Queries(rng, newest)
        for number in range(20):
            request = replace(queries.request(number), limit=100)
            shown = {hit.id for hit in engine.search(request).hits}
            assert shown == reference.ids(request), request

    def test_the_same_version_is_written_again(self, engine: SearchEngine) -> None:
        engine.write([Document(1, 3, {"title": "电池"})])
        engine.write([Document(1, 3, {"title": "隔膜"})])
        assert ids(engine, Words(("隔膜",), ("title",), 1)) == [1]
        assert engine.count() == 1

    def test_deletions_leave_a_tombstone(self, engine: SearchEngine) -> None:
        engine.write([Document(key, 1, {"title": "电池"}, {"kind": ("成果",)}) for key in (1, 2)])
        engine.write([], [Deletion(1, 2), Deletion(99, 4)])
        engine.write([Document(1, 1, {"title": "电池"}), Document(99, 3, {"title": "电池"})])
        battery = Words(("电池",), ("title",), 1)
        for query in (All(), battery, Not(Ids(frozenset({5}))), Ids(frozenset({1, 2, 99}))):
            assert ids(engine, query) == [2], query
        assert engine.versions([1, 2, 99, 100]) == {2: 1}
        assert engine.count() == 1
        assert list(engine.scan()) == [(2, 1)]
        facets = engine.search(SearchRequest(facets=("kind",))).facets
        assert facets == {"kind": (FacetCount("成果", 1),)}
        assert engine.search(SearchRequest(sort=Sort("price"))).total == 1
        engine.write([Document(1, 3, {"title": "电池"})])
        assert ids(engine, battery) == [1, 2]
        engine.write([], [Deletion(1, 2)])
        assert ids(engine, battery) == [1, 2], "an older deletion"

    def test_numbers_are_read_back_whole(self, engine: SearchEngine) -> None:
        large = 2**62 - 1
        engine.write([Document(1, 1, numbers={"price": large}), Document(2, 1), Document(3, 1)])
        engine.write([Document(3, 2, numbers={"price": -large})], [Deletion(1, 2)])
        assert engine.numbers("price", [1, 2, 3, 4]) == {3: -large}
        hits = engine.search(SearchRequest(numbers=("price", "published"))).hits
        assert [(hit.id, hit.numbers) for hit in hits] == [(2, {}), (3, {"price": -large})]
        with pytest.raises(QueryRejected):
            engine.numbers("title", [1])

    def test_in_one_write_the_newest_counts(self, engine: SearchEngine) -> None:
        engine.write(
            [Document(1, 2, {"title": "新"}), Document(1, 1, {"title": "旧"}), Document(2, 1)],
            [Deletion(2, 3), Deletion(1, 1)],
        )
        assert dict(engine.scan()) == {1: 2}
        assert ids(engine, Words(("新",), ("title",), 1)) == [1]

    def test_a_bad_document_spoils_neither_index_nor_later_writes(
        self, engine: SearchEngine
    ) -> None:
        engine.write([Document(1, 1, {"title": "电池"})])
        for bad in (
            Document(2, 1, {"subtitle": "?"}),
            Document(2, 1, {"title": 5}),
            Document(2, 1, numbers={"price": "1"}),
            Document(2, 1, numbers={"price": 2**63}),
            Document(2, 1, facets={"kind": "成果"}),
            Document(2, 1, facets={"kind": ("\ud800",)}),
            Document(2, 0),
            Document(0, 1),
        ):
            with pytest.raises(DocumentRejected) as rejected:
                engine.write([Document(3, 1, {"title": "隔膜"}), bad])
            assert rejected.value.id == bad.id
        assert dict(engine.scan()) == {1: 1}
        engine.write([Document(3, 1, {"title": "隔膜\ud800\0", "body": ""})])
        assert ids(engine, Words(("隔膜",), ("title",), 1)) == [3]

    def test_a_write_that_breaks_off_leaves_nothing_behind(self, engine: SearchEngine) -> None:
        class Unreadable(dict[str, str]):
            def get(self, *_: object) -> str:
                raise ValueError("read half-way")

        with pytest.raises(SearchUnavailable):
            engine.write([Document(1, 1, {"title": "电池"}), Document(2, 1, Unreadable())])
        engine.write([Document(3, 1, {"title": "隔膜"})])
        assert dict(engine.scan()) == {3: 1}

    def test_a_reader_sees_each_write_at_once(self, engine: SearchEngine, tmp_path: Path) -> None:
        reader = self.open(tmp_path, read_only=True)
        for key in range(1, 30):
            engine.write([Document(key, 1, {"title": "电池"})])
            assert reader.count() == key
            assert reader.search(SearchRequest(Words(("电池",), ("title",), 1))).total == key
        with pytest.raises(SearchUnavailable):
            reader.write([Document(99, 1)])
        reader.close()

    def test_threads_search_while_one_writes(self, engine: SearchEngine) -> None:
        battery = SearchRequest(Words(("电池",), ("title",), 1), facets=("kind",))
        stop = threading.Event()

        def search() -> None:
            last = 0
            while not stop.is_set():
                result = engine.search(battery)
                counted = sum(found.count for found in result.facets["kind"])
                assert result.total == counted >= last, "one page came from two states"
                last = result.total

        with ThreadPoolExecutor(4) as pool:
            searches = [pool.submit(search) for _ in range(4)]
            try:
                for key in range(1, 40):
                    engine.write([Document(key, 1, {"title": "电池"}, {"kind": ("成果",)})])
            finally:
                stop.set()
            for one in searches:
                one.result()
        assert engine.search(battery).total == 39

    def test_what_was_written_is_there_after_opening_again(self, tmp_path: Path) -> None:
        for version in (1, 2, 3):
            engine = self.open(tmp_path)
            engine.write([Document(key, version) for key in range(1, 50)])
            engine.close()
        engine = self.open(tmp_path)
        assert dict(engine.scan()) == dict.fromkeys(range(1, 50), 3)
        engine.close()

    # Edges

    def test_frequencies(self, filled: SearchEngine, corpus: list[Document]) -> None:
        exact = sum("电池" in SCHEMA.tokens(one)["title"] for one in corpus)
        found = filled.frequencies("title", ["电池", "没有这个词", ""])
        assert exact <= found["电池"] <= exact + 30
        assert found["没有这个词"] == found[""] == 0
        with pytest.raises(QueryRejected):
            filled.frequencies("kind", ["成果"])

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
            SearchRequest(numbers=("kind",)),
            SearchRequest(offset=-1),
            SearchRequest(limit=-1),
            SearchRequest(offset=DEEPEST, limit=1),
            SearchRequest(facets=("kind",), facet_size=0),
        ],
    )
    def test_impossible_requests_are_refused(
        self, engine: SearchEngine, request_: SearchRequest
    ) -> None:
        with pytest.raises(QueryRejected):
            engine.search(request_)

    def test_odd_values_find_nothing_and_break_nothing(self, filled: SearchEngine) -> None:
        for value in ("\ud800", "\0", "", " ", "成果 需求", "x" * 100_000):
            assert filled.search(SearchRequest(AnyOf("kind", frozenset({value})))).total == 0
            filtered = SearchRequest(filters={"kind": frozenset({value})}, facets=("kind",))
            assert filled.search(filtered).total == 0
            assert len(filled.search(filtered).facets["kind"]) == 2
        past = filled.search(SearchRequest(offset=DEEPEST - 1, limit=1))
        assert (past.total, past.hits) == (400, ())

    def test_closed(self, tmp_path: Path) -> None:
        engine = self.open(tmp_path)
        engine.close()
        engine.close()
        for call in (
            engine.count,
            lambda: engine.search(SearchRequest()),
            lambda: engine.write([Document(1, 1)]),
        ):
            with pytest.raises(SearchUnavailable):
                call()

    def test_scores_fall_and_pages_agree_for_likeness(self, filled: SearchEngine) -> None:
        terms = (("电池", 1.0), ("离子", 0.5), ("检测", 2.0), ("涂层", 1.5), ("的", 0.1))
        request = SearchRequest(Weighted(terms, ("title", "body", "title_grams")), limit=11)
        scores = [hit.score for page in pages(filled, request) for hit in page.hits]
        assert all(first >= second for first, second in pairwise(scores))
        assert len(set(scores)) > 20
