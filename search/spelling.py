"""How a text is spelled in pinyin, for people who type letters: whole syllables or their initials.

Readings are those of words where a character has several (重庆 chong, 重量 zhong), without tones;
ü is `v`, as it is typed.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from search.analysis import fold, is_run, plain_words
from search.dictionary import NONE, using

LONGEST = 12
"""Letters that are indexed of a spelling in syllables."""

LONGEST_INITIALS = 6
"""Letters that are indexed of a spelling in initials."""

_STARTS = 8  # words of a text that a spelling may begin with
_LEAST = 2
_LONGEST_WORD = 3  # of `readings.txt`
_APART = str.maketrans({"ü": "v", "'": None, "’": None, " ": None, "-": None})


class _Tables(NamedTuple):
    characters: dict[str, str]
    words: dict[str, tuple[str, ...]]


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    """Read when first needed: only who indexes spells whole texts."""
    path = Path(__file__).parent / "data" / "readings.txt"
    characters, _, words = path.read_text(encoding="utf-8").partition("\n\n")
    return _Tables(
        {
            one: reading
            for reading, them in (line.split(" ") for line in characters.splitlines())
            for one in them
        },
        {word: tuple(rest) for word, *rest in (line.split(" ") for line in words.splitlines())},
    )


def letters(typed: str) -> str | None:
    """What was typed as letters and digits in a row; None where it is no pinyin: too short, or with
    anything else in it.
    """
    joined = fold(typed).translate(_APART)
    plain = joined.isascii() and joined.isalnum() and not joined.isdigit()
    return joined if plain and len(joined) >= _LEAST else None


def spellings(text: str) -> Iterator[tuple[str, str]]:
    """(in syllables, in initials) of the text from each of its first words on, to its end.

    Letters and digits stand as they are in both. Words are the segmenter's own, whatever dictionary
    is in use: who types the middle of a long term is to find it, and what was spelled once is kept.
    """
    with using(NONE):
        read = [_read(word.text) for word in plain_words(text)]
    syllables = "".join([whole for whole, _ in read])
    initials = "".join([short for _, short in read])
    first = second = 0
    for whole, short in read[:_STARTS]:
        yield syllables[first:], initials[second:]
        first += len(whole)
        second += len(short)


@lru_cache(maxsize=10_000)  # many documents share a name
def spelled(text: str) -> tuple[str, ...]:
    """The beginnings of `spellings`, to be indexed."""
    found: dict[str, None] = {}
    for syllables, initials in spellings(text):
        found[syllables[:LONGEST]] = None
        found[initials[:LONGEST_INITIALS]] = None
    found.pop("", None)
    return tuple(found)


def is_spelling(typed: str, text: str) -> bool:
    """Whether `letters` begin a spelling of the text."""
    return any(typed == one[: len(typed)] for both in spellings(text) for one in both)


@lru_cache(maxsize=50_000)
def _read(word: str) -> tuple[str, str]:
    """Of a word its reading and its initials; nothing of what has no reading."""
    if is_run(word[0]):
        return word, word
    syllables = list(_syllables(word))
    return "".join(syllables), "".join(one[:1] for one in syllables)


def _syllables(word: str) -> Iterator[str]:
    """By the words in the word that read in a way of their own, the longest first."""
    characters, words = _tables()
    place = 0
    while place < len(word):
        for size in range(min(_LONGEST_WORD, len(word) - place), 1, -1):
            if (own := words.get(word[place : place + size])) is not None:
                yield from own
                place += size
                break
        else:
            yield characters.get(word[place], "")
            place += 1
