import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.analysis import symbols
from search.explain import explain
from search.rankfile import BadLine, rank_pairs, read_rows
from search.ranking import Ranker, TermStatistics, Text
from tests.search.test_segment import SENTENCES

BATTERY = Text(
    "高安全锂离子电池隔膜涂覆技术",
    "寻求耐高温的陶瓷涂覆隔膜，要求热收缩率低，并能与IGBT温控模块配合。阻燃性能满足国家标准。",
)
OFFERED = Text("陶瓷涂覆锂离子电池隔膜的制备方法", "采用水性浆料，180℃下热收缩率低于3%。")
OTHER = Text("韭菜迟眼蕈蚊绿色防控技术", "利用昆虫病原线虫防治地下害虫。")


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    around = [Text(f"{one[:14]}技术研究", f"{one}的方法") for one in SENTENCES]
    return Ranker(TermStatistics.of([*around, BATTERY, OFFERED, OTHER]))


ANY = st.builds(
    Text, st.text("锂离子电池隔膜 ,5G与", max_size=20), st.text("锂电隔膜技术的", max_size=60)
)


@given(ANY, ANY)
def test_scores_are_within_0_and_1_and_of_titles_symmetric(one: Text, other: Text) -> None:
    ranker = Ranker(TermStatistics.of([BATTERY, OFFERED, OTHER]))
    assert 0 <= ranker.score(one, other) <= 1
    first, second = Text(one.title), Text(other.title)
    assert ranker.score(first, second) == pytest.approx(ranker.score(second, first))


def test_one_sentence_that_fits_counts_more_than_its_words_far_apart(ranker: Ranker) -> None:
    offered = Text("陶瓷涂覆隔膜")
    body = "产线在西部，需要{}。另有包装、运输、仓储和检测设备要更新{}。希望明年六月之前完成"
    together = Text("技术改造需求", body.format("陶瓷涂覆隔膜", "，由厂方安排"))
    apart = Text("技术改造需求", body.format("陶瓷", "，由厂方安排涂覆和隔膜"))
    assert ranker.score(together, offered) > 1.1 * ranker.score(apart, offered)


def test_alike_texts_score_higher(ranker: Ranker) -> None:
    assert ranker.score(BATTERY, OFFERED) > 5 * ranker.score(BATTERY, OTHER)
    assert ranker.score(BATTERY, BATTERY) > ranker.score(BATTERY, OFFERED)
    assert ranker.score(BATTERY, Text("")) == ranker.score(Text(""), Text("")) == 0


def test_a_prepared_text_scores_the_same(ranker: Ranker) -> None:
    prepared = ranker.prepare(BATTERY)
    assert ranker.score(prepared, OFFERED) == ranker.score(BATTERY, OFFERED)
    assert ranker.prepared(prepared) is prepared


def test_statistics_can_be_added_to() -> None:
    whole = TermStatistics.of([BATTERY, OFFERED, OTHER])
    grown = TermStatistics.of([BATTERY])
    grown.add(OFFERED)
    grown.add(OTHER)
    assert grown == whole
    assert whole.frequency("隔膜") == 2
    assert whole.texts == 3
    assert Ranker(TermStatistics()).score(BATTERY, OFFERED) > 0


def test_a_text_without_a_body_is_no_text_of_length_zero() -> None:
    statistics = TermStatistics.of([BATTERY, Text("电池")])
    assert statistics.mean_body == TermStatistics.of([BATTERY]).mean_body


def test_explanation_names_phrases_and_what_is_missing(ranker: Ranker) -> None:
    found = explain(ranker, BATTERY, OFFERED)
    assert found.score == ranker.score(BATTERY, OFFERED)
    shared = [term.text for term in found.shared]
    assert shared[0] == "锂离子电池隔膜"
    assert {"陶瓷涂覆", "热收缩率低"} <= set(shared)
    missing = [term.text for term in found.missing]
    assert missing == ["安全"]
    assert not set(missing) & set(shared)
    for terms in (found.shared, found.missing):
        weights = [term.weight for term in terms]
        assert weights == sorted(weights, reverse=True)
        assert all(0 < weight <= 1 for weight in weights)
        assert all(len(term.text) > 1 for term in terms)


def test_explanation_stands_in_the_text_as_written(ranker: Ranker) -> None:
    found = explain(ranker, Text("ＩＧＢＴ 模块 12"), Text("igbt模块 12"))
    assert [term.text for term in found.shared] == ["ＩＧＢＴ 模块"] or found.shared[
        0
    ].text.startswith("ＩＧＢＴ 模块")


def test_phrases_do_not_cross_punctuation(ranker: Ranker) -> None:
    found = explain(ranker, Text("电池、隔膜"), Text("电池隔膜"))
    assert {term.text for term in found.shared} == {"电池", "隔膜"}


def test_explanation_is_limited_and_may_be_empty(ranker: Ranker) -> None:
    found = explain(ranker, BATTERY, OFFERED, limit=1)
    assert len(found.shared) == len(found.missing) == 1
    nothing = explain(ranker, Text(""), Text(""))
    assert (nothing.score, nothing.shared, nothing.missing) == (0, (), ())
    apart = explain(ranker, Text("污泥干化"), Text("韭菜"))
    assert apart.shared == ()
    assert [term.text for term in apart.missing] == ["污泥", "干化"]


@given(ANY, ANY)
def test_anything_can_be_explained(one: Text, other: Text) -> None:
    ranker = Ranker(TermStatistics.of([BATTERY, OFFERED, OTHER]))
    found = explain(ranker, one, other)
    for term in (*found.shared, *found.missing):
        assert 0 < term.weight <= 1
        assert term.text in one.title + "\n" + one.body
    for term in found.shared:
        whole = "".join(token.text for token in symbols(other.title + "\n" + other.body))
        assert "".join(token.text for token in symbols(term.text)) in whole


def test_rank_pairs() -> None:
    wanted = [{"id": "d1", "title": "锂电池隔膜", "content": "陶瓷涂覆"}, {"id": 2, "title": None}]
    offered = [{"id": "a", "title": "锂电池陶瓷隔膜"}, {"id": "b", "title": "韭菜 防控", "more": 1}]
    pairs = [{"demand_id": d, "achievement_id": a} for d in ("d1", 2) for a in ("b", "a")]
    keys = {"wanted_key": "demand_id", "offered_key": "achievement_id"}
    rows = list(rank_pairs(wanted, offered, pairs, **keys))
    assert [(row["demand_id"], row["achievement_id"]) for row in rows] == [
        ("d1", "b"), ("d1", "a"), (2, "b"), (2, "a"),
    ]  # fmt: skip
    scores = [float(row["score"]) for row in rows]
    assert scores[1] > scores[0] == scores[2] == scores[3] == 0
    with pytest.raises(BadLine, match=r"第 1 行：achievement_id 'z' 不在"):
        list(rank_pairs(wanted, offered, [{"demand_id": 2, "achievement_id": "z"}], **keys))


def test_read_rows_passes_over_what_does_no_harm() -> None:
    lines = ['\ufeff{"id": "1", "x": null}\r\n', "", "  \n", b'{"id": 7, "title": "\xe7\x94\xb5"}']
    assert list(read_rows(lines, ["id"])) == [{"id": "1", "x": None}, {"id": 7, "title": "电"}]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "JSON"),
        ("[1]", "JSON"),
        ("[" * 100_000, "JSON"),
        ('{"title": "x"}', "缺少 id"),
        ('{"id": null}', "缺少 id"),
        ('{"id": true}', "缺少 id"),
        ('{"id": "\\ud800"}', "id 里有不成字的编码"),
        (b'{"id": "\xff"}', "UTF-8"),
        ('{"id": "' + "x" * 1_000_000, "超过"),
    ],
)
def test_read_rows_names_line_and_reason(line: str | bytes, reason: str) -> None:
    with pytest.raises(BadLine, match=reason) as bad:
        list(read_rows(['{"id": 1}', "", line], ["id"]))
    assert bad.value.number == 3
    assert str(bad.value).startswith("第 3 行：")
