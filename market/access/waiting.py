"""What waits in access: mandates that an agency has neither accepted nor refused."""

from collections.abc import Iterator
from typing import Final

from sqlmodel import Session

from market.access import repository
from market.access.models import Mandate, MandateState
from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import Action
from market.accounts.work import Work
from market.kit import notify
from market.kit.ids import OrganisationId
from market.kit.notify import Subject, Task, To

ACCEPT: Final = "mandate.offered"
KINDS: Final = (ACCEPT,)
DECIDED, ENDED = "mandate.decided", "mandate.ended"


def _accept(row: Mandate, principal: Organisation) -> Task:
    return Task(
        To(organisation_id=row.agency_id, action=Action.MANDATE_ACCEPT),
        ACCEPT,
        _subject(row),
        f"答复委托：{principal.name}",
        detail=f"委托期限{row.valid_from}至{row.valid_until}，接受后可以为对方引荐。",
        asked_by_id=row.principal_id,
    )


def _subject(row: Mandate) -> Subject:
    return Subject("mandate", row.public_id)


def tasks(session: Session) -> Iterator[Task]:
    """Yield all that waits in access, as its own rows say."""
    rows = repository.offered(session)
    principals = accounts.organisations(session, {row.principal_id for row in rows})
    for row in rows:
        yield _accept(row, principals[row.principal_id])


def moved(work: Work, row: Mandate) -> None:
    """Let the agency's task stand while a mandate is only offered."""
    principal = accounts.organisation(work.session, row.principal_id)
    waits = [_accept(row, principal)] if row.state == MandateState.OFFERED else []
    notify.hold(work.session, _subject(row), KINDS, waits, at=work.now)


def decided(work: Work, row: Mandate) -> None:
    """Tell the principal what the agency made of its offer."""
    agency = accounts.organisation(work.session, row.agency_id)
    accepted = row.state == MandateState.LIVE
    title = f"{agency.name}{'接受了' if accepted else '没有接受'}委托"
    _tell(work, row, row.principal_id, DECIDED, title, detail=row.refuse_reason)


def ended(work: Work, row: Mandate, reader: OrganisationId) -> None:
    """Tell the other side that a mandate was ended."""
    _tell(work, row, reader, ENDED, f"委托已终止：{work.actor.organisation_name}终止")


def _tell(
    work: Work, row: Mandate, reader: OrganisationId, kind: str, title: str, detail: str = ""
) -> None:
    notify.tell(
        work.session,
        To(organisation_id=reader, action=Action.MANDATE_VIEW),
        kind,
        _subject(row),
        title,
        key=f"{kind}:{row.public_id}",
        at=work.now,
        detail=detail,
    )
