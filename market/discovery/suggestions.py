"""What is suggested while somebody types: past queries, titles, organisations, also by pinyin."""

from dataclasses import dataclass
from typing import Final

from market.access import service as access
from market.access.service import Seen
from market.accounts.work import Work
from market.catalog.vocabulary import ListingKind
from market.discovery import filling, queries, repository
from market.kit.ids import ListingId, PublicId
from search.errors import SearchUnavailable
from search.parse import LONGEST_QUERY
from search.port import SearchEngine
from search.spelling import is_spelling, letters
from search.suggest import suggest, suggest_spelled, suggest_values

QUERIES: Final = 3
TITLES: Final = 6
NAMES: Final = 2


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`kind`: "query" (something that others found), "listing" (its title) or "organisation" (its
    name), the latter two with their public id.
    """

    kind: str
    text: str
    public_id: PublicId | None = None


def suggestions(
    work: Work, engine: SearchEngine, typed: str, kind: ListingKind
) -> list[Suggestion]:
    """Return what goes on from what was typed so far; where the index does not answer, what
    others searched for.
    """
    wanted = typed.strip()[:LONGEST_QUERY]
    if not wanted:
        return []
    asked = [Suggestion("query", text) for text in queries.like(work.session, wanted, QUERIES)]
    try:
        filling.check(work.session)
        titles = _titles(work, engine, wanted, kind)
        names = _names(work, engine, wanted)
    except SearchUnavailable:
        return asked
    return asked + titles[: TITLES - len(asked)] + names


def _titles(work: Work, engine: SearchEngine, typed: str, kind: ListingKind) -> list[Suggestion]:
    filters = {"kind": frozenset({str(kind)})}
    found = _listings(work, suggest(engine, typed, "title", filters=filters, limit=TITLES))
    if len(found) < TITLES and (wanted := letters(typed)) is not None:
        spelled = _listings(work, suggest_spelled(engine, typed, "title", filters=filters))
        found += [
            one for one in spelled if one not in found and is_spelling(wanted, one.shown.text.title)
        ]
    return [
        Suggestion("listing", one.shown.text.title, one.shown.public_id) for one in found[:TITLES]
    ]


def _listings(work: Work, ids: list[int]) -> list[Seen]:
    return access.public_listings(work, [ListingId(one) for one in ids])


def _names(work: Work, engine: SearchEngine, typed: str) -> list[Suggestion]:
    """Names by characters come from the database, where agencies are as well."""
    session = work.session
    found = {
        row.public_id: row.name
        for row in repository.organisations(session, typed.split(), limit=NAMES)
    }
    if len(found) < NAMES and (wanted := letters(typed)) is not None:
        spelled = suggest_values(engine, typed, "holder", "organisation")
        names = repository.organisation_names(session, spelled)
        found |= {
            PublicId(one): names[one]
            for one in spelled
            if one in names and is_spelling(wanted, names[one])
        }
    return [Suggestion("organisation", name, one) for one, name in list(found.items())[:NAMES]]
