"""What waits in accounts: people for a manager's answer, organisations for the bureau's."""

from collections.abc import Iterator
from typing import Final

from sqlmodel import Session

from market.accounts import repository_waiting
from market.accounts.models import Membership, MembershipState, Organisation, Verification
from market.accounts.policy import Action, Role
from market.accounts.work import Work
from market.kit import notify
from market.kit.ids import OrganisationId, PersonId
from market.kit.notify import Subject, Task, To

JOIN: Final = "member.requested"
VERIFY: Final = "organisation.pending"
KINDS: Final = (JOIN, VERIFY)

_TOLD: Final = {
    MembershipState.ACTIVE: "已加入{}，或角色有调整",
    MembershipState.REFUSED: "加入{}的申请没有被批准",
    MembershipState.LEFT: "您已不是{}的成员",
}


def _join(row: Membership) -> Task:
    """Without the person's name: what is told stays after the person is gone."""
    return Task(
        To(organisation_id=row.organisation_id, action=Action.ORGANISATION_MANAGE),
        JOIN,
        Subject("membership", row.public_id),
        "处理加入机构的申请",
        detail="姓名和申请的角色在机构页面，批准后对方才能代表贵单位办事。",
    )


def _verify(row: Organisation) -> Task:
    return Task(
        To(role=Role.OFFICER),
        VERIFY,
        Subject("organisation", row.public_id),
        f"核验机构：{row.name}",
        detail="核验后才能发布、询问和提交登记。",
        asked_by_id=row.id,
    )


def tasks(session: Session) -> Iterator[Task]:
    """Yield all that waits in accounts, as its own rows say."""
    for membership in repository_waiting.requests(session):
        yield _join(membership)
    for organisation in repository_waiting.unverified(session):
        yield _verify(organisation)


def member_moved(work: Work, row: Membership) -> None:
    """Let the managers' task stand while somebody asks to join, and what other nouns let wait for
    the person follow the membership. Call it after every move.
    """
    work.parts.member_moved(
        work.session, PersonId(row.person_id), OrganisationId(row.organisation_id), work.now
    )
    waits = [_join(row)] if row.state == MembershipState.REQUESTED else []
    subject = Subject("membership", row.public_id)
    notify.hold(work.session, subject, [JOIN], waits, at=work.now)


def tell_member(work: Work, row: Membership, organisation: Organisation) -> None:
    """Tell a person what somebody else decided about the membership."""
    if row.person_id == work.actor.person_id:
        return
    notify.tell(
        work.session,
        To(person_id=row.person_id),
        "member.decided",
        Subject("membership", row.public_id),
        _TOLD[MembershipState(row.state)].format(organisation.name),
        key=f"member.decided:{row.public_id}:{work.now.isoformat()}",
        at=work.now,
    )


def organisation_moved(work: Work, row: Organisation) -> None:
    """Let the bureau's task stand while an organisation is not verified. Call it after a move."""
    waits = [_verify(row)] if row.verification == Verification.PENDING else []
    subject = Subject("organisation", row.public_id)
    notify.hold(work.session, subject, [VERIFY], waits, at=work.now)


def tell_verified(work: Work, row: Organisation) -> None:
    """Tell an organisation what the bureau decided about it."""
    good = row.verification == Verification.VERIFIED
    notify.tell(
        work.session,
        To(organisation_id=row.id),
        "organisation.decided",
        Subject("organisation", row.public_id),
        "机构已通过核验，可以发布成果和需求了" if good else "机构没有通过核验",
        key=f"organisation.decided:{row.public_id}:{work.now.isoformat()}",
        at=work.now,
        detail=row.verification_note,
    )
