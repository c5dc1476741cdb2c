"""Which fields documents have: data, from which each engine makes its own mapping."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from search.analysis import ANALYSIS_VERSION
from search.document import Document
from search.errors import DocumentRejected

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_GRAMS = "_grams"
_RESERVED = frozenset({"id", "version", "live"})
_LARGEST = 2**63 - 1
_LONGEST_FACET = 1_000


@dataclass(frozen=True, slots=True)
class TextField:
    """A text field. Its words are indexed with positions.

    `boost` multiplies its part of a score. With `grams`, the folded characters and their pairs are
    indexed as well, in the field `grams_field`, so that exact sequences can be found whatever the
    segmentation; meant for titles and names, because it triples the work of indexing a text.
    """

    name: str
    boost: float = 1.0
    grams: bool = False

    @property
    def grams_field(self) -> str:
        return self.name + _GRAMS


@dataclass(frozen=True, slots=True)
class Schema:
    """All fields of an index. Raises ValueError for a bad or doubled name."""

    texts: tuple[TextField, ...]
    facets: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [*self.token_fields, *self.facets, *self.numbers]
        for name in names:
            if not _NAME.fullmatch(name) or name in _RESERVED:
                raise ValueError(f"bad field name: {name!r}")
        if len(set(names)) != len(names):
            raise ValueError(f"a field name stands twice: {sorted(names)}")

    @property
    def words_fields(self) -> tuple[str, ...]:
        """Fields that hold words: every text field."""
        return tuple(text.name for text in self.texts)

    @property
    def grams_fields(self) -> tuple[str, ...]:
        """Fields that hold character grams, for the texts that keep them."""
        return tuple(text.grams_field for text in self.texts if text.grams)

    @property
    def token_fields(self) -> tuple[str, ...]:
        return self.words_fields + self.grams_fields

    def boost(self, field: str) -> float:
        """Boost of a words or grams field; KeyError for any other."""
        for text in self.texts:
            if field in (text.name, text.grams_field):
                return text.boost
        raise KeyError(field)

    @property
    def fingerprint(self) -> str:
        """Changes whenever an index built before would answer differently: with fields or analysis."""
        fields = (
            [(text.name, text.grams) for text in self.texts],
            self.facets,
            self.numbers,
            ANALYSIS_VERSION,
        )
        return hashlib.sha256(repr(fields).encode()).hexdigest()[:12]

    def check(self, document: Document) -> None:
        """Raise DocumentRejected unless the document can be indexed whole."""
        for problem in self._problems(document):
            raise DocumentRejected(document.id, problem)

    def _problems(self, document: Document) -> Iterator[str]:
        for name, number in (("id", document.id), ("version", document.version)):
            if type(number) is not int or not 0 < number <= _LARGEST:
                yield f"{name} is {number!r}, not a positive 64-bit integer"
        for kind, given, known in (
            ("text", document.texts, self.words_fields),
            ("facet", document.facets, self.facets),
            ("number", document.numbers, self.numbers),
        ):
            for name in given:
                if name not in known:
                    yield f"{kind} field {name!r} is not in the schema"
        for name, text in document.texts.items():
            if not isinstance(text, str):
                yield f"text field {name!r} holds {type(text).__name__}"
        for name, values in document.facets.items():
            if not isinstance(values, tuple) or not all(_is_facet_value(v) for v in values):
                yield f"facet field {name!r} is not a tuple of 1 to {_LONGEST_FACET} characters each"
        for name, number in document.numbers.items():
            if type(number) is not int or not -_LARGEST <= number <= _LARGEST:
                yield f"number field {name!r} holds {number!r}, not a 64-bit integer"


def _is_facet_value(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_FACET
