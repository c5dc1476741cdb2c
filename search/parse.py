"""What a person typed → query tree.

- Words, with or without spaces between them. Up to three must all be in a document, in whichever
  field; of more, most (two thirds) must. Titles are found by their characters as well, however the
  typed text and the title fall into words.
- "in quotes": exactly this sequence in titles and names; in longer texts the same words next to
  one another.
- -word or -"in quotes": documents without it. Before a digit the minus is a sign: `-20℃` excludes
  nothing.

Nothing a person can type is an error. Text past LONGEST_QUERY characters is left out.
"""

import re
from dataclasses import dataclass

from search.analysis import PARTICLES, fold, grams, pairs, plain_words, unbroken, word_texts
from search.query import All, And, Not, Or, Phrase, Query, Words
from search.schema import Schema

LONGEST_QUERY = 200
"""Characters."""

_ALL_OF = 3
_QUOTES = str.maketrans(dict.fromkeys("“”„‟「」『』", '"'))
_PIECE = re.compile(r'(?P<minus>(?<!\S)-(?=[^\s\d-]))?(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s"]+))')


@dataclass(frozen=True, slots=True)
class Parsed:
    """`terms`: what to highlight, folded. `shortened`: whether the end was left out."""

    query: Query
    terms: tuple[str, ...] = ()
    shortened: bool = False


def parse(typed: str, schema: Schema) -> Parsed:
    """All documents where nothing was typed that could be searched for. Never raises."""
    plain: list[str] = []
    exact: list[str] = []
    without: list[str] = []
    for piece in _PIECE.finditer(fold(typed[:LONGEST_QUERY]).translate(_QUOTES)):
        text = piece["plain"] if piece["quoted"] is None else piece["quoted"]
        if piece["minus"]:
            without.append(text)
        elif piece["quoted"] is None:
            plain.append(text)
        else:
            exact.append(text)
    units = _units(plain)
    parts: list[Query] = []
    if units:
        parts.append(_words(units, plain, schema))
    parts += [_exact(text, schema) for text in exact if grams(text)]
    parts += [Not(_exact(text, schema)) for text in without if grams(text)]
    query = All() if not parts else parts[0] if len(parts) == 1 else And(tuple(parts))
    terms = (*units, *(text for text in exact if grams(text)))
    return Parsed(query, tuple(dict.fromkeys(terms)), shortened=len(typed) > LONGEST_QUERY)


def _units(plain: list[str]) -> list[str]:
    """The distinct words typed, without particles unless there is nothing else."""
    typed = dict.fromkeys(word.text for text in plain for word in plain_words(text))
    return [word for word in typed if word not in PARTICLES] or list(typed)


def _words(units: list[str], plain: list[str], schema: Schema) -> Query:
    everything = len(units) <= _ALL_OF
    query = Words(tuple(units), schema.words_fields, _most(units, everything=everything))
    if not schema.grams_fields:
        return query
    # Segmentation depends on context: the title's words may not be the typed ones.
    touching = list(dict.fromkeys(pair for text in plain for pair in _touching_pairs(text)))
    by_character = Words(
        tuple(touching), schema.grams_fields, _most(touching, everything=everything)
    )
    return Or((query, by_character))


def _most(terms: list[str], *, everything: bool) -> int:
    return len(terms) if everything else len(terms) - len(terms) // 3


def _touching_pairs(text: str) -> list[str]:
    return [pair for part in unbroken(text) for pair in pairs(part)]


def _exact(text: str, schema: Schema) -> Query:
    sequence = tuple(word_texts(text))
    phrases = tuple(
        Phrase(tuple(grams(text)), field.grams_field)
        if field.grams
        else Phrase(sequence, field.name)
        for field in schema.texts
    )
    return phrases[0] if len(phrases) == 1 else Or(phrases)
