"""What waits at the desk: applications for the bureau, signed contracts for their seller."""

from collections.abc import Collection, Iterator
from typing import Final

from sqlmodel import Session

from market.accounts.policy import Action, Role
from market.accounts.work import Work
from market.deals import service as deals
from market.deals.models import Contract, Deal
from market.deals.waiting import REGISTER, to_register
from market.kit import notify
from market.kit.ids import OrganisationId, PublicId, RegistrationId
from market.kit.notify import Subject, Task, To
from market.ledger.schemas import OUTSIDE
from market.registry import reader, repository, repository_waiting, standing
from market.registry.models import Registration, RegistrationEvent
from market.registry.reading import terms
from market.registry.repository import Filed
from market.registry.states import AT_THE_DESK, RegistrationState, Step
from market.rules import service as rules
from market.rules import versions
from market.rules.calendar import Calendar
from market.rules.ruleset import RuleBook

DECIDE: Final = "registration.submitted"
CORRECT: Final = "registration.correction"
RESOLVE: Final = "registration.objection"
KINDS: Final = (DECIDE, CORRECT, RESOLVE, REGISTER)


def tasks(session: Session) -> Iterator[Task]:
    """Yield all that waits at the desk, as its own rows say."""
    calendar, book = rules.calendar(session), versions.book(session)
    waits = repository_waiting.at_the_desk(session)
    asked = _asked(session, waits)
    for filed in waits:
        yield from _next(filed, asked.get(filed.row.id), book, calendar)
    unregistered = repository_waiting.unregistered(session)
    ids = [contract.id for contract, _ in unregistered]
    newest = repository.newest_of_contracts(session, ids)
    for contract, deal in unregistered:
        yield _submit(contract, deal, newest.get(contract.id), book)


_ASKING: Final = {
    RegistrationState.CORRECTION: Step.RETURN,
    RegistrationState.OBJECTION: Step.OBJECT,
}


def _asked(session: Session, waits: Collection[Filed]) -> dict[RegistrationId, RegistrationEvent]:
    """Return the step by which each registration came to wait for a correction or an answer."""
    found: dict[RegistrationId, RegistrationEvent] = {}
    for state, step in _ASKING.items():
        ids = [one.row.id for one in waits if one.row.state == state]
        if ids:
            found |= repository_waiting.newest_events(session, ids, step)
    return found


def _next(
    filed: Filed, asked: RegistrationEvent | None, book: RuleBook, calendar: Calendar
) -> Iterator[Task]:
    """Yield what waits about a registration: for the bureau, or for the seller to correct."""
    row, contract = filed.row, filed.contract
    subject = Subject("registration", row.public_id)
    if row.state in AT_THE_DESK:
        word = "受理登记申请" if row.state == RegistrationState.SUBMITTED else "审查登记申请"
        yield Task(
            To(role=Role.OFFICER),
            DECIDE,
            subject,
            f"{word}：{contract.project_name}",
            detail=f"{contract.seller_name} → {contract.buyer_name}",
            due_on=terms(book, calendar, filed).decide_by,
            asked_by_id=contract.seller_id,
        )
    elif row.state == RegistrationState.CORRECTION:
        yield _correct(filed, asked)
    elif row.state == RegistrationState.OBJECTION:
        yield Task(
            To(role=Role.OFFICER),
            RESOLVE,
            subject,
            f"复核登记异议：{contract.project_name}",
            round=str(asked.place) if asked else "",
            detail=asked.note if asked else "",
            asked_by_id=contract.seller_id,
        )


def _correct(filed: Filed, asked: RegistrationEvent | None) -> Task:
    contract = filed.contract
    return Task(
        To(organisation_id=contract.seller_id, action=Action.REGISTRATION_SUBMIT),
        CORRECT,
        Subject("registration", filed.row.public_id),
        f"补正登记材料：{contract.project_name}",
        round=str(filed.row.corrections),
        detail=asked.note if asked else "",
        due_on=asked.due_on if asked else None,
    )


def _submit(contract: Contract, deal: Deal, last: Registration | None, book: RuleBook) -> Task:
    """`last` is the newest registration of the contract, which is no longer live."""
    if last is None:
        return to_register(contract, deal)
    title, detail = "提交登记", "登记申请或登记已撤回，可以重新提交。"
    if last.state == RegistrationState.NOT_REGISTERED:
        title, detail = "改好后重新提交登记", f"不予登记：{book.reason(last.refusal_reason)}。"
        detail += last.note
    return to_register(contract, deal, title, round=last.public_id, detail=detail)


def moved(work: Work, filed: Filed) -> None:
    """Let the tasks of the bureau and of the seller follow a registration."""
    session, row = work.session, filed.row
    calendar, book = rules.calendar(session), versions.book(session)
    asked = _asked(session, [filed]).get(row.id)
    waits = list(_next(filed, asked, book, calendar))
    subject = Subject("registration", row.public_id)
    notify.hold(session, subject, [DECIDE, CORRECT, RESOLVE], waits, at=work.now)
    _hold_seller(work, filed.contract, filed.deal, book)


def _hold_seller(work: Work, contract: Contract, deal: Deal, book: RuleBook) -> None:
    """Let the seller's task stand while a signed contract may be handed in and is not."""
    waits = []
    if repository_waiting.may_be_handed_in(work.session, contract.id):
        newest = repository.newest_of_contracts(work.session, [contract.id])
        waits = [_submit(contract, deal, newest.get(contract.id), book)]
    subject = Subject("deal", deal.public_id)
    notify.hold(work.session, subject, [REGISTER], waits, at=work.now)


def tell_parties(
    work: Work,
    filed: Filed,
    kind: str,
    what: str,
    detail: str = "",
    round: str = "",  # noqa: A002  as of a task
) -> None:
    """Tell those who are its parties now what became of a registration; `round` tells times
    apart.
    """
    row = filed.row
    title = f"{what}：{filed.contract.project_name}"
    now = standing.of(row, filed.contract)
    for party in (now["seller_id"], now["buyer_id"]):
        if party != OUTSIDE:
            _tell(work, party, (row.public_id, round), kind, title, detail)


def tell_left(work: Work, filed: Filed, before: Collection[OrganisationId]) -> None:
    """Tell those who were its parties before a change and are no more, without what came after."""
    now = standing.of(filed.row, filed.contract)
    title = f"登记已变更，本机构不再是合同的一方：{filed.contract.project_name}"
    for party in {*before} - {now["seller_id"], now["buyer_id"], OUTSIDE}:
        about = (filed.row.public_id, str(filed.row.changes))
        _tell(work, party, about, "registration.changed", title, "")


def tell_deal(work: Work, filed: Filed, kind: str, what: str, more: str) -> None:
    """Add a step to the deal's timeline. Those who made the deal read it, also one that a change
    has taken out of the contract since: then without `more`, which the registration tells.
    """
    deals.tell(work, filed.deal, kind, what if reader.party_left(filed) else what + more)


def _tell(
    work: Work,
    party: OrganisationId,
    about: tuple[PublicId, str],
    kind: str,
    title: str,
    detail: str,
) -> None:
    registration, round_ = about
    notify.tell(
        work.session,
        To(organisation_id=party, action=Action.REGISTRATION_VIEW),
        kind,
        Subject("registration", registration),
        title,
        key=f"{kind}:{registration}:{party}" + (f":{round_}" if round_ else ""),
        at=work.now,
        detail=detail,
    )
