"""What a person typed → query tree.

- Words, with or without spaces between them. Up to three must all be in a document, in whichever
  field; of more, most (two thirds) must. Titles are found by their characters as well, however the
  typed text and the title fall into words. Instead of a word a synonym will do, which scores less.
- "in quotes": exactly this sequence in titles and names; in longer texts the same words next to
  one another.
- name:word or name:"in quotes": in the field that the schema calls so, all of it.
- -word, -"in quotes" or -name:word: documents without it. Before a digit the minus is a sign:
  `-20℃` excludes nothing.

`TC4` and `TC-4`, `Ti6Al4V` and `Ti-6Al-4V` are one word each. Nothing a person can type is an
error. Text past LONGEST_QUERY characters is left out.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain

from search.analysis import (
    PARTICLES,
    Token,
    fold,
    grams,
    is_run,
    pairs,
    plain_words,
    unbroken,
    word_texts,
)
from search.query import All, And, AtLeast, Not, Or, Phrase, Query, Scaled, Words
from search.schema import Schema, TextField
from search.synonyms import NONE, Synonyms

LONGEST_QUERY = 200
"""Characters."""

SYNONYM = 0.1
"""Of the score of one word: a synonym does not stand above what was typed, however rare or long."""

_ALL_OF = 3
_QUOTES = str.maketrans(dict.fromkeys("“”„‟「」『』", '"'))
_HYPHENS = frozenset("-‐–")
_TURN = re.compile(r"(?<=[^\W\d_])(?=\d)")  # from letters to digits inside a run: tc|4


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing that was typed: a word, or several that are a term together.

    `typed` is the original text, `words` are folded; `spellings` are as good as these, `synonyms`
    nearly.
    """

    typed: str
    words: tuple[str, ...]
    spellings: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """`terms`: what to highlight, folded; those typed for one field are in `within`, by its name.
    `wanted`: what is to be found, as one text; `without`: the parts of the query that exclude.
    `units`: what was typed plainly, each once; `only_units`: whether nothing else was typed
    (quoted, excluded, for one field). `shortened`: whether the end was left out.
    """

    query: Query
    terms: tuple[str, ...] = ()
    within: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wanted: str = ""
    without: tuple[Query, ...] = ()
    units: tuple[Unit, ...] = ()
    only_units: bool = False
    shortened: bool = False

    def terms_in(self, name: str) -> tuple[str, ...]:
        """What to highlight in the text field of this name."""
        return (*self.terms, *self.within.get(name, ()))


def parse(
    typed: str,
    schema: Schema,
    synonyms: Synonyms = NONE,
    left_out: Collection[tuple[str, ...]] = (),
) -> Parsed:
    """All documents where nothing was typed that could be searched for. Never raises.

    `left_out`: the words of units that are not asked for.
    """
    read = _Read(typed[:LONGEST_QUERY], schema, synonyms, left_out)
    parts = [*read.plain_query(), *read.others]
    query = All() if not parts else parts[0] if len(parts) == 1 else And(tuple(parts))
    units = read.asked()
    terms = [*(term for unit in units for term in _shown(unit)), *read.exact]
    some = [*(unit.typed for unit in units), *read.exact, *chain(*read.within.values())]
    return Parsed(
        query,
        terms=tuple(dict.fromkeys(terms)),
        within={name: tuple(dict.fromkeys(there)) for name, there in read.within.items()},
        wanted=" ".join(some),
        without=tuple(one for one in read.others if isinstance(one, Not)),
        units=units,
        only_units=bool(units) and not read.others,
        shortened=len(typed) > LONGEST_QUERY,
    )


def _shown(unit: Unit) -> tuple[str, ...]:
    return (*unit.words, *unit.spellings, *unit.synonyms)


@dataclass(slots=True)
class _Read:
    """A typed text in its pieces."""

    typed: str
    schema: Schema
    synonyms: Synonyms
    left_out: Collection[tuple[str, ...]]
    units: dict[tuple[str, ...], Unit] = field(default_factory=dict)
    pieces: list[str] = field(default_factory=list)
    exact: list[str] = field(default_factory=list)
    within: dict[str, list[str]] = field(default_factory=dict)
    others: list[Query] = field(default_factory=list)

    def __post_init__(self) -> None:
        for piece in _pieces(self.schema).finditer(fold(self.typed).translate(_QUOTES)):
            text = piece["plain"] if piece["quoted"] is None else piece["quoted"]
            quoted = piece["quoted"] is not None
            if piece["field"] is None and not quoted and not piece["minus"]:
                self._add_plain(text, piece.start("plain"))
            elif grams(text):
                self._add_other(text, piece["field"], quoted=quoted, minus=bool(piece["minus"]))

    def _add_plain(self, text: str, start: int) -> None:
        for unit, first, last in _units(text, self.typed[start : start + len(text)], self.synonyms):
            if unit.words in self.left_out:
                text = text[:first] + " " * (last - first) + text[last:]
            else:
                self.units.setdefault(unit.words, unit)
        self.pieces.append(text)

    def _add_other(self, text: str, name: str | None, *, quoted: bool, minus: bool) -> None:
        where = self.schema.texts if name is None else (_called(self.schema)[name],)
        wanted = _exact(text, where) if quoted or minus else _wholly(text, where[0])
        self.others.append(Not(wanted) if minus else wanted)
        if not minus:
            terms = self.exact if name is None else self.within.setdefault(where[0].name, [])
            terms += [text] if quoted else [word.text for word in plain_words(text)]

    def asked(self) -> tuple[Unit, ...]:
        """The units but for particles, unless there is nothing else."""
        telling = [unit for unit in self.units.values() if not PARTICLES.issuperset(unit.words)]
        return tuple(telling or self.units.values())

    def plain_query(self) -> Iterator[Query]:
        units = self.asked()
        if not units:
            return
        everything = len(units) <= _ALL_OF
        query = _said(units, _most(units, everything=everything), self.schema)
        if self.schema.grams_fields:
            # Segmentation depends on context: the title's words may not be the typed ones.
            pairs = tuple(dict.fromkeys(p for text in self.pieces for p in _touching_pairs(text)))
            least = _most(pairs, everything=everything)
            query = Or((query, Words(pairs, self.schema.grams_fields, least)))
        yield query


@lru_cache(maxsize=8)
def _called(schema: Schema) -> dict[str, TextField]:
    return {fold(name): text for text in schema.texts for name in text.called}


@lru_cache(maxsize=8)
def _pieces(schema: Schema) -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in sorted(_called(schema), key=len, reverse=True))
    return re.compile(
        r"(?P<minus>(?<!\S)-(?=[^\s\d-]))?"
        rf"(?:(?P<field>{names or '(?!)'}):\s*(?!-))?"
        r'(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s"]+))'
    )


def _units(text: str, typed: str, synonyms: Synonyms) -> Iterator[tuple[Unit, int, int]]:
    """The units of a piece without spaces, each with its place in it."""
    words = plain_words(text)
    terms = {same.first: (same.last, same.others) for same in synonyms.find(words)}
    first = 0
    while first < len(words):
        last, others = terms.get(first) or (_hyphened(words, first, text), ())
        some = words[first:last]
        start, end = some[0].start, some[-1].end
        yield (
            Unit(
                typed[start:end],
                tuple(dict.fromkeys(word.text for word in some)),
                _spellings(some, text[start:end]),
                others,
            ),
            start,
            end,
        )
        first = last


def _hyphened(words: Sequence[Token], first: int, text: str) -> int:
    """Past the runs that hyphens join to the word at `first`, or past the word."""
    last = first + 1
    while (
        last < len(words)
        and _is_run(words[last - 1])
        and _is_run(words[last])
        and text[words[last - 1].end : words[last].start] in _HYPHENS
    ):
        last += 1
    return last


def _is_run(word: Token) -> bool:
    return is_run(word.text[0])


def _spellings(words: Sequence[Token], text: str) -> tuple[str, ...]:
    """The other spelling of a model number: in one run, or in several."""
    if not all(map(_is_run, words)):
        return ()
    other = "".join(word.text for word in words) if len(words) > 1 else _TURN.sub("-", text)
    return (other,) if other != text else ()


def _said(units: Sequence[Unit], least: int, schema: Schema) -> Query:
    """At least so many of the units, in whichever field."""
    if all(len(unit.words) == 1 and len(_shown(unit)) == 1 for unit in units):
        return Words(tuple(unit.words[0] for unit in units), schema.words_fields, least)
    parts = tuple(_unit(unit, schema) for unit in units)
    return parts[0] if len(parts) == 1 else AtLeast(parts, least)


def _unit(unit: Unit, schema: Schema) -> Query:
    parts: list[Query] = [Words(unit.words, schema.words_fields, len(unit.words))]
    parts += [_exact(text, schema.texts) for text in unit.spellings]
    parts += [
        Scaled(phrase, SYNONYM / len(phrase.terms))  # a phrase scores as much as all its terms
        for text in unit.synonyms
        for phrase in _phrases(text, schema.texts)
    ]
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _most(terms: Sequence[object], *, everything: bool) -> int:
    return len(terms) if everything else len(terms) - len(terms) // 3


def _touching_pairs(text: str) -> list[str]:
    return [pair for part in unbroken(text) for pair in pairs(part)]


def _exact(text: str, fields: Iterable[TextField]) -> Query:
    """The text as it is in one of the fields."""
    phrases = _phrases(text, fields)
    return phrases[0] if len(phrases) == 1 else Or(phrases)


def _phrases(text: str, fields: Iterable[TextField]) -> tuple[Phrase, ...]:
    sequence = tuple(word_texts(text))
    return tuple(
        Phrase(tuple(grams(text)), one.grams_field) if one.grams else Phrase(sequence, one.name)
        for one in fields
    )


def _wholly(text: str, one: TextField) -> Query:
    """All words of the text in one field, or all its characters where the field has these."""
    words = tuple(dict.fromkeys(word.text for word in plain_words(text)))
    query = Words(words, (one.name,), len(words))
    if not one.grams:
        return query
    touching = tuple(dict.fromkeys(_touching_pairs(text)))
    return Or((query, Words(touching, (one.grams_field,), len(touching))))
