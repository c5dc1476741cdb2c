"""Where a table begins: the row of its headings, by the headings that the caller knows."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from market.kit.sheets.lines import Line, Merges
from market.kit.sheets.shape import folded

_SUB_HEADING: Final = 20  # characters; longer ones are data
_FIGURE: Final = re.compile(r"[\d.,%:/\-年月日 ]+")


@dataclass(frozen=True, slots=True)
class Header:
    """`row` is the last row of the header, `first` its first; `score` counts known headings."""

    first: int
    row: int
    headings: tuple[str, ...]
    score: int


def find(head: Sequence[Line], merges: Merges, known: frozenset[str]) -> Header | None:
    """Return the header among a sheet's first lines, None where nothing looks like one.

    The row with most known headings wins, the upper of two. Where none is known, it is the first
    row that is nearly as wide as any and has no figures: people map its headings by hand.
    """
    scores = [len({folded(text) for text in cells.values()} & known) for _, cells, _, _ in head]
    best = max(scores, default=0)
    if best:
        index = scores.index(best)
    else:
        widest = max((len(cells) for _, cells, _, _ in head), default=0)
        likely = (
            i
            for i, (_, cells, faults, problem) in enumerate(head)
            if not problem
            and not faults
            and len(cells) * 5 >= widest * 4
            and not any(_FIGURE.fullmatch(text) for text in cells.values())
        )
        index = next(likely, -1)
    if index < 0:
        return None
    first = head[index][0]
    last = _bottom(head, index, merges)
    headings = _headings(head, index, last, merges, known)
    width = max((column for column, text in enumerate(headings) if text), default=-1) + 1
    return Header(first, last, headings[:width], best) if width else None


def _bottom(head: Sequence[Line], index: int, merges: Merges) -> int:
    """Return the last row of a header that begins at a line: of two lines, or merged over them."""
    row, cells, _, _ = head[index]
    merged = [
        last
        for first, column, last, _ in merges.top
        if first <= row < last <= row + 2 and column in cells
    ]
    if merged:
        return max(merged)
    if index + 1 == len(head) or head[index + 1][0] != row + 1:
        return row
    below = head[index + 1][1]
    width = max(cells) + 1
    free = {c for c in below if c not in cells}
    under = {c for c in below if c in cells}
    groups = {c for c in cells if c + 1 not in cells and c + 1 in below}
    looks = all(len(t) <= _SUB_HEADING and not _FIGURE.fullmatch(t) for t in below.values())
    within = all(c <= width + 1 for c in free)
    if len(below) >= 2 and free and looks and within and under <= groups and 0 not in free:
        return row + 1
    return row


def _headings(
    head: Sequence[Line], index: int, last: int, merges: Merges, known: frozenset[str]
) -> tuple[str, ...]:
    row, cells, _, _ = head[index]
    lower: dict[int, str] = {}
    for number, below, _, _ in head[index + 1 :]:
        if number <= last:
            lower |= {c: _one_line(t) for c, t in below.items()}
    upper = _across(row, {c: _one_line(t) for c, t in cells.items()}, merges)
    if lower:
        upper = _groups(upper, lower)
        return tuple(
            _joined(upper.get(c, ""), lower.get(c, ""), known)
            for c in range(max([*upper, *lower]) + 1)
        )
    own = [_one_line(cells.get(c, "")) for c in range(max(cells) + 1)]
    met = Counter(own)
    if index and any(text and met[text] > 1 for text in own):
        number, texts, _, _ = head[index - 1]
        groups = _across(number, {c: _one_line(t) for c, t in texts.items()}, merges)
        own = [
            f"{groups[c]}/{text}" if met[text] > 1 and text and groups.get(c) else text
            for c, text in enumerate(own)
        ]
    return tuple(own)


def _across(row: int, cells: dict[int, str], merges: Merges) -> dict[int, str]:
    """Return a row's texts, each spread over the columns that its merged cell covers."""
    spread = dict(cells)
    for first, column, last, last_column in merges.top:
        if first <= row <= last and column in cells:
            for covered in range(column + 1, min(last_column, column + 100) + 1):
                spread.setdefault(covered, cells[column])
    return spread


def _groups(upper: dict[int, str], lower: dict[int, str]) -> dict[int, str]:
    """Return the upper line with each group's text over the sub-headings to its right."""
    spread = dict(upper)
    for column in sorted(lower):
        if column not in spread and column - 1 in spread and column - 1 in lower:
            spread[column] = spread[column - 1]
    return spread


def _joined(upper: str, lower: str, known: frozenset[str]) -> str:
    if not upper or not lower or upper == lower or folded(lower) in known:
        return lower or upper
    return f"{upper}/{lower}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
