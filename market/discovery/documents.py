"""Listings as documents: the fields of the index, and a row → its document.

A masked listing's document says nothing of its organisation, so that no search, facet, count or
suggestion can reveal the name.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Final

from market.catalog.schemas import AchievementText, DemandText, Price
from market.catalog.texts import Text as ListingText
from market.catalog.views import Source
from market.catalog.vocabulary import PriceBasis, PriceForm
from market.discovery.relevance import COMPLETE, PUBLISHED, completeness
from market.kit.money import FEN_PER_WAN
from search.document import Document
from search.ranking import Text
from search.schema import Schema, TextField

CONTENT: Final = "content"
TITLE: Final = "title"
BODY: Final = "body"
SCHEMA: Final = Schema(
    texts=(
        TextField(TITLE, boost=3.0, grams=True, spelled=True, called=("标题", "名称", "title")),
        TextField("keywords", boost=2.0, called=("关键词", "keyword", "keywords")),
        TextField(BODY, called=("说明", "正文", "text")),
        TextField("holder", spelled=True, called=("机构", "单位", "org")),
    ),
    facets=("kind", "field", "maturity", "mode", "price", "organisation", "region"),
    numbers=(PUBLISHED, COMPLETE, "price_low", "maturity_level", "deadline", CONTENT),
)
"""PUBLISHED and `deadline` are seconds since 1970 (a deadline's midnight UTC), COMPLETE how much
the listing says, `price_low` fen of the whole (only totals), `maturity_level` 1 … 9, CONTENT a
digest of all else in the document."""

MATURITY_BANDS: Final = {
    "1-3": ("1～3级 原理与论证", range(1, 4)),
    "4-5": ("4～5级 实验室验证", range(4, 6)),
    "6-7": ("6～7级 样机", range(6, 8)),
    "8-9": ("8～9级 试用与应用", range(8, 10)),
}
OPEN_PRICE: Final = "open"
PRICE_BANDS: Final = {
    "0-50": ("50万元以下", range(50 * FEN_PER_WAN)),
    "50-100": ("50～100万元", range(50 * FEN_PER_WAN, 100 * FEN_PER_WAN)),
    "100-300": ("100～300万元", range(100 * FEN_PER_WAN, 300 * FEN_PER_WAN)),
    "300-": ("300万元以上", range(300 * FEN_PER_WAN, 2**63)),
    OPEN_PRICE: ("面议", range(0)),
}
"""Facet value → label and the fen it covers, the lower end included."""


def document(source: Source, version: int) -> Document:
    text = source.text
    facets: dict[str, tuple[str, ...]] = {
        "kind": (source.kind,),
        "field": (str(text.field),) if text.field is not None else (),
        "mode": tuple(str(mode) for mode in text.modes),
        "price": price_bands(text.price),
        "region": (source.region,) if source.region else (),
    }
    texts = {"title": text.title, "keywords": " ".join(text.keywords), "body": body(text)}
    numbers = {
        PUBLISHED: int(source.published_at.timestamp()),
        COMPLETE: completeness(text),
    }
    if not source.masked:
        facets["organisation"] = (source.organisation_public_id,)
        texts["holder"] = source.organisation_name
    if (amount := lowest(text.price)) is not None:
        numbers["price_low"] = amount
    if isinstance(text, DemandText):
        if text.deadline is not None:
            numbers["deadline"] = _seconds(text.deadline)
    elif text.maturity_level is not None:
        facets["maturity"] = (maturity_band(text.maturity_level),)
        numbers["maturity_level"] = text.maturity_level
    facets = {name: values for name, values in facets.items() if values}
    numbers[CONTENT] = _digest(texts, facets, numbers)
    return Document(
        id=source.listing_id, version=version, texts=texts, facets=facets, numbers=numbers
    )


def _digest(*content: Mapping[str, object]) -> int:
    """Return 62 bits by which an audit tells a document from another of the same version."""
    told = json.dumps(content, ensure_ascii=True, sort_keys=True)
    return int.from_bytes(hashlib.sha256(told.encode()).digest()[:8]) >> 2


def body(text: ListingText) -> str:
    """Return everything a listing says beside its title and keywords, a paragraph each."""
    parts = [text.summary, text.body]
    if isinstance(text, AchievementText):
        parts += [text.application, text.advantage]
    else:
        parts += [text.problem, text.key_technology, text.expected_goal]
    return "\n".join(part for part in parts if part)


def ranked_text(text: ListingText) -> Text:
    """Return what the ranker compares; keywords are written by people to say the same again."""
    return Text(text.title, "\n".join([*text.keywords, body(text)]).strip())


def maturity_band(level: int) -> str:
    return next(band for band, (_, levels) in MATURITY_BANDS.items() if level in levels)


def price_bands(price: Price) -> tuple[str, ...]:
    """Return the band of a whole price by its lowest stated amount, 面议 for none.

    A price by year or by unit says nothing of the whole and has no band.
    """
    if price.form is PriceForm.NONE:
        return (OPEN_PRICE,)
    amount = lowest(price)
    if amount is None:
        return ()
    return tuple(band for band, (_, amounts) in PRICE_BANDS.items() if amount in amounts)


def lowest(price: Price) -> int | None:
    """Return the lowest stated amount of a price for the whole, in fen."""
    if price.basis is not PriceBasis.TOTAL:
        return None
    return price.high_fen if price.low_fen is None else price.low_fen


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
