import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import build_data
from search.analysis import (
    LONGEST_RUN,
    fold,
    grams,
    grams_of,
    is_pair,
    pair,
    pairs,
    plain_words,
    symbols,
    unbroken,
    well_formed,
    word_texts,
    words,
)

ANY_TEXT = st.text(st.characters(), max_size=80)


@given(ANY_TEXT)
def test_folding_keeps_every_offset_and_settles(text: str) -> None:
    folded = fold(text)
    assert len(folded) == len(text)
    assert fold(folded) == folded


@given(ANY_TEXT)
def test_tokens_say_where_they_stand(text: str) -> None:
    for tokens in (symbols(text), words(text), plain_words(text)):
        for token in tokens:
            assert token.text == fold(text[token.start : token.end])
            assert token.text.split() == [token.text]
            assert len(token.text) <= 5 * (LONGEST_RUN + 1)
            assert well_formed(token.text)
    assert word_texts(text) == [token.text for token in words(text)]
    covered = {place for token in symbols(text) for place in range(token.start, token.end)}
    assert covered == {p for token in words(text) for p in range(token.start, token.end)}


@given(ANY_TEXT)
def test_full_width_and_case_make_no_difference(text: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    assert [token.text for token in words(wide)] == [token.text for token in words(text)]
    assert fold(text.swapcase()) == fold(text) or not text.isascii()


def test_symbols() -> None:
    found = [token.text for token in symbols("５Ｇ基站：Ti-6Al，≥99.9%、3.5mm；IEEE802.11 カナ①")]
    assert found == ["5g", "基", "站", "ti", "6al", "99.9", "3.5mm", "ieee802.11", "カ", "ナ", "1"]


def test_a_full_stop_between_clauses_is_no_decimal_point() -> None:
    assert [token.text for token in symbols("1.耐磨损 v2.")] == ["1", "耐", "磨", "损", "v2"]


def test_long_runs_are_cut() -> None:
    assert [len(token.text) for token in symbols("x" * 150)] == [64, 64, 22]


def test_words_have_the_words_inside_them_first() -> None:
    assert [token.text for token in words("高性能锂离子电池")] == [
        "高性", "性能", "高性能", "离子", "锂离子", "电池",
    ]  # fmt: skip
    assert [token.text for token in plain_words("高性能锂离子电池")] == ["高性能", "锂离子", "电池"]


def test_letters_do_not_change_the_words_beside_them() -> None:
    alone = [token.text for token in words("基站天线")]
    assert [token.text for token in words("5G基站天线")] == ["5g", *alone]


def test_grams_of_a_part_stand_together_in_the_whole() -> None:
    assert grams("锂 电-池") == ["锂", "锂电", "电", "电池", "池"]
    whole, part = grams("高压 TC4 阀门 密封"), grams("TC4阀")
    assert any(whole[n : n + len(part)] == part for n in range(len(whole)))


def test_pairs_of_runs_are_told_from_runs() -> None:
    assert pair("ti", "6al") == "ti_6al" != "ti6al"
    assert pair("5g", "基") == "5g基"
    assert [is_pair(gram) for gram in grams_of(["ti", "6al", "合"])] == [0, 1, 0, 1, 0]


def test_pairs_of_one_symbol_are_the_symbol() -> None:
    assert pairs("锂") == ["锂"]
    assert pairs("锂电池") == ["锂电", "电池"]
    assert pairs("，") == []


def test_unbroken() -> None:
    assert unbroken("钛合金TC4-阀门 1.5 倍。") == ["钛合金TC4", "阀门", "1.5", "倍"]


def alike(*texts: str) -> bool:
    """Whether the texts have the same words, for indexing and for queries, and the same symbols."""
    return all(
        len({tuple(token.text for token in read(text)) for text in texts}) == 1
        for read in (words, plain_words, symbols)
    )


@pytest.mark.parametrize(
    "texts",
    [
        ("臺灣後處理技術", "台灣后處理技术", "台湾后处理技术"),
        ("特徵提取於邊緣計算", "特征提取于边缘计算"),
        ("氮化鎵功率器件", "氮化镓功率器件"),
        ("５Ｇ　基站", "5g 基站", "5G基站"),
        ("IGBT模块", "igbt 模塊", "ＩＧＢＴ模块"),
        ("TC4钛合金", "ｔｃ４ 鈦合金"),
        ("≥99.9%", "≧９９.９％", ">=99．9%", "99.9 ％"),
        ("20℃", "20°C", "20 °c", "２０ºC", "20˚Ｃ"),
        ("90℉", "90°F"),
        ("10μm", "10µm", "10um", "１０ＵＭ"),
        ("5kΩ", "5kΩ"),
        ("300K", "300K"),
        ("100m²", "100m2"),
        ("10^6次", "10＾6次"),
        ("Ti-6Al-4V", "ti－6al－4v", "TI–6AL–4V"),
    ],
)
def test_other_ways_to_write_the_same_are_the_same(texts: tuple[str, ...]) -> None:
    assert alike(*texts)


@pytest.mark.parametrize(
    "text", ["乾隆", "著作", "要么", "瞭望", "藉口", "好像", "俱全", "沈阳", "覆盖", "淼", "损坏"]
)
def test_simplified_words_stay_what_they_are(text: str) -> None:
    assert fold(text) == text


def test_every_simplified_character_stays_but_for_those_that_only_traditional_texts_have() -> None:
    """GB 2312 is the simplified character set; it has a few forms that are not simplified ones."""
    codes = [bytes((row, cell)) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF)]
    characters = [text for code in codes if (text := code.decode("gb2312", "ignore"))]
    assert len(characters) == 6763
    moved = {text for text in characters if fold(text) != text}
    assert moved == set("後於徵拚捱摺榘菸醣麴")


def test_a_letter_behind_degrees_is_kept_where_it_is_no_unit() -> None:
    assert [token.text for token in symbols("45°V型槽 30°Cr")] == [
        "45",
        "v",
        "型",
        "槽",
        "30",
        "cr",
    ]


def test_the_tables_are_what_their_sources_say() -> None:
    for path, content in build_data.tables():
        assert path.read_text(encoding="utf-8") == content, "python -m search.build_data"
