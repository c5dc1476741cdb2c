"""Text → folded characters, symbols, words and grams, each with its place in the original text.

All tokens of this package are made here, for indexing and for queries alike; engines get them
joined by spaces. A *symbol* is one ideograph (or kana, hangul syllable), or one run of other
letters and digits, a decimal point between digits included: `5G基站` is `5g` `基` `站`. All else
only separates, units of temperature however written (`℃`, `°C`) included. *Words* are jieba's over
the ideographs, with those of the `dictionary` in use, and the runs.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from search import dictionary
from search.segment import DEFAULT, SEARCH, best

ANALYSIS_VERSION = 2
"""Raise it with every change that makes other tokens of the same text: indexes are then rebuilt."""

LONGEST_RUN = 64
"""A longer run of letters and digits is cut into symbols of this many characters."""

# Ideographs that jieba's dictionary knows about; rarer ones are words of one character.
_HAN = "\u4e00-\u9fd5"
_SINGLE = (
    "\u3005-\u3007\u3021-\u3029\u3041-\u3096\u30a1-\u30fa\u30fc-\u30fe\u3105-\u312f\u31a0-\u31bf"
    "\u31f0-\u31ff\u3400-\u4dbf\u9fd6-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U000323af"
)
_LETTER = rf"(?:(?![{_HAN}{_SINGLE}])[^\W_])"
_NO_DEGREES = rf"(?:(?<!°)|(?![cf](?!{_LETTER})))"
_LETTERS = rf"{_LETTER}{{1,{LONGEST_RUN}}}"
_RUN = rf"{_NO_DEGREES}{_LETTERS}(?:(?<=[0-9])\.(?=[0-9]){_LETTERS}){{0,4}}"
_SYMBOL = re.compile(rf"[{_HAN}{_SINGLE}]|{_RUN}")
_PIECE = re.compile(rf"([{_HAN}]+)|[{_SINGLE}]|{_RUN}")

_IDEOGRAPHS = "\u2e80"

_segmenter = best()

START = "^"
"""Before the first symbol of a text that is indexed by grams, so that beginnings can be found."""

PARTICLES = frozenset("的地得与和及或而且在于对等了是之其")
"""Words that say nothing alone; a typed query goes by the others."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def well_formed(text: str) -> bool:
    """Whether a text can be written as UTF-8. Tokens always can; other values are checked."""
    return _LONE_SURROGATE.search(text) is None


class Token(NamedTuple):
    """A folded piece of text; `start` and `end` are character offsets into the original."""

    text: str
    start: int
    end: int


def _same() -> dict[str, str]:
    """Characters that are written for one another, beyond what Unicode folds: traditional and
    simplified ideographs (`build_data` has the source), micro as `u`, the signs taken for a degree.
    """
    table = Path(__file__).parent / "data" / "simplified.txt"
    pairs = table.read_text(encoding="utf-8").split()
    return {pair[0]: pair[1] for pair in pairs} | {"μ": "u", "º": "°", "˚": "°"}


class _Folding(dict[int, str]):
    """Character → folded character, computed once each."""

    def __init__(self) -> None:
        super().__init__()
        self._same = _same()

    def __missing__(self, code: int) -> str:
        char = chr(code)
        wide = self._same.get(char) or unicodedata.normalize("NFKC", char)
        folded = (wide if len(wide) == 1 else char).lower()
        folded = folded if len(folded) == 1 else char
        self[code] = folded = self._same.get(folded, folded)
        return folded


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Full and half width, case, compatibility forms, traditional and simplified ideographs made
    one, character by character: always as long as `text`, so that offsets hold.
    """
    return text.translate(_FOLDING)


def symbols(text: str) -> list[Token]:
    return [Token(m.group(), m.start(), m.end()) for m in _SYMBOL.finditer(fold(text))]


def symbol_texts(text: str) -> list[str]:
    """The texts of `symbols`, without their places."""
    return _SYMBOL.findall(fold(text))


def places(text: str) -> list[tuple[int, int]]:
    """(start, end) of each of the `symbols`."""
    return [match.span() for match in _SYMBOL.finditer(fold(text))]


def words(text: str) -> list[Token]:
    """Words to index: a long word is preceded by the dictionary words inside it."""
    return _words(text, SEARCH)


def word_texts(text: str) -> list[str]:
    """The texts of `words`, without their places: three times as fast, for indexing."""
    found: list[str] = []
    own = dictionary.current()
    for match in _PIECE.finditer(fold(text)):
        if match.group(1):
            found += own.search_words(_segmenter, match.group())
        else:
            found.append(match.group())
    return found


def plain_words(text: str) -> list[Token]:
    """Words as read, none inside another: for queries, counting and explanations."""
    return _words(text, DEFAULT)


def _words(text: str, mode: str) -> list[Token]:
    tokens: list[Token] = []
    own = dictionary.current()
    for match in _PIECE.finditer(fold(text)):
        start = match.start()
        if match.group(1):
            cut = own.cut(_segmenter, match.group(), mode)
            tokens += [Token(word, start + first, start + last) for word, first, last in cut]
        else:
            tokens.append(Token(match.group(), start, match.end()))
    return tokens


def pair(first: str, second: str) -> str:
    """The gram of two neighbouring symbols.

    Two runs are kept apart by `_`, which no symbol contains: `ti` `6al` is not the symbol `ti6al`.
    """
    return f"{first}_{second}" if is_run(first) and is_run(second) else first + second


def is_pair(gram: str) -> bool:
    """Whether a gram is the pair of two symbols rather than one symbol."""
    return _SYMBOL.fullmatch(gram) is None


def is_run(symbol: str) -> bool:
    """Whether a symbol is a run of letters and digits rather than one ideograph."""
    return len(symbol) > 1 or symbol < _IDEOGRAPHS


def grams_of(sequence: Iterable[str]) -> Iterator[str]:
    """Each symbol followed by its pair with the next: a b c → a ab b bc c.

    So the grams of a sequence of symbols stand next to one another wherever the sequence does.
    """
    last: str | None = None
    for symbol in sequence:
        if last is not None:
            yield pair(last, symbol)
        yield symbol
        last = symbol


def grams(text: str) -> list[str]:
    """Grams of a text's symbols; separators do not interrupt the sequence.

    The same as `grams_of`, in half the time: every comparison of two texts begins here.
    """
    found = _SYMBOL.findall(fold(text))
    if not found:
        return found
    woven = [""] * (2 * len(found) - 1)
    woven[::2] = found
    woven[1::2] = [
        a + b
        if (len(a) == 1 and a >= _IDEOGRAPHS) or (len(b) == 1 and b >= _IDEOGRAPHS)
        else pair(a, b)
        for a, b in pairwise(found)
    ]
    return woven


def unbroken(text: str) -> list[str]:
    """The stretches of a text in which symbol touches symbol."""
    stretches: list[list[int]] = []
    for token in symbols(text):
        if stretches and stretches[-1][1] == token.start:
            stretches[-1][1] = token.end
        else:
            stretches.append([token.start, token.end])
    return [text[start:end] for start, end in stretches]


def pairs(text: str) -> list[str]:
    """Only the grams of two symbols; of a text with a single symbol, that symbol."""
    found = _SYMBOL.findall(fold(text))
    return [pair(a, b) for a, b in pairwise(found)] or found
