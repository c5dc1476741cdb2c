"""Headings of a file → columns of its kind: what was decided before, else names that are known."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from market.imports.models import HEADING
from market.kit.intake import Column

ASIDE = ""
"""The column of a heading that is left out."""

REASONS = "原因"
"""The heading under which refused rows are handed back with what is wrong; never brought in."""

_IN_BRACKETS = re.compile(r"[(\[【（][^)\]】）]*[)\]】）]")
_UNNAMED = re.compile(r"第\d+列（没有表头）")
_DROPPED = re.compile(r"[\s*:：·、。]+|^\d+[.、)]")


def fold(heading: str) -> str:
    """Return a heading without differences of width, spaces, case and marks."""
    plain = unicodedata.normalize("NFKC", heading).lower()
    return _DROPPED.sub("", plain)[:HEADING]


def _names(columns: Iterable[Column]) -> dict[str, str]:
    found: dict[str, str] = {}
    for column in columns:
        for name in (column.label, column.key, *column.aliases):
            found.setdefault(fold(name), column.key)
    return found


def proposed(
    columns: Sequence[Column], headings: Sequence[str], remembered: Mapping[str, str]
) -> dict[str, str]:
    """Return the column of each heading that can be told, ASIDE for those known to be left out.

    What an organisation decided before comes first; then a name as it stands, then without what
    is in brackets (`价格（万元）`). Empty headings are left aside.
    """
    names = _names(columns)
    known = {column.key for column in columns} | {ASIDE}
    found = {}
    for heading in headings:
        folded = fold(heading)
        bare = fold(_IN_BRACKETS.sub("", unicodedata.normalize("NFKC", heading)))
        if remembered.get(folded) in known:
            found[heading] = remembered[folded]
        elif not folded or folded == REASONS or _UNNAMED.fullmatch(heading):
            found[heading] = ASIDE
        elif (key := names.get(folded) or names.get(bare)) is not None:
            found[heading] = key
    return found


def missing(columns: Sequence[Column], mapping: Mapping[str, str]) -> list[Column]:
    """Return the required columns that no heading stands for."""
    given = set(mapping.values())
    return [one for one in columns if one.required and one.key not in given]


def doubled(mapping: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (first, other) headings that stand for the same column."""
    first: dict[str, str] = {}
    return [
        (first[key], heading)
        for heading, key in mapping.items()
        if key != ASIDE and first.setdefault(key, heading) != heading
    ]
