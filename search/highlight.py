"""Where the words of a query stand in a text, in pieces that a page can escape and mark."""

from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from search.analysis import places, symbol_texts


class Segment(NamedTuple):
    """A piece of the original text; all pieces in order are the text."""

    text: str
    marked: bool


_SEPARATOR = "\x1f"
_ELLIPSIS = Segment("…", marked=False)
_LEAD = 12  # characters shown before the first marked word of a snippet


def highlight(text: str, terms: Iterable[str], limit: int | None = None) -> list[Segment]:
    """The text, cut at `limit` characters (then ending in …), with each term marked.

    A term is found wherever its symbols stand in sequence, whatever the width, case or spaces.
    """
    end = len(text) if limit is None else limit
    return _segments(text, spans(text, terms), 0, end)


def snippet(
    text: str, terms: Iterable[str], length: int = 120, found: list[tuple[int, int]] | None = None
) -> list[Segment]:
    """`length` characters of the text where most different terms stand close together; its
    beginning where there are none. … stands for what was left out before and behind.

    `found`: the text's `spans`, where they are known.
    """
    there = spans(text, terms) if found is None else found
    start = _best_start(text, there, length)
    return _segments(text, there, start, start + length)


def spans(text: str, terms: Iterable[str]) -> list[tuple[int, int]]:
    """(start, end) of every place that a term covers, in order, overlapping ones joined."""
    texts = symbol_texts(text)
    line = _SEPARATOR + "".join([symbol + _SEPARATOR for symbol in texts])
    there = [(wanted, count) for wanted, count in map(_wanted, terms) if count and wanted in line]
    if not there:
        return []
    offsets = accumulate([len(symbol) + 1 for symbol in texts], initial=0)
    index = {offset: number for number, offset in enumerate(offsets)}
    bounds = places(text)
    found: list[tuple[int, int]] = []
    for wanted, count in there:
        place = line.find(wanted)
        while place >= 0:
            first = index[place]
            found.append((bounds[first][0], bounds[first + count - 1][1]))
            place = line.find(wanted, place + 1)
    return _joined(found)


@lru_cache(maxsize=10_000)  # the same terms are looked for in every text of a page
def _wanted(term: str) -> tuple[str, int]:
    """A term as it stands in a line of symbols, and how many symbols it has."""
    sequence = symbol_texts(term)
    return _SEPARATOR + "".join([symbol + _SEPARATOR for symbol in sequence]), len(sequence)


def _joined(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _best_start(text: str, found: list[tuple[int, int]], length: int) -> int:
    """Where the window begins that shows most different marked words."""
    best, most = 0, 0
    for start, _ in found:
        window = max(0, min(start - _LEAD, len(text) - length))
        shown = {text[a:b] for a, b in found if a >= window and b <= window + length}
        if len(shown) > most:
            best, most = window, len(shown)
    return best


def _segments(text: str, found: list[tuple[int, int]], begin: int, stop: int) -> list[Segment]:
    segments = [_ELLIPSIS] if begin > 0 else []
    place = begin
    for start, end in found:
        low, high = max(start, place), min(end, stop)
        if low >= high:
            continue
        if low > place:
            segments.append(Segment(text[place:low], marked=False))
        segments.append(Segment(text[low:high], marked=True))
        place = high
    if text[place:stop]:
        segments.append(Segment(text[place:stop], marked=False))
    if stop < len(text):
        segments.append(_ELLIPSIS)
    return segments
