"""The SQL of searching without an engine: a query tree over titles, keywords and names.

Terms are looked for as pieces of text, so no word needs a dictionary and no separator is skipped.
Bodies are not read: at 100,000 listings they alone take the time there is. Case is folded by the
database, width by asking for either; traditional and simplified are folded in what was typed alone.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session, col

from market.access.repository import public_listings
from market.accounts.models import Organisation
from market.catalog.models import AchievementFacts, DemandFacts, Listing, ListingRevision
from market.catalog.vocabulary import ListingKind, PriceBasis, PriceForm
from market.discovery.documents import MATURITY_BANDS, OPEN_PRICE, PRICE_BANDS
from market.discovery.schemas import Sort
from market.kit.db import is_sqlite
from market.kit.ids import ListingId
from search.query import (
    All,
    And,
    AnyOf,
    AtLeast,
    Ids,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Scaled,
    Weighted,
    Words,
)

TITLE, KEYWORDS, HOLDER = "title", "keywords", "holder"
_GRAMS: Final = "_grams"
_WIDE: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_IN_AN_ESCAPE: Final = re.compile("u?[0-9a-f]{1,4}")
_LARGEST: Final = 2**63 - 1

Clause = ColumnElement[bool]


class Row(NamedTuple):
    """A listing found; `keys` are what it is ordered by, `total` counts all that were found."""

    listing_id: ListingId
    keys: tuple[Any, ...]
    total: int


class Wanted(NamedTuple):
    """What is looked for. `terms`: by which of them a listing has it is ordered by relevance."""

    kind: ListingKind
    query: Query
    filters: Mapping[str, frozenset[str]]
    sort: Sort
    terms: Sequence[str]


def newest_id(session: Session) -> int:
    """Return the highest id of a listing, 0 where there is none."""
    found: int | None = session.execute(select(func.max(col(Listing.id)))).scalar_one()
    return found or 0


def among(session: Session, wanted: Wanted, low: int, high: int, limit: int) -> list[Row]:
    """Return the first publicly visible listings that fit, of those with an id from `low` to
    `high`, in order.
    """
    asked = _Asked(sqlite=is_sqlite(session))
    orders = asked.orders(wanted)
    query = (
        select(col(Listing.id), *(column for column, _ in orders), func.count().over())
        .join(ListingRevision, col(ListingRevision.id) == col(Listing.public_revision_id))
        .where(
            # As a value, PostgreSQL asks it of each row that it reads. As a condition it is a join
            # with few organisations, for each of which all rows may be read again.
            case((public_listings(), true()), else_=false()),
            col(Listing.kind) == wanted.kind,
            col(Listing.id).between(low, high),
            # The same once more: both tables are then read in part, whichever comes first.
            col(ListingRevision.listing_id).between(low, high),
            asked.clause(wanted.query),
            *(asked.facet(name, values) for name, values in wanted.filters.items() if values),
        )
    )
    if {"organisation", "region"} & wanted.filters.keys():
        query = query.join(Organisation, col(Organisation.id) == col(Listing.organisation_id))
    query = _with_facts(query, wanted)
    order = [
        (column.desc() if falling else column.asc()).nulls_last() for column, falling in orders
    ]
    rows = session.execute(query.order_by(*order, col(Listing.id)).limit(limit))
    return [Row(row[0], tuple(row[1:-1]), row[-1]) for row in rows]


def falling(sort: Sort) -> tuple[bool, ...]:
    """Return which of the keys of a row are ordered from the largest; what has none comes last."""
    return {Sort.RELEVANCE: (True, True), Sort.PRICE: (False,), Sort.DEADLINE: (False,)}.get(
        sort, (True,)
    )


def _with_facts(query: Select[*tuple[Any, ...]], wanted: Wanted) -> Select[*tuple[Any, ...]]:
    if wanted.sort is Sort.MATURITY or wanted.filters.get("maturity"):
        facts: Any = AchievementFacts
    elif wanted.sort is Sort.DEADLINE:
        facts = DemandFacts
    else:
        return query
    return query.outerjoin(facts, col(facts.revision_id) == col(ListingRevision.id))


class _Asked:
    """A query tree as a WHERE clause over the columns of `among`."""

    def __init__(self, *, sqlite: bool) -> None:
        self._sqlite = sqlite

    def orders(self, wanted: Wanted) -> list[tuple[ColumnElement[Any], bool]]:
        """Return what is ordered by, and whether from the largest."""
        newest: Any = col(Listing.published_at)
        columns: dict[Sort, list[Any]] = {
            Sort.RELEVANCE: [self._weight(wanted.terms), newest],
            Sort.PRICE: [_whole_price()],
            Sort.MATURITY: [col(AchievementFacts.maturity_level)],
            Sort.DEADLINE: [col(DemandFacts.deadline)],
        }
        return list(zip(columns.get(wanted.sort, [newest]), falling(wanted.sort), strict=True))

    def clause(self, query: Query) -> Clause:  # noqa: C901, PLR0911, PLR0912 - a branch a node
        match query:
            case All():
                return true()
            case Words():
                longest = sorted(query.terms, key=len, reverse=True)  # the rarest, as a rule
                found = [self._anywhere(term, query.fields) for term in longest]
                return _at_least(found, query.at_least)
            case Weighted():
                return or_(
                    false(), *(self._anywhere(term, query.fields) for term, _ in query.terms)
                )
            case Phrase():
                return self._phrase(query)
            case Prefix():
                return self._in(query.field, query.prefix)
            case AnyOf():
                return self.facet(query.field, query.values)
            case Range():
                raise NotImplementedError("nothing that is typed asks for a range")
            case Ids():
                return col(Listing.id).in_(query.values)
            case And():
                return and_(true(), *map(self.clause, query.parts))
            case Or():
                return or_(false(), *map(self.clause, query.parts))
            case AtLeast():
                return _at_least(list(map(self.clause, query.parts)), query.number)
            case Scaled():
                return self.clause(query.part)
            case Not():
                return not_(self.clause(query.part))

    def facet(self, name: str, values: Collection[str]) -> Clause:
        """Return whether a listing has one of the values, as its document would."""
        if name == "field":
            return col(ListingRevision.field).in_(_numbers(values))
        if name == "maturity":
            level = col(AchievementFacts.maturity_level)
            return or_(
                false(),
                *(level.in_(MATURITY_BANDS[one][1]) for one in values if one in MATURITY_BANDS),
            )
        if name == "mode":
            column = col(ListingRevision.modes)
            return or_(
                false(),
                *(
                    cast(column, String).contains(f'"{_escaped(one)}"', autoescape=True)
                    for one in values
                ),
            )
        if name == "price":
            return or_(false(), *map(_in_band, values))
        if name == "organisation":
            known = [one for one in values if "\x00" not in one]
            return and_(~col(Listing.masked), col(Organisation.public_id).in_(known))
        own = func.nullif(col(ListingRevision.region), "")
        known = [one for one in values if "\x00" not in one]
        return func.coalesce(own, col(Organisation.region)).in_(known)

    def _anywhere(self, term: str, fields: Iterable[str]) -> Clause:
        return or_(false(), *(self._in(field, term) for field in fields))

    def _in(self, field: str, term: str) -> Clause:
        """Whether a field holds a term. Words say what the grams of a text would: a title that
        holds a text holds its words. In bodies nothing is found.
        """
        variants = _variants(term)
        if field == TITLE:
            return self._holds(col(ListingRevision.title), variants)
        if field == HOLDER:
            # Asked of each organisation once, not of each of its listings.
            named = select(col(Organisation.id)).where(
                self._holds(col(Organisation.name), variants)
            )
            return and_(~col(Listing.masked), col(Listing.organisation_id).in_(named))
        if field == KEYWORDS:
            return self._in_keywords(variants)
        return false()

    def _holds(self, text: Any, variants: Sequence[str]) -> Clause:
        """Whether a text holds one of the variants. No pattern, so that no sign is a special one;
        and folding is half of the work, so it is done only where there is a case to fold.
        """
        place = func.instr if self._sqlite else func.strpos
        folded = func.lower(text) if len(variants) > 1 else text
        return or_(*(place(folded, one) > 0 for one in variants))

    def _in_keywords(self, variants: Sequence[str]) -> Clause:
        column = col(ListingRevision.keywords)
        if not any(map(_IN_AN_ESCAPE.fullmatch, variants)):
            return self._holds(cast(column, String), [_escaped(one) for one in variants])
        # It may stand in the number of another character, as JSON writes it.
        if not self._sqlite:
            return self._holds(cast(cast(column, JSONB), String), variants)
        each = func.json_each(column).table_valued("value")
        return exists(
            select(literal(1)).select_from(each).where(self._holds(each.c.value, variants))
        )

    def _phrase(self, phrase: Phrase) -> Clause:
        """In titles the symbols next to one another; elsewhere, where long words stand after those
        in them, all of the words.
        """
        if not phrase.terms:
            return false()
        if phrase.field != TITLE + _GRAMS:
            return and_(*(self._in(phrase.field, term) for term in phrase.terms))
        symbols = phrase.terms[::2]
        joined = {between.join(symbols) for between in ("", "-", " ")}
        return or_(*(self._in(TITLE, one) for one in sorted(joined)))

    def _weight(self, terms: Sequence[str]) -> ColumnElement[int]:
        """How many of the terms stand in the title."""
        parts: list[ColumnElement[int]] = [
            case((self._in(TITLE, term), 1), else_=0) for term in terms
        ]
        return sum(parts, start=literal(0))


def _at_least(parts: Sequence[Clause], number: int) -> Clause:
    if number > len(parts):
        return false()
    if number == len(parts):
        return and_(true(), *parts)
    if number == 1:
        return or_(false(), *parts)
    # With fewer than all but so many, at least one of those is there: most rows go no further.
    first = or_(*parts[: len(parts) - number + 1])
    counted: list[ColumnElement[int]] = [case((part, 1), else_=0) for part in parts]
    return and_(first, sum(counted, start=literal(0)) >= number)


def _variants(term: str) -> list[str]:
    """Return how a folded term may be written in a text of which only the case is folded; one alone
    where there is no case to fold. SQLite folds no wide letters.
    """
    plain = term.replace("\x00", "")
    wide = plain.translate(_WIDE)
    return list(dict.fromkeys((plain, wide, plain.upper().translate(_WIDE))))


def _escaped(text: str) -> str:
    """Return a text as it stands within a list of texts in JSON."""
    return json.dumps(text)[1:-1]


def _numbers(values: Iterable[str]) -> list[int]:
    return [int(one) for one in values if one.isascii() and one.isdecimal() and len(one) < 3]


def _whole_price() -> ColumnElement[int]:
    """Return the lowest stated amount of a price for the whole, as `documents.lowest`."""
    revision = ListingRevision
    lowest = func.coalesce(col(revision.price_low_fen), col(revision.price_high_fen))
    return case((col(revision.price_basis) == PriceBasis.TOTAL, lowest), else_=None)


def _in_band(band: str) -> Clause:
    if band == OPEN_PRICE:
        return col(ListingRevision.price_form) == PriceForm.NONE
    if band not in PRICE_BANDS:
        return false()
    amounts = PRICE_BANDS[band][1]
    high = min(amounts.stop - 1, _LARGEST)
    stated = col(ListingRevision.price_form) != PriceForm.NONE
    return and_(stated, _whole_price().between(amounts.start, high))
