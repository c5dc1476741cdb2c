"""Listings in words, for the pages on which they are found, read and matched."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from frontend import formats
from frontend.rows import ListingRow
from market.access.service import Seen
from market.catalog.schemas import AchievementText, DemandText, Price
from market.catalog.vocabulary import FIELDS, MATURITY, ListingKind
from market.discovery.results import Found
from search.highlight import Segment

SHORT_MATURITY = {
    1: "原理",
    2: "方案设想",
    3: "可行性论证",
    4: "实验室验证",
    5: "部件验证",
    6: "样机演示",
    7: "工程样机",
    8: "试用",
    9: "实际应用",
}


def price(given: Price) -> str:
    return formats.price(given.form, given.basis, given.low_fen, given.high_fen)


def maturity(level: int | None) -> str:
    return "" if level is None else f"{level}级 {MATURITY[level]}"


def marked(segments: Iterable[Segment]) -> Markup:
    """Return pieces of a text, what was searched for in <mark>."""
    return Markup("").join(
        Markup("<mark>{}</mark>").format(part.text) if part.marked else escape(part.text)
        for part in segments
    )


def row(
    seen: Seen,
    *,
    title: str | Markup = "",
    summary: str | Markup = "",
    note: Sequence[str] | None = None,
) -> ListingRow:
    """Return a listing as a row of a list: its own title unless one is given, and beside the other
    facts its intellectual property unless something else is to be noted.
    """
    shown, text = seen.shown, seen.shown.text
    level = text.maturity_level if isinstance(text, AchievementText) else None
    ip = [text.ip_status] if isinstance(text, AchievementText) and text.ip_status else []
    return ListingRow(
        href=f"/listings/{shown.public_id}",
        title=title or text.title,
        holder=shown.organisation_name,
        summary=summary,
        fields=(FIELDS[text.field],) if text.field is not None else (),
        maturity=level,
        maturity_label=SHORT_MATURITY.get(level or 0, ""),
        price=price(text.price),
        modes=tuple(text.modes),
        note=ip if note is None else note,
        published=shown.published_at,
        deadline=text.deadline if isinstance(text, DemandText) else None,
    )


def found_row(found: Found) -> ListingRow:
    return row(found.seen, title=marked(found.title), summary=marked(found.text))


def is_demand(seen: Seen) -> bool:
    return seen.shown.kind is ListingKind.DEMAND
