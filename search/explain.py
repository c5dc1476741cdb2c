"""Why a ranker finds two texts alike, in words a person reads: what they share, and what is
missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from search.analysis import PARTICLES, Token, grams_of, places, plain_words, symbol_texts
from search.ranking import Prepared, Ranker, Text

# Closed-class words: they begin and end no phrase worth showing.
_FUNCTION_WORDS = frozenset(
    (
        *PARTICLES,
        *"向从到由为以着过有所将把被使可能会该此本各每某个种类项",
        *"中上下内外前后一不非也都并又就但已如则用年月日性化型式",
        *("一种", "一个", "基于", "及其", "以及", "用于", "进行", "具有", "采用", "实现", "通过"),
        *("对于", "关于", "有关", "能够", "可以", "需要", "要求", "主要", "目前", "其中", "同时"),
        *("我们", "公司", "使用", "利用", "提供", "包括", "等等", "方面", "问题", "情况", "相关"),
    )
)
# Of the weight of the most telling term: weaker ones explain nothing.
_LEAST_SHARED = 0.01
_LEAST_MISSING = 0.4
_COMMON = 0.1  # of all texts: what more have (技术, 研究, 系统) tells nothing about two of them


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase as it stands in the wanted text, and its share (0 … 1) of the whole."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """`shared`: longest common phrases, most telling first; `weight` is the share of the score.

    `missing`: what the wanted text asks for most and the offered one does not name; `weight` is the
    share of the wanted text's own weight.
    """

    score: float
    shared: tuple[Term, ...]
    missing: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of the wanted text; `joined` is how it stands in a haystack."""

    symbols: tuple[str, ...]
    start: int
    end: int
    joined: str
    is_function: bool
    is_single: bool


def explain(
    ranker: Ranker, wanted: Text | Prepared, offered: Text | Prepared, *, limit: int = 5
) -> Explanation:
    """At most `limit` shared and `limit` missing terms; empty where there is nothing to name.

    Terms are whole words of the wanted text, or several in a row; a single character is none.
    """
    left, right = ranker.prepared(wanted), ranker.prepared(offered)
    score = ranker.score(left, right)
    place = _haystack(right.text)
    shared: dict[tuple[str, ...], Term] = {}
    missing: dict[tuple[str, ...], Term] = {}
    whole = sum(weight * weight for weight in left.vector.values())
    for source in (left.text.title, left.text.body):
        for chunk in _chunks(source):
            for run, found in _runs(chunk, place):
                key = _symbols(run)
                kept = shared if found else missing
                if key in kept or not _readable(key):
                    continue
                grams = set(grams_of(key))
                if min(map(ranker.commonness, grams)) > _COMMON:
                    continue
                if found:
                    weight = sum(left.vector[g] * right.vector[g] for g in grams) / score
                else:
                    weight = sum(left.vector[g] ** 2 for g in grams - right.vector.keys()) / whole
                if weight > 0:
                    kept[key] = Term(source[run[0].start : run[-1].end], min(weight, 1.0))
    return Explanation(
        score,
        _telling(shared, limit, _LEAST_SHARED),
        _telling(missing, limit, _LEAST_MISSING),
    )


def _telling(terms: dict[tuple[str, ...], Term], limit: int, least: float) -> tuple[Term, ...]:
    """The heaviest terms, none standing inside a heavier one."""
    chosen: list[tuple[str, Term]] = []
    for key, term in sorted(terms.items(), key=lambda item: -item[1].weight):
        if len(chosen) == limit or (chosen and term.weight < chosen[0][1].weight * least):
            break
        joined = _join(key)
        if not any(joined in other for other, _ in chosen):
            chosen.append((joined, term))
    return tuple(term for _, term in chosen)


def _readable(key: tuple[str, ...]) -> bool:
    """Two symbols or more, or one run of at least two characters; bare numbers tell nothing."""
    return sum(map(len, key)) > 1 and not all(s.replace(".", "").isdigit() for s in key)


def _join(sequence: tuple[str, ...]) -> str:
    return " " + " ".join(sequence) + " "


def _haystack(text: Text) -> str:
    """All symbols of a text, a bar wherever punctuation stands between two."""
    parts = []
    for source in (text.title, text.body):
        last = None
        for symbol, (start, end) in zip(symbol_texts(source), places(source), strict=True):
            if last is None or (start > last and not source[last:start].isspace()):
                parts.append("|")
            parts.append(symbol)
            last = end
    return f" {' '.join(parts)} "


def _unbroken(tokens: list[Token], source: str) -> Iterator[list[Token]]:
    """Tokens in groups between which more than space stands."""
    group: list[Token] = []
    for token in tokens:
        if group and source[group[-1].end : token.start].strip():
            yield group
            group = []
        group.append(token)
    if group:
        yield group


@lru_cache(maxsize=16)  # one wanted text is explained with many that are offered
def _chunks(source: str) -> list[list[_Word]]:
    return [[_word(token) for token in group] for group in _unbroken(plain_words(source), source)]


def _word(token: Token) -> _Word:
    found = tuple(symbol_texts(token.text))
    return _Word(
        found,
        token.start,
        token.end,
        " ".join(found) + " ",
        is_function="".join(found) in _FUNCTION_WORDS,
        is_single=len(found) == len(found[0]) == 1,
    )


def _runs(chunk: list[_Word], place: str) -> Iterator[tuple[list[_Word], bool]]:
    """The chunk's words in the longest rows that the other text has, and those it lacks."""
    start = 0
    while start < len(chunk):
        end, row = start, " "
        while end < len(chunk) and (row := row + chunk[end].joined) in place:
            end += 1
        found = end > start
        if not found:
            end = _word_end(chunk, start)
        run = _without_function_words(chunk[start:end])
        if run:
            yield run, found
        start = end


def _word_end(chunk: list[_Word], start: int) -> int:
    """Past the word at `start`, and past the one ideograph left over behind it (石墨 + 烯)."""
    after = chunk[start + 1 : start + 3]
    alone = [word for word in after if word.is_single and not word.is_function]
    return start + 1 + (len(alone) == 1 and alone[0] is after[0] and not chunk[start].is_function)


def _without_function_words(run: list[_Word]) -> list[_Word]:
    while run and run[0].is_function:
        run = run[1:]
    while run and run[-1].is_function:
        run = run[:-1]
    return run


def _symbols(run: list[_Word]) -> tuple[str, ...]:
    return tuple(symbol for word in run for symbol in word.symbols)
