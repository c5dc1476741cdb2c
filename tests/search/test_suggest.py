from collections.abc import Iterator
from pathlib import Path

import pytest

from search.document import Document
from search.engines.tantivy import TantivyEngine
from search.port import SearchEngine
from search.query import And, Ids, Not, Or, SearchRequest, Weighted
from search.ranking import Text
from search.similar import MOST_TERMS, similar
from search.suggest import MOST, suggest, suggest_values
from tests.search.generate import SCHEMA

TITLES = [
    "锂离子电池隔膜", "高性能锂离子电池", "锂离子 正极材料", "离子交换膜", "ＩＧＢＴ 封装材料",
    "碳化硅IGBT模块", "IGCT 器件", "5G 基站天线", "Ti-6Al-4V 铸造",
]  # fmt: skip


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchEngine]:
    engine = TantivyEngine(tmp_path_factory.mktemp("suggest"), SCHEMA, read_only=False)
    engine.write([
        Document(
            key, 1, {"title": title, "owner": f"示范大学{key % 2}"},
            {"kind": ("成果" if key % 3 else "需求",), "owner_name": (f"示范大学{key % 2}",)},
        )
        for key, title in enumerate(TITLES, start=1)
    ])  # fmt: skip
    yield engine
    engine.close()


@pytest.mark.parametrize(
    ("typed", "starting", "inside"),
    [
        ("锂", {1, 3}, {2}),
        ("锂离子", {1, 3}, {2}),
        ("离子", {4}, {1, 2, 3}),
        ("锂离子 正", {3}, set()),
        ("ig", {5, 7}, {6}),
        ("ＩＧＢ", {5}, {6}),
        ("碳化硅i", {6}, set()),
        ("igbt封", {5}, set()),
        ("5", {8}, set()),
        ("ti 6", {9}, set()),
        ("6al", set(), {9}),
        ("ig ", set(), set()),
        ("igbt ", {5}, {6}),
        ("电解", set(), set()),
        ("", set(), set()),
        ("，\ud800", set(), set()),
    ],
)
def test_titles_that_begin_come_before_titles_that_contain(
    engine: SearchEngine, typed: str, starting: set[int], inside: set[int]
) -> None:
    found = suggest(engine, typed, "title")
    assert set(found[: len(starting)]) == starting
    assert set(found[len(starting) :]) == inside


def test_filters_and_limit(engine: SearchEngine) -> None:
    assert suggest(engine, "锂", "title", filters={"kind": frozenset({"需求"})}) == [3]
    assert len(suggest(engine, "锂", "title", limit=1)) == 1


def test_never_more_than_a_person_reads(tmp_path: Path) -> None:
    engine = TantivyEngine(tmp_path, SCHEMA, read_only=False)
    engine.write([Document(key, 1, {"title": f"电池{key}"}) for key in range(1, 50)])
    assert len(set(suggest(engine, "电", "title", limit=50))) == MOST == 8
    engine.close()


def test_names_are_suggested_once(engine: SearchEngine) -> None:
    assert suggest_values(engine, "大学", "owner", "owner_name") == ["示范大学1", "示范大学0"]
    assert suggest_values(engine, "大学0", "owner", "owner_name") == ["示范大学0"]
    assert suggest_values(engine, "学院", "owner", "owner_name") == []
    assert suggest_values(engine, " ", "owner", "owner_name") == []


def test_similar_finds_the_nearest_first(engine: SearchEngine) -> None:
    query = similar(engine, Text(TITLES[0], "用于动力电池的涂覆隔膜"))
    found = [
        hit.id for hit in engine.search(SearchRequest(And((query, Not(Ids(frozenset({1}))))))).hits
    ]
    assert found[0] == 2
    assert 5 not in found


def test_similar_keeps_to_its_size(engine: SearchEngine) -> None:
    query = similar(engine, Text("的".join(TITLES * 3), "，".join(TITLES * 40)))
    assert isinstance(query, Or)
    assert all(isinstance(part, Weighted) for part in query.parts)
    assert sum(len(part.terms) for part in query.parts if isinstance(part, Weighted)) <= MOST_TERMS
    nothing = engine.search(SearchRequest(similar(engine, Text("", ""))))
    assert nothing.total == 0
