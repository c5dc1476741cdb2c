"""Views of deals as wire types."""

from typing import Any

from market.accounts.models import Organisation
from market.catalog.views import Heading
from market.deals import offers
from market.deals.clearance import Term
from market.deals.inquiries import Contact, InquiryView
from market.deals.introductions import IntroductionView
from market.deals.models import PricingPath
from market.deals.pricing import Publicity
from market.deals.schemas_out import (
    BrokerOut,
    ChangeOut,
    ContactOut,
    ContractOut,
    DealOut,
    DealWhole,
    FileOut,
    InquiryOut,
    InstalmentOut,
    IntroductionOut,
    LineOut,
    MomentOut,
    NamedListing,
    ObjectionOut,
    PartyOut,
    PlanOut,
    PricingOut,
    PublicityOut,
    Ref,
    StageOut,
    TermsOut,
)
from market.deals.views import DealRow, DealView
from market.deals.views_negotiation import Beside, Offer, SharedFile


def _ref(row: Organisation) -> Ref:
    return Ref(id=row.public_id, name=row.name)


def _maybe(row: Organisation | None) -> Ref | None:
    return _ref(row) if row else None


def _listing(row: Heading) -> NamedListing:
    return NamedListing(id=row.public_id, number=row.number, kind=row.kind, title=row.title)


def _contact(contact: Contact | None) -> ContactOut | None:
    return ContactOut.model_validate(contact) if contact else None


def _columns(row: object, model: type[Any], *without: str) -> dict[str, Any]:
    """Return those columns of a table row that a wire type shows under the same name."""
    return {
        name: getattr(row, name)
        for name in model.model_fields
        if name not in without and hasattr(row, name)
    }


def inquiry_out(view: InquiryView) -> InquiryOut:
    row = view.inquiry
    return InquiryOut(
        id=row.public_id,
        relation=view.relation,
        listing=_listing(view.listing),
        own_listing=_listing(view.own_listing) if view.own_listing else None,
        owner=_maybe(view.owner),
        asker=_maybe(view.asker),
        message=row.message,
        state=row.state,
        answer=row.answer,
        owner_contact=_contact(view.owner_contact),
        asker_contact=_contact(view.asker_contact),
        close_reason=row.close_reason,
        deal=view.deal.public_id if view.deal else None,
        created_at=row.created_at,
        answered_at=row.answered_at,
        closed_at=row.closed_at,
    )


def introduction_out(view: IntroductionView) -> IntroductionOut:
    row = view.introduction
    return IntroductionOut(
        id=row.public_id,
        relation=view.relation,
        broker=_ref(view.broker),
        seller=_maybe(view.seller),
        buyer=_maybe(view.buyer),
        achievement=_listing(view.achievement),
        demand=_listing(view.demand),
        message=row.message,
        state=row.state,
        decline_reason=row.decline_reason,
        may_decide=view.may_decide,
        deal=view.deal.public_id if view.deal else None,
        seller_accepted_at=row.seller_accepted_at,
        buyer_accepted_at=row.buyer_accepted_at,
        created_at=row.created_at,
        decided_at=row.decided_at,
    )


def pricing_out(row: PricingPath, term: Term | None) -> PricingOut:
    return PricingOut(
        id=row.public_id,
        ends_on=term.ends_on if term else None,
        earliest_signing=term.earliest_signing if term else None,
        provisional=term.provisional if term else None,
        **_columns(row, PricingOut, "id"),
    )


def publicity_out(view: Publicity) -> PublicityOut:
    return PublicityOut(
        id=view.pricing.public_id,
        seller=view.seller.name,
        ends_on=view.term.ends_on,
        provisional=view.term.provisional,
        objections=view.objections,
        open_objections=view.open_objections,
        **_columns(view.pricing, PublicityOut, "id"),
    )


def deal_out(row: DealRow) -> DealOut:
    return DealOut(
        id=row.deal.public_id,
        relation=row.relation,
        stage=row.stage,
        plan_due_on=row.plan.due_on if row.plan else None,
        seller=_ref(row.seller),
        buyer=_ref(row.buyer),
        **_columns(row.deal, DealOut, "id"),
    )


def contract_out(view: DealView) -> ContractOut | None:
    row = view.row.contract
    if row is None:
        return None
    return ContractOut(
        id=row.public_id,
        lines=[LineOut.model_validate(line) for line in view.lines],
        **_columns(row, ContractOut, "id"),
    )


def _terms_out(offer: Offer) -> TermsOut:
    return TermsOut(
        licence=offers.licence_of(offer.terms.mode),
        instalments=[InstalmentOut.model_validate(one) for one in offer.instalments],
        changes=[ChangeOut.model_validate(one) for one in offer.changes],
        **_columns(offer.terms, TermsOut, "licence", "instalments", "changes"),
    )


def _beside(found: Beside) -> dict[str, Any]:
    return {
        "further_parties": [
            PartyOut(
                id=one.organisation.public_id,
                name=one.organisation.name,
                **_columns(one.party, PartyOut, "id", "name"),
            )
            for one in found.further
        ],
        "further_listings": [_listing(one) for one in found.listings],
        "introduced_by": [_ref(one.broker) for one in found.introduced],
        "files": [_file_out(one) for one in found.files],
        "plan": PlanOut(text=found.plan.text, due_on=found.plan.due_on, person=found.plan_person)
        if found.plan
        else None,
        "stages": [StageOut.model_validate(one) for one in found.stages],
        "objections": [
            ObjectionOut(
                id=one.public_id,
                evidence=one.evidence_id is not None,
                **_columns(one, ObjectionOut, "id", "evidence"),
            )
            for one in found.objections
        ],
    }


def _file_out(one: SharedFile) -> FileOut:
    return FileOut(
        id=one.stored.public_id,
        name=one.stored.name,
        size=one.stored.size,
        note=one.file.note,
        audience=one.file.audience,
        organisation=one.organisation.name,
        own=one.own,
        at=one.file.at,
    )


def deal_whole(view: DealView) -> DealWhole:
    path = view.row.pricing
    return DealWhole(
        **dict(deal_out(view.row)),
        achievement=view.achievement.public_id if view.achievement else None,
        demand=view.demand.public_id if view.demand else None,
        terms=[_terms_out(one) for one in view.beside.offers],
        pricing=pricing_out(path, view.row.term) if path else None,
        contract=contract_out(view),
        obstacle=view.obstacle,
        differences=[ChangeOut.model_validate(one) for one in view.differences],
        brokers=[
            BrokerOut(
                id=one.agency.public_id,
                name=one.agency.name,
                as_seller=one.mandate.as_seller,
                as_buyer=one.mandate.as_buyer,
                valid_until=one.mandate.valid_until,
            )
            for one in view.brokers
        ],
        **_beside(view.beside),
        timeline=[MomentOut.model_validate(one) for one in view.timeline],
    )
