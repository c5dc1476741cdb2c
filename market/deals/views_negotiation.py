"""What an actor sees of a deal beside its papers: parties, listings, offers, files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import Relation
from market.accounts.work import Work
from market.catalog import views as catalog
from market.catalog.views import Heading
from market.deals import objections, offers, repository, service
from market.deals import repository_inquiries as introductions
from market.deals import repository_negotiation as beside
from market.deals.models import Deal, Terms
from market.deals.models_negotiation import (
    DealFile,
    DealParty,
    DealStage,
    NextStep,
    Objection,
    TermsInstalment,
)
from market.deals.offers import Change
from market.kit.files import StoredFile


@dataclass(frozen=True, slots=True)
class Further:
    """A further party of a side."""

    party: DealParty
    organisation: Organisation


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file that the actor may read; `own` where its organisation put it there."""

    file: DealFile
    stored: StoredFile
    organisation: Organisation
    own: bool


@dataclass(frozen=True, slots=True)
class Introduced:
    """A broker whose introduction is recorded in the deal, and when both sides accepted it."""

    broker: Organisation
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Offer:
    """One version of the terms with its payments, and what it changed of the one before it."""

    terms: Terms
    instalments: tuple[TermsInstalment, ...]
    facts: Mapping[str, str]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """`own` is the actor's further party, None for others; `plan` its own next step alone;
    `objections` is empty but for the seller.
    """

    further: tuple[Further, ...]
    own: DealParty | None
    listings: tuple[Heading, ...]
    introduced: tuple[Introduced, ...]
    offers: tuple[Offer, ...]
    files: tuple[SharedFile, ...]
    plan: NextStep | None
    plan_person: str
    stages: tuple[DealStage, ...]
    objections: tuple[Objection, ...]


def of_deal(work: Work, deal: Deal, related: Relation) -> Beside:
    """Return what stands beside a deal that the actor sees and is so related to."""
    parties = beside.further_parties(work.session, deal.id)
    read = beside.files(work.session, deal.id, service.reader(work, deal, related))
    introduced = introductions.introductions_of_deal(work.session, deal.id)
    names = accounts.organisations(
        work.session,
        {
            *(one.organisation_id for one in parties),
            *(file.organisation_id for file, _ in read),
            *(one.broker_id for one in introduced),
        },
    )
    plan = beside.next_steps(work.session, work.actor.organisation, [deal.id]).get(deal.id)
    further = [one.listing_id for one in beside.further_listings(work.session, deal.id)]
    headings = catalog.headings(work.session, further)
    own = work.actor.organisation
    return Beside(
        further=tuple(Further(one, names[one.organisation_id]) for one in parties),
        own=next((one for one in parties if one.organisation_id == own), None),
        listings=tuple(headings[one] for one in further),
        introduced=tuple(Introduced(names[one.broker_id], one.decided_at) for one in introduced),
        offers=_offers(work, repository.terms_of(work.session, [deal.id])),
        files=tuple(
            SharedFile(file, stored, names[file.organisation_id], file.organisation_id == own)
            for file, stored in read
        ),
        plan=plan,
        plan_person=accounts.person(work.session, plan.person_id).name if plan else "",
        stages=tuple(repository.stages_of(work.session, [deal.id])),
        objections=tuple(objections.of_deal(work, deal)),
    )


def _offers(work: Work, terms: Sequence[Terms]) -> tuple[Offer, ...]:
    """Return the versions of the terms, newest first as they come."""
    parts = beside.instalments(work.session, [one.id for one in terms])
    found = []
    for place, one in enumerate(terms):
        own = parts.get(one.id, [])
        earlier = terms[place + 1] if place + 1 < len(terms) else None
        changed = (
            offers.differences(earlier, parts.get(earlier.id, []), one, own) if earlier else ()
        )
        found.append(Offer(one, tuple(own), offers.facts(one, own), changed))
    return tuple(found)
