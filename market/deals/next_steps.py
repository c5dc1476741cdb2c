"""What an organisation does next in a deal, by when, and who: told to nobody else."""

from market.accounts import repository as accounts
from market.accounts.models import MembershipState
from market.accounts.policy import Action
from market.accounts.work import Work
from market.deals import repository_negotiation as beside
from market.deals import service, waiting
from market.deals.models import Deal
from market.deals.models_negotiation import NextStep
from market.deals.schemas import NextStepIn
from market.deals.vocabulary import DealState
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PersonId, PublicId


def plan(work: Work, public_id: PublicId, form: NextStepIn) -> NextStep:
    """Set the acting organisation's next step; one that waited is replaced.

    Raises Invalid at `due_on`, `person`; Conflict where the deal is over.
    """
    deal, _ = service.step(work, public_id, Action.DEAL_NOTE)
    if deal.concluded_at is not None or deal.state == DealState.LOST:
        raise Conflict("这项洽谈已经结束，不再安排下一步")
    if form.due_on < work.today:
        raise Invalid(fields={"due_on": f"日期应不早于今天{work.today}，现在是{form.due_on}"})
    person_id = _person(work, form.person)
    organisation = work.actor.organisation
    beside.end_step(work.session, deal.id, organisation, work.now, done=False)
    row = NextStep(
        deal_id=deal.id,
        organisation_id=organisation,
        text=form.text,
        due_on=form.due_on,
        person_id=person_id,
        set_by=work.actor.person,
        set_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    waiting.plans_moved(work, deal)
    return row


def _person(work: Work, membership_id: str | None) -> PersonId:
    if membership_id is None:
        return work.actor.person
    row = accounts.membership_by_public_id(work.session, PublicId(membership_id))
    if (
        row is None
        or row.organisation_id != work.actor.organisation
        or row.state != MembershipState.ACTIVE
    ):
        raise Invalid(fields={"person": "请从本单位的成员里选一位"})
    return row.person_id


def people(work: Work) -> list[tuple[PublicId, str]]:
    """Return the members of the acting organisation: the membership's id and the person's name."""
    return [
        (row.public_id, person.name)
        for row, person in accounts.members(work.session, work.actor.organisation)
        if row.state == MembershipState.ACTIVE
    ]


def finish(work: Work, public_id: PublicId) -> Deal:
    """Note that the acting organisation's next step is done. Raises Conflict where none waits."""
    deal, _ = service.step(work, public_id, Action.DEAL_NOTE)
    if not beside.end_step(work.session, deal.id, work.actor.organisation, work.now, done=True):
        raise Conflict("没有待办的下一步，可能已经有人办完")
    waiting.plans_moved(work, deal)
    return deal
