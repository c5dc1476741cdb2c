import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.analysis import well_formed
from search.spelling import LONGEST, LONGEST_INITIALS, is_spelling, letters, spelled, spellings


@pytest.mark.parametrize(
    ("text", "syllables", "initials"),
    [
        ("石墨烯电池", "shimoxidianchi", "smxdc"),
        ("重庆大学", "chongqingdaxue", "cqdx"),
        ("重金属检测", "zhongjinshujiance", "zjsjc"),
        ("长春光机所", "changchunguangjisuo", "ccgjs"),
        ("银行业务", "yinhangyewu", "yhyw"),
        ("绿色制造", "lvsezhizao", "lszz"),
        ("5G基站", "5gjizhan", "5gjz"),
        ("ＩＧＢＴ 模块", "igbtmokuai", "igbtmk"),
        ("臺灣", "taiwan", "tw"),
        ("，。", "", ""),
    ],
)
def test_spellings(text: str, syllables: str, initials: str) -> None:
    assert next(spellings(text), ("", "")) == (syllables, initials)


def test_a_spelling_may_begin_with_any_of_the_first_words() -> None:
    assert spelled("锂离子电池") == ("lilizidianch", "llzdc", "dianchi", "dc")
    for typed in ("llz", "lilizidianchi", "dianc", "dc"):
        assert is_spelling(typed, "锂离子电池")
    for typed in ("lzdc", "lilizidianchix", "llzdcx"):
        assert not is_spelling(typed, "锂离子电池")


@pytest.mark.parametrize(
    ("typed", "joined"),
    [
        ("han'feng", "hanfeng"), ("ＨＦ", "hf"), ("lü se", "lvse"), ("5g", "5g"), ("a", None),
        ("12", None), ("石mo", None), ("", None), ("  ", None), ("\ud800ab", None), ("a:b", None),
    ],
)  # fmt: skip
def test_letters(typed: str, joined: str | None) -> None:
    assert letters(typed) == joined


@given(st.text(st.characters(), max_size=60))
def test_what_is_indexed_are_short_tokens(text: str) -> None:
    for token in spelled(text):
        assert 0 < len(token) <= max(LONGEST, LONGEST_INITIALS)
        assert token.split() == [token]
        assert well_formed(token)
    for syllables, initials in spellings(text):
        assert is_spelling(syllables, text)
        assert is_spelling(initials, text)
