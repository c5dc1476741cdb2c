import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.document import Document
from search.evaluate import Reading
from search.parse import LONGEST_QUERY, parse
from search.query import All, SearchRequest, Words, nodes
from search.schema import Schema, TextField
from tests.search.generate import SCHEMA


def finds(typed: str, title: str = "", body: str = "") -> bool:
    return Reading(Document(1, 1, {"title": title, "body": body}), SCHEMA).matches(
        parse(typed, SCHEMA).query
    )


@given(st.text(st.characters(), max_size=60) | st.text('-"“”「」 电池5.℃\\(*^~:[]', max_size=30))
def test_anything_can_be_typed(typed: str) -> None:
    SCHEMA.check_request(SearchRequest(parse(typed, SCHEMA).query))


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


def test_a_schema_without_grams_is_searched_by_words() -> None:
    schema = Schema(texts=(TextField("body"),))
    assert isinstance(parse("电池", schema).query, Words)
    for typed in ("电池 “锂离子” -隔膜", "锂离子电池隔膜涂层"):
        query = parse(typed, schema).query
        schema.check_request(SearchRequest(query))
        assert len(list(nodes(query))) < 6
