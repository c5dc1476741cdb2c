"""The facets of a search in words."""

from collections.abc import Mapping
from typing import Final

from sqlmodel import Session

from market.catalog.vocabulary import FIELDS, REGIONS, ListingKind, Mode, region_name
from market.discovery import repository
from market.discovery.documents import MATURITY_BANDS, PRICE_BANDS

NAMES: Final[Mapping[ListingKind, Mapping[str, str]]] = {
    ListingKind.ACHIEVEMENT: {
        "field": "技术领域",
        "maturity": "成熟度",
        "mode": "合作方式",
        "price": "价格",
        "organisation": "持有单位",
        "region": "地区",
    },
    ListingKind.DEMAND: {
        "field": "技术领域",
        "mode": "合作方式",
        "price": "预算",
        "organisation": "需求单位",
        "region": "地区",
    },
}
"""Facets offered for each kind, in the order they stand."""

_FIXED: Final[Mapping[str, Mapping[str, str]]] = {
    "field": {str(code): name for code, name in FIELDS.items()},
    "maturity": {band: label for band, (label, _) in MATURITY_BANDS.items()},
    "mode": {str(mode): str(mode) for mode in Mode},
    "price": {band: label for band, (label, _) in PRICE_BANDS.items()},
}
BY_SIZE: Final = frozenset({"maturity", "price"})
"""Facets whose values stand in their own order, not by count."""


def labels(session: Session, facet: str, values: list[str]) -> dict[str, str]:
    """Return the label of each value; what nobody knows stands as it is."""
    if facet == "organisation":
        known: Mapping[str, str] = repository.organisation_names(session, values)
    elif facet == "region":
        known = {value: region_name(value) for value in values}
    else:
        known = _FIXED[facet]
    return {value: known.get(value, value) for value in values}


def known(facet: str) -> list[str]:
    """Return the values of a facet that stand from the outset, in order; of organisations none."""
    return list(REGIONS if facet == "region" else _FIXED.get(facet, ()))


def rank(facet: str, value: str) -> int:
    """Return where a value stands among those of a facet with its own order."""
    order = list(_FIXED[facet])
    return order.index(value) if value in order else len(order)
