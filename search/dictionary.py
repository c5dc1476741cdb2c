"""Words that jieba's dictionary lacks: a run of ideographs is cut around them first.

Such a word is indexed with the words inside it, like every long word, so that a document indexed
with it is found by whoever does not know it. The other way round it is not: queries may go by a
word only once every document has been indexed with it.

    with using(Dictionary(["超临界水氧化"])):
        engine.write(documents)
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from search.segment import SEARCH, Segmenter


class Dictionary:
    """Folded words of ideographs, each of two at least; the longest that begins first is taken."""

    def __init__(self, words: Iterable[str]) -> None:
        by_first: dict[str, list[str]] = {}
        for word in sorted(set(words), key=len, reverse=True):
            by_first.setdefault(word[0], []).append(word)
        self._by_first = by_first

    def cut(self, segmenter: Segmenter, run: str, mode: str) -> Iterable[tuple[str, int, int]]:
        """As the segmenter's `cut`."""
        return self._cut(segmenter, run, mode) if self._touches(run) else segmenter.cut(run, mode)

    def search_words(self, segmenter: Segmenter, run: str) -> list[str]:
        """As the segmenter's `search_words`."""
        if not self._touches(run):
            return segmenter.search_words(run)
        return [word for word, _, _ in self._cut(segmenter, run, SEARCH)]

    def _touches(self, run: str) -> bool:
        return not self._by_first.keys().isdisjoint(run)

    def _cut(self, segmenter: Segmenter, run: str, mode: str) -> Iterator[tuple[str, int, int]]:
        rest = 0
        for word, start in self._found(run):
            yield from _moved(segmenter, run[rest:start], mode, rest)
            if mode == SEARCH:
                inside = _moved(segmenter, word, mode, start)
                yield from (one for one in inside if one[0] != word)
            yield word, start, start + len(word)
            rest = start + len(word)
        yield from _moved(segmenter, run[rest:], mode, rest)

    def _found(self, run: str) -> Iterator[tuple[str, int]]:
        at = 0
        while at < len(run):
            for word in self._by_first.get(run[at], ()):
                if run.startswith(word, at):
                    yield word, at
                    at += len(word)
                    break
            else:
                at += 1


def _moved(segmenter: Segmenter, piece: str, mode: str, by: int) -> Iterator[tuple[str, int, int]]:
    if piece:
        for word, start, end in segmenter.cut(piece, mode):
            yield word, start + by, end + by


NONE = Dictionary(())
_current: ContextVar[Dictionary] = ContextVar("dictionary", default=NONE)


def current() -> Dictionary:
    return _current.get()


@contextmanager
def using(dictionary: Dictionary) -> Iterator[None]:
    """Let the texts that this thread of work reads meanwhile be cut by these words too."""
    before = _current.set(dictionary)
    try:
        yield
    finally:
        _current.reset(before)
