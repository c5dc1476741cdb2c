"""Words that stand for one another, as data: what was typed → what else says the same."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from search.analysis import Token, fold, symbols


class Same(NamedTuple):
    """The words `first` up to `last`, and what may stand for them, folded."""

    first: int
    last: int
    others: tuple[str, ...]


class Synonyms:
    """Groups of terms; each stands for every other of its own groups, and no further.

    A term without a single letter, digit or ideograph stands for nothing.
    """

    def __init__(self, groups: Iterable[Iterable[str]] = ()) -> None:
        self._others: dict[tuple[str, ...], dict[str, None]] = {}
        for group in groups:
            terms = {_key(term): fold(term) for term in group}
            terms.pop((), None)
            for key in terms:
                others = self._others.setdefault(key, {})
                others.update((term, None) for other, term in terms.items() if other != key)
        self._longest = max(map(len, self._others), default=0)

    def find(self, words: Sequence[Token]) -> list[Same]:
        """Where whole words in a row are a term that has others: from left to right, the longest
        at each place.
        """
        found: list[Same] = []
        first = 0
        while first < len(words) and self._longest:
            same = self._at(words, first)
            if same is not None:
                found.append(same)
            first = same.last if same is not None else first + 1
        return found

    def _at(self, words: Sequence[Token], first: int) -> Same | None:
        key: tuple[str, ...] = ()
        longest: Same | None = None
        for last, word in enumerate(words[first:], start=first + 1):
            key += _key(word.text)
            if len(key) > self._longest:
                break
            if others := self._others.get(key):
                longest = Same(first, last, tuple(others))
        return longest


def _key(term: str) -> tuple[str, ...]:
    return tuple(symbol.text for symbol in symbols(term))


NONE = Synonyms()
