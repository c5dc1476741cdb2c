"""What waits in a deal beside its steps: what people planned, objections, further parties' word."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final

from sqlmodel import Session

from market.accounts import repository_waiting as accounts
from market.accounts.policy import Action
from market.deals import clearance
from market.deals import repository_contracts as papers
from market.deals import repository_negotiation as beside
from market.deals import repository_objections as objections
from market.deals.models import Deal
from market.kit import notify
from market.kit.ids import DealId, OrganisationId, PersonId
from market.kit.notify import Subject, Task, To
from market.rules.calendar import Calendar

NEXT, OBJECTION, SHARE = "deal.next", "deal.objection", "deal.share"
OF_STEPS: Final = (OBJECTION, SHARE)


def plans(
    session: Session,
    deal_ids: Collection[DealId] | None = None,
    *,
    person_id: PersonId | None = None,
    organisation_id: OrganisationId | None = None,
) -> Iterator[Task]:
    """Yield the next steps that wait: for the person named while that person still may write in
    deals for the organisation, else for those who do.
    """
    rows = beside.waiting_steps(
        session, deal_ids, person_id=person_id, organisation_id=organisation_id
    )
    able = accounts.members_who_may(session, {row.person_id for row, _ in rows}, Action.DEAL_NOTE)
    for row, deal in rows:
        personal = (row.person_id, row.organisation_id) in able
        yield Task(
            To(person_id=row.person_id)
            if personal
            else To(organisation_id=row.organisation_id, action=Action.DEAL_NOTE),
            NEXT,
            Subject("deal", deal.public_id),
            f"{row.text}：{deal.title}",
            round=str(row.id),
            due_on=row.due_on,
        )


def member_moved(
    session: Session, person_id: PersonId, organisation_id: OrganisationId, at: datetime
) -> None:
    """Let what a person planned for an organisation follow the membership."""
    found = beside.waiting_steps(session, person_id=person_id, organisation_id=organisation_id)
    for _, deal in found:
        hold(session, deal, at)


def hold(session: Session, deal: Deal, at: datetime) -> None:
    """Let exactly the next steps wait that were planned in a deal."""
    subject = Subject("deal", deal.public_id)
    notify.hold(session, subject, [NEXT], plans(session, [deal.id]), at=at)


def of_deal(session: Session, deal: Deal, calendar: Calendar) -> Iterator[Task]:
    """Yield the seller's open objections, due by the last day of the 公示, and what further parties
    have still to confirm.
    """
    path = papers.live_pricing(session, deal.id)
    standing = objections.open_of(session, [path.id]) if path is not None else []
    if path is not None and standing:
        yield Task(
            To(organisation_id=deal.seller_id, action=Action.PRICING_SET),
            OBJECTION,
            Subject("deal", deal.public_id),
            f"处理公示异议：{deal.title}",
            round=str(standing[0].id),
            due_on=clearance.term(path, calendar).ends_on,
            detail=f"{len(standing)}件异议待处理，处理前不能签约。",
        )
    if deal.terms_version == 0:
        return
    for party in beside.further_parties(session, deal.id):
        if party.share is not None and party.confirmed_version != deal.terms_version:
            yield Task(
                To(organisation_id=party.organisation_id, action=Action.DEAL_SHARE),
                SHARE,
                Subject("deal", deal.public_id),
                f"确认份额：{deal.title}",
                round=f"{party.id}:{deal.terms_version}",
                detail=f"第{deal.terms_version}轮条件里的份额，确认后才能签约。",
            )
