"""Dictionary words: kept whole, found by their parts as well, and without effect on other texts."""

import random

from search.analysis import plain_words, word_texts, words
from search.dictionary import Dictionary, using
from search.spelling import spelled

OWN = Dictionary(["超临界水氧化", "超临界水", "固废资源化"])


def test_a_word_is_kept_whole_and_indexed_with_its_parts() -> None:
    text = "采用超临界水氧化技术处理固废资源化残渣"
    with using(OWN):
        read = [token.text for token in plain_words(text)]
        indexed = words(text)
        assert word_texts(text) == [token.text for token in indexed]
    assert "超临界水氧化" in read
    assert "固废资源化" in read
    assert {"超临界水氧化", "氧化", "固废资源化"} <= {token.text for token in indexed}
    assert all(text[token.start : token.end] == token.text for token in indexed)
    assert "超临界水氧化" not in {token.text for token in plain_words(text)}


def test_the_longest_that_begins_first_is_taken() -> None:
    with using(OWN):
        assert next(token.text for token in plain_words("超临界水萃取")) == "超临界水"
        assert [token.text for token in plain_words("超臨界水氧化")] == ["超临界水氧化"]


def test_texts_without_such_words_are_cut_as_before() -> None:
    for text in ("超声波焊缝检测", "IGBT模块的水冷散热", "", "水", "5G基站超材料"):
        with using(OWN):
            inside = words(text), plain_words(text), word_texts(text)
        assert inside == (words(text), plain_words(text), word_texts(text))


def test_whatever_the_words_every_symbol_stays_in_its_place() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    signs = "超临界水氧化固废资源的技术处理a1 "
    for _ in range(300):
        own = Dictionary(
            "".join(rng.choices(signs[:-3], k=rng.randint(2, 6))) for _ in range(rng.randint(1, 8))
        )
        text = "".join(rng.choices(signs, k=rng.randint(0, 40)))
        with using(own):
            read = plain_words(text)
            assert word_texts(text) == [token.text for token in words(text)]
        assert "".join(token.text for token in read) == text.replace(" ", "")
        assert [text[token.start : token.end] for token in read] == [one.text for one in read]


def test_spellings_do_not_go_by_it() -> None:
    """They are kept from text to text: what an index holds would depend on what was read before."""
    text = "超临界水氧化装置"
    spelled.cache_clear()
    with using(OWN):
        inside = spelled(text)
    spelled.cache_clear()
    assert spelled(text) == inside
    assert "shuiyanghuaz" in inside, "the middle of a long term is found as well"
