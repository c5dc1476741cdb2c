"""The kinds of import files: whose they are, what they become, and what comes to rely on it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlmodel import Session

from market.accounts.intake import Organisations
from market.accounts.policy import OFFICERS, WRITERS, Roles
from market.catalog.intake import ListingsTarget
from market.catalog.vocabulary import REGIONS, ListingKind
from market.deals import repository_listings as deals
from market.discovery import repository_listings as discovery
from market.imports.models import Kind
from market.kit.intake import Target
from market.registry.intake import Contracts

Relied = Callable[[Session, Collection[int], datetime], Mapping[int, str]]
"""Of subjects, those that something since a time relies on, each with a sentence."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One kind: its target, the roles whose files it is, and who may come to rely on it.

    `page` is where one sees what was brought in.
    """

    target: Target
    roles: Roles
    page: str
    relied: tuple[Relied, ...] = ()

    def relied_on(self, session: Session, ids: Collection[int], since: datetime) -> dict[int, str]:
        """Return those of a run's subjects that other nouns rely on since, with a sentence."""
        found: dict[int, str] = {}
        for ask in self.relied if ids else ():
            found = dict(ask(session, ids, since)) | found
        return found


_LISTINGS = (deals.relied_on, discovery.relied_on)


@cache
def offers(*, demo: bool) -> Mapping[Kind, Offer]:
    """Return every kind; `demo` says whether the market is a demonstration."""
    achievements = ListingsTarget(ListingKind.ACHIEVEMENT)
    demands = ListingsTarget(ListingKind.DEMAND)
    return {
        Kind.ACHIEVEMENT: Offer(achievements, WRITERS, "/my/listings?kind=achievement", _LISTINGS),
        Kind.DEMAND: Offer(demands, WRITERS, "/my/listings?kind=demand", _LISTINGS),
        Kind.ORGANISATION: Offer(
            Organisations(REGIONS), OFFICERS, "/desk/organisations?state=entry"
        ),
        Kind.CONTRACT: Offer(Contracts(demo=demo), OFFICERS, "/past-registrations"),
    }
