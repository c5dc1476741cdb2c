"""How listings are put into words: where they stand, and the values of their columns."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import JsonValue

from frontend import formats
from market.catalog.models import Listing, ListingState, ReviewState
from market.catalog.repository import Shelf
from market.catalog.texts import Difference, Text
from market.catalog.vocabulary import (
    FIELDS,
    LABELS,
    MATURITY,
    ListingKind,
    region_name,
)

SHELF_NAMES = {
    Shelf.DRAFT: "草稿",
    Shelf.SUBMITTED: "等待审核",
    Shelf.REFUSED: "未通过",
    Shelf.PUBLISHED: "已公开",
    Shelf.WITHDRAWN: "已撤下",
}
_UNSEEN = {
    ReviewState.DRAFT: ("todo", "草稿"),
    ReviewState.SUBMITTED: ("wait", "等待审核"),
    ReviewState.REFUSED: ("late", "未通过审核"),
}
_CHANGED = {
    ReviewState.DRAFT: ("todo", "有未提交的修改"),
    ReviewState.SUBMITTED: ("wait", "修改等待审核"),
    ReviewState.REFUSED: ("late", "修改未通过审核"),
}


def standing(listing: Listing) -> list[tuple[str, str]]:
    """Return (state of the design, words): what is public, then how the newest text stands."""
    state, review = ListingState(listing.state), ReviewState(listing.review_state)
    if state is ListingState.PRIVATE:
        return [_UNSEEN[review]]
    shown = ("done", "已公开") if state is ListingState.PUBLISHED else ("stop", "已撤下")
    edited = listing.public_revision_id != listing.working_revision_id
    if review is ReviewState.APPROVED or (review is ReviewState.DRAFT and not edited):
        return [shown]
    return [shown, _CHANGED[review]]


def _level(level: int) -> str:
    return f"{level}级 {MATURITY[level]}"


def _price(price: Mapping[str, Any]) -> str:
    return formats.price(price["form"], price["basis"], price["low_fen"], price["high_fen"])


_WORDS: dict[str, Callable[[Any], str]] = {
    "field": FIELDS.__getitem__,
    "region": region_name,
    "maturity_level": _level,
    "need_maturity": _level,
    "keywords": "、".join,
    "modes": "、".join,
    "price": _price,
}


def value(field: str, given: JsonValue) -> str:
    """Return the value of a column (as JSON has it) in words, "" for none."""
    empty = given is None or given in ("", [])
    return "" if empty else _WORDS.get(field, str)(given)


def columns(text: Text, kind: ListingKind) -> list[tuple[str, str, str]]:
    """Return (column, label, words) of what a text states, in the order of the form."""
    values = text.model_dump(mode="json")
    return [
        (name, label, words)
        for name, label in LABELS[kind].items()
        if name in values and name != "title" and (words := value(name, values[name]))
    ]


def compared(changes: tuple[Difference, ...], kind: ListingKind) -> list[tuple[str, str, str]]:
    """Return (label, before, after) of each difference in words."""
    labels = LABELS[kind]
    return [
        (labels[one.field], value(one.field, one.before), value(one.field, one.after))
        for one in changes
    ]
