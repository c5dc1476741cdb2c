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

_OF_OTHERS = frozenset(
    {
        *("序号", "所在学院", "学院", "院系", "联系人", "联系电话", "联系方式"),
        *("手机", "手机号", "电话", "邮箱", "填报人", "填表人"),
    }
)
"""Headings of tables that people keep, left aside where the kind has no column of that name."""

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
        bare = _bare(heading)
        if remembered.get(folded) in known:
            found[heading] = remembered[folded]
        elif not folded or is_reasons(heading) or _UNNAMED.fullmatch(heading):
            found[heading] = ASIDE
        elif (key := names.get(folded) or names.get(bare)) is not None:
            found[heading] = key
        elif bare in _OF_OTHERS:
            found[heading] = ASIDE
    return found


def settled(
    columns: Sequence[Column], found: Mapping[str, str], remembered: Mapping[str, str]
) -> dict[str, str]:
    """Return the proposal with one heading a column: of several the best known, else the first.

    The others are nobody's to guess: a person is asked what they are.
    """
    names = {column.key: {fold(column.label), fold(column.key)} for column in columns}
    known = _names(columns)

    def rank(heading: str) -> int:
        folded = fold(heading)
        if folded in remembered:
            return 0
        return 1 if folded in names[found[heading]] else 2 if folded in known else 3

    taken: dict[str, str] = {}
    for heading in sorted((one for one in found if found[one] != ASIDE), key=rank):
        taken.setdefault(found[heading], heading)
    return {one: key for one, key in found.items() if key == ASIDE or taken[key] == one}


def is_reasons(heading: str) -> bool:
    """Tell whether a heading is that of the reasons of refused rows, once or several times."""
    return _bare(heading) == REASONS


def _bare(heading: str) -> str:
    return fold(_IN_BRACKETS.sub("", unicodedata.normalize("NFKC", heading)))


def missing(columns: Sequence[Column], mapping: Mapping[str, str]) -> list[Column]:
    """Return the required columns that no heading stands for."""
    given = set(mapping.values())
    return [one for one in columns if one.required and one.key not in given]


def problem(columns: Sequence[Column], names: Sequence[str], mapping: Mapping[str, str]) -> str:
    """Return all that a person still has to say of the headings, "" where that is nothing."""
    found = []
    if unsaid := [name for name in names if name not in mapping]:
        listed = "".join(f"“{name}”" for name in unsaid)
        each = "各选" if len(unsaid) > 1 else "选"
        found.append(f"{listed}还没有说明，请{each}一列或选“不导入”")
    if lacking := missing(columns, mapping):
        labels = "、".join(f"“{one.label}”" for one in lacking)
        found.append(f"要有{'' if len(lacking) > 1 else '一个'}表头对应{labels}，现在没有")
    found += [f"“{a}”和“{b}”对应了同一列，请只留一个" for a, b in doubled(mapping)]
    return "；".join(found)


def doubled(mapping: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (first, other) headings that stand for the same column."""
    first: dict[str, str] = {}
    return [
        (first[key], heading)
        for heading, key in mapping.items()
        if key != ASIDE and first.setdefault(key, heading) != heading
    ]
