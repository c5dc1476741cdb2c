from hypothesis import given
from hypothesis import strategies as st

from search.highlight import Segment, highlight, snippet
from search.parse import parse
from tests.search.generate import SCHEMA


def shown(segments: list[Segment]) -> str:
    return "".join(f"[{one.text}]" if one.marked else one.text for one in segments)


def test_terms_are_marked_in_the_original() -> None:
    terms = parse("锂离子电池 igbt", SCHEMA).terms
    assert (
        shown(highlight("<b>锂离子 电池</b> 与ＩＧＢＴ", terms))
        == "<b>[锂离子] [电池]</b> 与[ＩＧＢＴ]"
    )


def test_what_is_marked_stands_as_it_was_written() -> None:
    terms = parse("后处理 10um tc4", SCHEMA).terms
    text = "臺灣 後處理，１０μm，TC-4"
    assert shown(highlight(text, terms)) == "臺灣 [後處理]，[１０μm]，[TC-4]"


def test_touching_and_overlapping_terms_are_one() -> None:
    assert shown(highlight("锂离子电池组", ["离子电池", "锂离子", "电池"])) == "[锂离子电池]组"


def test_a_run_is_marked_whole_or_not_at_all() -> None:
    assert shown(highlight("5G 15G 5", ["5g"])) == "[5G] 15G 5"


def test_a_quoted_sequence_is_marked_across_spaces() -> None:
    assert shown(highlight("锂离子  电池", ["离子电"])) == "锂[离子  电]池"


def test_limit_cuts_marked_text_too() -> None:
    assert shown(highlight("电池隔膜涂层", ["隔膜"], 3)) == "电池[隔]…"
    assert shown(highlight("电池", ["电池"], 2)) == "[电池]"


def test_snippet_shows_where_most_terms_stand() -> None:
    text = "隔膜。" + "前" * 300 + "锂电池的隔膜" + "后" * 300
    found = snippet(text, ["隔膜", "锂电池"], 40)
    assert "[锂电池]的[隔膜]" in shown(found)
    assert shown(found)[0] == shown(found)[-1] == "…"
    assert sum(len(one.text) for one in found) == 42


def test_snippet_without_a_match_is_the_beginning() -> None:
    assert shown(snippet("前" * 50, ["电池"], 10)) == "前" * 10 + "…"
    assert snippet("", ["电池"]) == []


@given(st.text("电池锂 ，IGBTｉ5.\n<", max_size=60), st.lists(st.text("电池锂igbt5. ", max_size=5)))
def test_segments_are_the_text(text: str, terms: list[str]) -> None:
    assert "".join(one.text for one in highlight(text, terms)) == text
    for length in (1, 7, 100):
        inner = [one for one in snippet(text, terms, length) if one != Segment("…", marked=False)]
        assert "".join(one.text for one in inner) in text
