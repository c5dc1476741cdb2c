"""What an actor sees of deals: put together for the page and the API alike."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from market.access import mandates
from market.access.models import Mandate
from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.catalog import views as catalog
from market.catalog.views import Heading
from market.deals import clearance, departures, offers, repository, service
from market.deals import repository_contracts as papers
from market.deals import repository_negotiation as beside
from market.deals import repository_objections as objections
from market.deals import views_negotiation as negotiated
from market.deals.clearance import Term
from market.deals.models import (
    Contract,
    ContractLine,
    Deal,
    DealEvent,
    DealNote,
    PricingPath,
    Terms,
)
from market.deals.models_negotiation import NextStep
from market.deals.offers import Change
from market.deals.repository import Only
from market.deals.views_negotiation import Beside
from market.deals.vocabulary import PAGE, Audience, DealState, PricingState, Shelf, Side
from market.kit.ids import OrganisationId, PublicId
from market.rules import service as rules
from market.rules.calendar import Calendar

STEPS = (
    Action.DEAL_NOTE,
    Action.DEAL_TERMS,
    Action.DEAL_CONFIRM,
    Action.DEAL_LOSE,
    Action.DEAL_MOVE,
    Action.DEAL_PARTIES,
    Action.DEAL_SHARE,
    Action.PRICING_SET,
    Action.CONTRACT_DRAFT,
    Action.CONTRACT_SIGN,
    Action.CONTRACT_DISCLOSE,
)


class Stage(StrEnum):
    """Where a deal stands, derived from its own rows and the calendar."""

    NEGOTIATION = "negotiation"
    PRICING = "pricing"
    SIGNING = "signing"
    SIGNED = "signed"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class DealRow:
    """A deal in a list; `term` is that of a running 公示, `contested` how many objections against
    it are still to be handled.
    """

    deal: Deal
    relation: Relation
    seller: Organisation
    buyer: Organisation
    stage: Stage
    terms: Terms | None
    pricing: PricingPath | None
    term: Term | None
    contract: Contract | None
    pricing_applies: bool
    plan: NextStep | None
    leads: bool
    contested: int

    @property
    def side(self) -> Side | None:
        return {Relation.OWN: Side.SELLER, Relation.COUNTERPART: Side.BUYER}.get(self.relation)


@dataclass(frozen=True, slots=True)
class Broker:
    mandate: Mandate
    agency: Organisation


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline; `audience` is None for what happened, set for a note."""

    at: datetime
    text: str
    person: str
    organisation: str
    audience: Audience | None


@dataclass(frozen=True, slots=True)
class DealView:
    """One deal whole, newest terms and moments first. `obstacle`: why it may not be signed yet;
    `differences`: in what a draft leaves the agreed terms and the price found by law.
    """

    row: DealRow
    achievement: Heading | None
    demand: Heading | None
    brokers: tuple[Broker, ...]
    terms: tuple[Terms, ...]
    stopped: tuple[PricingPath, ...]
    lines: tuple[ContractLine, ...]
    points: tuple[tuple[str, str], ...]
    obstacle: str | None
    differences: tuple[Change, ...]
    timeline: tuple[Moment, ...]
    may: frozenset[Action]
    beside: Beside


def deal_rows(work: Work, deals: Sequence[Deal]) -> list[DealRow]:
    """Return deals as list rows; the number of queries does not grow with theirs."""
    ids = [row.id for row in deals]
    names = accounts.organisations(
        work.session, {one for row in deals for one in service.parties(row)}
    )
    served = mandates.served(work)
    newest = {row.deal_id: row for row in reversed(repository.terms_of(work.session, ids))}
    live = {
        row.deal_id: row
        for row in papers.pricing_paths_of(work.session, ids)
        if row.state != PricingState.STOPPED
    }
    standing = objections.open_of(work.session, [path.id for path in live.values()])
    contested = Counter(one.pricing_path_id for one in standing)
    contracts = papers.live_contracts(work.session, ids)
    further = service.further_sides(work, deals)
    planned = beside.next_steps(work.session, work.actor.organisation, ids)
    calendar = rules.calendar(work.session)
    founded = beside.state_founded(work.session, ids)
    return [
        _row(
            work,
            row,
            service.relation(work, row, served, further),
            names,
            newest.get(row.id),
            live.get(row.id),
            contracts.get(row.id),
            planned.get(row.id),
            calendar,
            founded=row.id in founded,
            contested=contested[live[row.id].id] if row.id in live else 0,
        )
        for row in deals
    ]


def _row(
    work: Work,
    deal: Deal,
    relation: Relation,
    names: Mapping[OrganisationId, Organisation],
    terms: Terms | None,
    path: PricingPath | None,
    contract: Contract | None,
    plan: NextStep | None,
    calendar: Calendar,
    *,
    founded: bool,
    contested: int,
) -> DealRow:
    term = clearance.term(path, calendar) if path is not None and clearance.running(path) else None
    applies = clearance.applies(
        contract.type if contract else None, terms.mode if terms else None, founded=founded
    )
    cleared = not applies or (
        path is not None
        and not contested
        and (term is None or work.today >= term.earliest_signing)
        and path.state != PricingState.LISTED
    )
    stage = {
        DealState.LOST: Stage.LOST,
        DealState.NEGOTIATION: Stage.NEGOTIATION,
        DealState.AGREED: Stage.SIGNING if cleared else Stage.PRICING,
    }[DealState(deal.state)]
    return DealRow(
        deal=deal,
        relation=relation,
        seller=names[deal.seller_id],
        buyer=names[deal.buyer_id],
        stage=Stage.SIGNED if deal.concluded_at is not None else stage,
        terms=terms,
        pricing=path,
        term=term,
        contract=contract,
        pricing_applies=applies,
        plan=plan,
        leads=service.leads(work, deal),
        contested=contested,
    )


def deals_of_actor(
    work: Work,
    shelf: Shelf | None = None,
    page: int = 1,
    only: Only = service.EVERYTHING,
    size: int = PAGE,
) -> list[DealRow]:
    """Return a page of the deals of the acting organisation or of a broker's principals, those
    changed last first.
    """
    return deal_rows(work, service.deals_of_actor(work, shelf, page, only, size))


def deal_view(work: Work, public_id: PublicId) -> DealView:
    """Return one deal whole. Raises NotFound."""
    deal = service.find(work, public_id)
    row = deal_rows(work, [deal])[0]
    named = [one for one in (deal.achievement_id, deal.demand_id) if one is not None]
    refs = catalog.headings(work.session, named)
    contract = row.contract
    return DealView(
        row=row,
        achievement=refs[deal.achievement_id] if deal.achievement_id else None,
        demand=refs[deal.demand_id] if deal.demand_id else None,
        brokers=_brokers(work, deal),
        terms=tuple(repository.terms_of(work.session, [deal.id])),
        stopped=tuple(
            path
            for path in papers.pricing_paths_of(work.session, [deal.id])
            if path.state == PricingState.STOPPED
        ),
        lines=tuple(papers.lines_of(work.session, contract.id)) if contract else (),
        points=tuple(offers.points(contract, row.terms)) if contract else (),
        obstacle=clearance.signing_obstacle(work, deal, contract) if contract else None,
        differences=departures.of(contract, row.terms, row.pricing)
        if contract and contract.signed_on is None
        else (),
        timeline=_timeline(work, deal, row.relation),
        may=frozenset(
            action for action in STEPS if service.allowed(work, deal, action, row.relation)
        ),
        beside=negotiated.of_deal(work, deal, row.relation),
    )


def _brokers(work: Work, deal: Deal) -> tuple[Broker, ...]:
    """Return the agencies with a mandate in force of a party: all who may read the deal."""
    rows = [
        row
        for row in mandates.brokers(work, service.parties(deal))
        if (row.principal_id == deal.seller_id and row.as_seller)
        or (row.principal_id == deal.buyer_id and row.as_buyer)
    ]
    names = accounts.organisations(work.session, {row.agency_id for row in rows})
    return tuple(Broker(row, names[row.agency_id]) for row in rows)


def _timeline(work: Work, deal: Deal, related: Relation) -> tuple[Moment, ...]:
    rows: list[DealEvent | DealNote] = [
        *repository.events_of(work.session, deal.id),
        *beside.notes(work.session, deal.id, service.reader(work, deal, related)),
    ]
    rows.sort(key=lambda row: row.at)
    people = accounts.people(work.session, {row.person_id for row in rows})
    names = accounts.organisations(work.session, {row.organisation_id for row in rows})
    return tuple(
        Moment(
            at=row.at,
            text=row.text,
            person=people[row.person_id].name,
            organisation=names[row.organisation_id].name,
            audience=Audience(row.audience) if isinstance(row, DealNote) else None,
        )
        # Of one moment, what was written last is told first.
        for row in reversed(rows)
    )
