import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.document import Document
from search.evaluate import Reading
from search.parse import LONGEST_QUERY, parse
from search.query import All, SearchRequest, Words, nodes
from search.schema import Schema, TextField
from search.synonyms import NONE, Synonyms
from tests.search.generate import SCHEMA

SAME = Synonyms([
    ["IGBT", "绝缘栅双极型晶体管"], ["激光雷达", "LiDAR", "光学雷达"], ["锂电池", "锂离子电池"], ["？", "!"], ["孤"],
])  # fmt: skip


def finds(typed: str, title: str = "", body: str = "", same: Synonyms = NONE) -> bool:
    return Reading(Document(1, 1, {"title": title, "body": body}), SCHEMA).matches(
        parse(typed, SCHEMA, same).query
    )


@given(st.text(st.characters(), max_size=60) | st.text('-"“”「」 电池5.℃\\(*^~:[]', max_size=30)
       | st.lists(st.sampled_from(["标题", ":", "：", "-", '"', " ", "锂电池", "IGBT", "TC4", "org", "的"])).map("".join))  # fmt: skip
def test_anything_can_be_typed(typed: str) -> None:
    parsed = parse(typed, SCHEMA, SAME)
    SCHEMA.check_request(SearchRequest(parsed.query))
    for unit in parsed.units:
        assert unit.typed in typed
        again = parse(typed, SCHEMA, SAME, {unit.words})
        assert unit not in again.units
        SCHEMA.check_request(SearchRequest(again.query))


@pytest.mark.parametrize("typed", ["", "  ", "-", '"', '""', '-""', "？！", "“”", "\ud800\0"])
def test_nothing_typed_is_everything(typed: str) -> None:
    assert parse(typed, SCHEMA).query == All()
    assert parse(typed, SCHEMA).terms == ()


def test_up_to_three_words_must_all_be_there() -> None:
    assert finds("锂离子电池隔膜", title="锂离子电池", body="陶瓷隔膜")
    assert finds("锂离子 电池 隔膜", title="锂离子电池", body="陶瓷隔膜")
    assert not finds("锂离子电池隔膜", title="锂离子电池")


def test_of_more_words_most_must_be_there() -> None:
    typed = "钢板表面缺陷检测 机器视觉"
    assert finds(typed, title="钢板表面缺陷检测")
    assert not finds(typed, title="钢板表面")


def test_titles_are_found_by_characters_bodies_by_words() -> None:
    assert finds("墨烯电", title="石墨烯电极")
    assert not finds("墨烯电", body="石墨烯电极")


def test_width_case_and_separators_fold() -> None:
    for typed in ("igbt模块", "ＩＧＢＴ 模块", "IGBT-模块"):
        assert finds(typed, title="Igbt 模块")
        assert finds(typed, body="（ＩＧＢＴ）模块")


def test_particles_are_not_asked_for() -> None:
    assert finds("电池的隔膜", title="电池隔膜")
    assert parse("的", SCHEMA).terms == ("的",)


@pytest.mark.parametrize("quotes", ['""', "“”", "「」", "＂＂"])
def test_quoted_is_the_exact_sequence(quotes: str) -> None:
    typed = f"{quotes[0]}锂离子电{quotes[1]}"
    assert finds(typed, title="锂离子 电池")
    assert not finds(typed, title="电锂离子池")
    assert finds("“锂离子电池”", body="新型锂离子电池。")
    assert not finds("“锂离子电池”", body="锂离子动力电池")


def test_an_unclosed_quote_is_none() -> None:
    assert finds('"电池 隔膜', title="隔膜与电池")


def test_minus_excludes() -> None:
    assert not finds("电池 -隔膜", title="电池隔膜")
    assert finds("电池 －隔膜", title="电池")
    assert finds("-隔膜", title="电池")
    assert not finds("-“离子电池”", title="锂离子电池")
    assert finds("-“离子电池”", title="锂离子动力电池")


def test_a_minus_inside_a_word_or_before_a_digit_excludes_nothing() -> None:
    assert finds("Ti-6Al", title="Ti-6Al-4V 合金")
    assert finds("低温 -20℃", title="低温 20℃")
    assert finds("电池 - 隔膜", title="电池隔膜")


def test_overlong_input_is_cut() -> None:
    long = parse("电" * LONGEST_QUERY + "池" * 50_000, SCHEMA)
    assert long.shortened
    assert not any("池" in term for term in long.terms)
    assert not parse("电" * LONGEST_QUERY, SCHEMA).shortened


def test_terms_to_highlight_leave_out_what_is_excluded() -> None:
    assert parse("ＩＧＢＴ模块 “碳化硅 器件” -封装", SCHEMA).terms == (
        "igbt",
        "模块",
        "碳化硅 器件",
    )


def test_what_is_asked_of_one_field_is_marked_there_alone() -> None:
    found = parse("焊缝 标题：检测 -“射线探伤”", SCHEMA)
    assert found.terms == ("焊缝",)
    assert found.terms_in("title") == ("焊缝", "检测")
    assert found.terms_in("body") == ("焊缝",)
    assert found.wanted == "焊缝 检测"
    (without,) = found.without
    assert not Reading(Document(1, 1, {"title": "射线探伤"}), SCHEMA).matches(without)


def test_a_schema_without_grams_is_searched_by_words() -> None:
    schema = Schema(texts=(TextField("body"),))
    assert isinstance(parse("电池", schema).query, Words)
    for typed in ("电池 “锂离子” -隔膜", "锂离子电池隔膜涂层"):
        query = parse(typed, schema).query
        schema.check_request(SearchRequest(query))
        assert len(list(nodes(query))) < 6


@pytest.mark.parametrize(
    ("typed", "title", "body", "found"),
    [
        ("标题:石墨烯", "石墨烯电极", "", True),
        ("標題：石墨烯", "石墨烯电极", "", True),
        ("title: 石墨烯", "石墨烯电极", "", True),
        ("TITLE：石墨烯", "电极", "石墨烯", False),
        ("正文:石墨烯", "石墨烯", "电极", False),
        ("正文:石墨烯", "电极", "石墨烯", True),
        ("标题:墨烯电", "石墨烯电极", "", True),
        ("标题:石墨烯电池隔膜涂层", "石墨烯电池隔膜", "涂层", False),
        ("标题:“烯电”", "石墨烯电极", "", True),
        ("标题:“电石”", "石墨烯电极", "", False),
        ("电极 -标题:石墨烯", "石墨烯电极", "", False),
        ("电极 -标题:石墨烯", "电极", "石墨烯", True),
        ("电极 标题: -石墨烯", "电极的标题", "", True),
        ("标题:", "标题怎样写", "", True),
        ("标题:", "石墨烯", "", False),
        ("新标题:电极", "电极", "新标题", True),
        ("温度:20℃", "温度控制", "20°C", True),
    ],
)
def test_a_field_may_be_named(typed: str, title: str, body: str, *, found: bool) -> None:
    assert finds(typed, title, body) is found


@pytest.mark.parametrize("typed", ["TC4", "TC-4", "tc－4", "ＴＣ4"])
@pytest.mark.parametrize("written", ["TC4", "Tc-4"])
def test_a_model_number_is_one_word_with_hyphens_or_without(typed: str, written: str) -> None:
    for text in (f"{written}钛合金", f"钛合金{written} 薄板"):
        assert finds(typed, title=text)
        assert finds(typed, body=text)
    assert not finds(typed, body="tc 与 5")
    assert finds("Ti6Al4V", body="Ti-6Al-4V 合金")
    assert finds("Ti-6Al-4V", body="Ti6Al4V 合金")
    assert not finds("5G", body="5 g")
    assert parse("锂电池-隔膜 5G", SCHEMA).terms == ("锂电池", "隔膜", "5g"), "no model numbers"


def test_a_synonym_will_do() -> None:
    for typed, title in (("igbt", "绝缘栅双极型晶体管"), ("绝缘栅双极型晶体管", "ＩＧＢＴ")):
        assert finds(f"{typed}封装", f"{title}的封装", same=SAME)
        assert finds(f"{typed} 封装", "封装", f"大功率{title}模块", same=SAME)
        assert not finds(f"{typed}封装", title, same=SAME)
        assert not finds(f"{typed}封装", f"{title}的封装")
    assert finds("激光雷达", "LiDAR", same=SAME)
    assert finds("光学雷达", body="激光雷达", same=SAME)
    assert finds("锂电池", "锂离子动力电池", same=SAME) is False
    assert finds("孤", "孤", same=SAME)
    assert not finds("激光", "LiDAR", same=SAME), "half a term is not the term"
    assert not finds("“激光雷达”", "LiDAR", same=SAME), "quoted is as it is"
    assert not finds("雷达 -激光雷达", "激光雷达", same=SAME)
    assert finds("雷达 -激光雷达", "LiDAR雷达", same=SAME), "only what was typed is excluded"


def test_synonyms_are_marked_and_stand_behind() -> None:
    assert parse("IGBT 封装", SCHEMA, SAME).terms == ("igbt", "绝缘栅双极型晶体管", "封装")


def test_units_are_what_was_typed_and_may_be_left_out() -> None:
    parsed = parse("ＩＧＢＴ的焊缝 焊缝 TC-4 “封装” -射线 标题:模块", SCHEMA, SAME)
    assert [unit.typed for unit in parsed.units] == ["ＩＧＢＴ", "焊缝", "TC-4"]
    typed = "深海采矿机器人集矿头"
    assert not finds(typed, "采矿机器人")
    units = {unit.typed: unit.words for unit in parse(typed, SCHEMA).units}
    kept = parse(
        typed,
        SCHEMA,
        left_out={words for one, words in units.items() if one not in ("采矿", "机器人")},
    )
    assert {unit.typed for unit in kept.units} == {"采矿", "机器人"}
    assert Reading(Document(1, 1, {"title": "采矿机器人"}), SCHEMA).matches(kept.query)
    assert not Reading(Document(1, 1, {"title": "采矿"}), SCHEMA).matches(kept.query)
