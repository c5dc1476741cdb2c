"""Organisations and who belongs to them: founding, joining, verifying."""

from typing import Any

from sqlalchemy.exc import IntegrityError

from market.accounts import creditcode, repository, repository_intake, repository_waiting, waiting
from market.accounts.models import (
    Membership,
    MembershipState,
    Organisation,
    Verification,
)
from market.accounts.policy import Action, Relation, Role
from market.accounts.schemas import DecideMemberIn, JoinIn, OrganisationIn, VerifyIn
from market.accounts.work import Work
from market.kit import changes
from market.kit.errors import Conflict, Invalid, NotFound, Overtaken
from market.kit.ids import PersonId, PublicId, new_public_id

TAKEN = "这个统一社会信用代码已有机构使用，请改为申请加入该机构"
LAST_MANAGER = "机构至少要有一位管理员，请先把另一位成员设为管理员"
CLOSE_FIRST = (
    "您是这个机构唯一的成员。请先让接手的同事加入并设为管理员；机构不再使用的，请联系科技局注销"
    "（把核验改为未通过），之后就能离开"
)
NOBODY_YET = "这家机构来自导入的名录，还没有人认领；等单位的人创建机构并填上同样的代码后再核验"
MEMBER_ALREADY = "您已经是这个机构的成员，或申请正等待批准"


def visible_organisation(work: Work, public_id: PublicId) -> Organisation:
    """Return an organisation the actor may see: verified ones, one's own, all for the bureau."""
    row = repository.organisation_by_public_id(work.session, public_id)
    if row is None or not (
        row.verification == Verification.VERIFIED
        or row.id == work.actor.organisation_id
        or work.actor.role in (Role.OFFICER, Role.AUDITOR)
    ):
        raise NotFound
    return row


def found(work: Work, form: OrganisationIn) -> Organisation:
    """Found an organisation; the founder becomes its manager, the bureau verifies it.

    An entry of a directory (`intake`) that nobody belongs to is taken over by its credit code.

    Raises Invalid at `credit_code`.
    """
    work.require(Action.ORGANISATION_FOUND)
    code = creditcode.normalise(form.credit_code)
    if wrong := creditcode.problem(code):
        raise Invalid(fields={"credit_code": wrong})
    said: dict[str, Any] = {
        "kind": form.kind,
        "name": form.name,
        "region": form.region,
        "address": form.address,
        "state_founded": form.state_founded,
    }
    organisation = repository.organisation_by_code(work.session, code)
    if organisation is None:
        organisation = Organisation(
            public_id=new_public_id(), credit_code=code, created_at=work.now, **said
        )
        work.session.add(organisation)
        try:
            work.session.flush()
        except IntegrityError:  # two people found the same organisation at once
            raise Invalid(fields={"credit_code": TAKEN}) from None
    elif not repository_intake.change(
        work.session, organisation.id, organisation.edits, said, organisation.edits + 1
    ):
        raise Invalid(fields={"credit_code": TAKEN})
    else:
        work.session.refresh(organisation)
    waiting.organisation_moved(work, organisation)
    add_member(work, work.actor.person, organisation, Role.MANAGER, MembershipState.ACTIVE)
    work.touched("organisation", organisation.public_id)
    return organisation


def add_member(
    work: Work,
    person_id: PersonId,
    organisation: Organisation,
    role: Role,
    state: MembershipState,
) -> Membership:
    """Write a membership row. The caller has checked that the actor may."""
    row = Membership(
        public_id=new_public_id(),
        person_id=person_id,
        organisation_id=organisation.id,
        role=role,
        state=state,
        created_at=work.now,
        decided_at=work.now if state is MembershipState.ACTIVE else None,
    )
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError:  # the same form sent twice at once
        raise Conflict(MEMBER_ALREADY) from None
    waiting.member_moved(work, row)
    return row


def join(work: Work, organisation_id: PublicId, form: JoinIn) -> Membership:
    """Ask to join a verified organisation; its manager decides. Raises Conflict if asked before."""
    work.require(Action.ORGANISATION_JOIN, Relation.OTHER)
    organisation = repository.organisation_by_public_id(work.session, organisation_id)
    if organisation is None or organisation.verification != Verification.VERIFIED:
        raise NotFound
    if organisation.kind in ("bureau", "platform"):
        raise NotFound
    row = repository.membership_of(work.session, work.actor.person, organisation.id)
    work.touched("organisation", organisation.public_id)
    if row is None:
        return add_member(
            work, work.actor.person, organisation, form.role, MembershipState.REQUESTED
        )
    if row.state in (MembershipState.ACTIVE, MembershipState.REQUESTED):
        raise Conflict(MEMBER_ALREADY)
    expected = MembershipState(row.state)
    if (
        repository.move_membership(
            work.session,
            row.id,
            expected=expected,
            to=MembershipState.REQUESTED,
            role=form.role,
            at=work.now,
        )
        != 1
    ):
        raise Conflict
    work.session.refresh(row)
    waiting.member_moved(work, row)
    return row


def decide_member(work: Work, membership: PublicId, form: DecideMemberIn) -> None:
    """Accept or refuse who asks to join, change a member's role, or remove a member.

    An organisation keeps at least one manager. Raises NotFound, Conflict.
    """
    row = repository.membership_by_public_id(work.session, membership)
    if row is None or row.organisation_id != work.actor.organisation_id:
        raise NotFound
    work.require(Action.ORGANISATION_MANAGE)
    state = MembershipState(row.state)
    steps = {
        "accept": (state, MembershipState.ACTIVE),
        "refuse": (MembershipState.REQUESTED, MembershipState.REFUSED),
        "remove": (MembershipState.ACTIVE, MembershipState.LEFT),
    }
    expected, to = steps[form.decision]
    role = form.role or Role(row.role)
    if state not in (MembershipState.REQUESTED, MembershipState.ACTIVE):
        raise Conflict("这位成员已经离开或申请已被处理")
    stays_manager = to is MembershipState.ACTIVE and role is Role.MANAGER
    if row.role == Role.MANAGER and state is MembershipState.ACTIVE and not stays_manager:
        repository.lock_organisation(work.session, row.organisation_id)
        if repository.active_managers(work.session, row.organisation_id) <= 1:
            raise Conflict(LAST_MANAGER)
    if (
        repository.move_membership(
            work.session, row.id, expected=expected, to=to, role=role, at=work.now
        )
        != 1
    ):
        raise Conflict
    work.session.refresh(row)
    waiting.member_moved(work, row)
    waiting.tell_member(work, row, repository.organisation(work.session, row.organisation_id))
    if to is MembershipState.LEFT:
        repository.revoke_tokens_of_membership(work.session, row.id, work.now)
    work.touched("membership", row.public_id)


def leave(work: Work, of: PublicId | None = None) -> None:
    """Leave the named organisation, else the acting one. What the person made for it stays its.

    Leaving by name what one has left already changes nothing: a page sent twice must not end the
    next membership. Raises NotFound, Conflict for the last manager of an organisation that others
    belong to or that the bureau has verified: another has to be named first, or the bureau closes
    it.
    """
    work.require(Action.ORGANISATION_LEAVE)
    row = _own_membership(work, of)
    if of is not None and row is not None and row.state == MembershipState.LEFT:
        return
    if row is None or row.state != MembershipState.ACTIVE:
        raise NotFound
    organisation = repository.organisation(work.session, row.organisation_id)
    repository.lock_organisation(work.session, organisation.id)
    if (why := _stays(work, row, organisation)) is not None:
        raise Conflict(why)
    part(work, row)
    work.touched("membership", row.public_id)


def _own_membership(work: Work, of: PublicId | None) -> Membership | None:
    organisation_id = work.actor.organisation_id
    if of is not None:
        named = repository.organisation_by_public_id(work.session, of)
        organisation_id = named.id if named else None
    if organisation_id is None:
        return None
    return repository.membership_of(work.session, work.actor.person, organisation_id)


def why_stay(work: Work) -> str:
    """Return why the actor cannot leave the acting organisation at present, "" where one can."""
    row = _own_membership(work, None)
    if row is None:
        return ""
    organisation = repository.organisation(work.session, row.organisation_id)
    return _stays(work, row, organisation) or ""


def _stays(work: Work, row: Membership, organisation: Organisation) -> str | None:
    if not _is_last_manager(work, row):
        return None
    if repository.other_members(work.session, organisation.id, work.actor.person):
        return LAST_MANAGER
    return CLOSE_FIRST if organisation.verification == Verification.VERIFIED else None


def _is_last_manager(work: Work, row: Membership) -> bool:
    return (
        row.role == Role.MANAGER
        and repository.active_managers(work.session, row.organisation_id) <= 1
    )


def held_by(work: Work, *, deciding: bool) -> list[tuple[Organisation, bool]]:
    """Return the organisations whose only manager the person is, and whether others belong to
    them; `deciding` holds up whoever else decides about their members.
    """
    held = []
    for row, organisation in repository.memberships_of_person(work.session, work.actor.person):
        if row.state == MembershipState.ACTIVE and row.role == Role.MANAGER:
            if deciding:
                repository.lock_organisation(work.session, organisation.id)
            if _is_last_manager(work, row):
                others = repository.other_members(work.session, organisation.id, work.actor.person)
                held.append((organisation, others > 0))
    return held


def part(work: Work, row: Membership) -> None:
    """End a membership or a request for one, with the tokens that act for it."""
    expected = MembershipState(row.state)
    # LEFT is who was a member once, which a request withdrawn never was.
    was_member = expected is MembershipState.ACTIVE
    to = MembershipState.LEFT if was_member else MembershipState.REFUSED
    moved = repository.move_membership(
        work.session, row.id, expected=expected, to=to, role=row.role, at=work.now
    )
    if moved != 1:
        raise Conflict
    work.session.refresh(row)
    waiting.member_moved(work, row)
    repository.revoke_tokens_of_membership(work.session, row.id, work.now)


def verify(work: Work, organisation_id: PublicId, form: VerifyIn) -> None:
    """Enter the bureau's decision on an organisation, and correct its name where it says so.

    Raises NotFound, Invalid at `note`, Conflict for an entry of a directory that nobody has taken
    over: verified, it could not be any more.
    """
    work.require(Action.ORGANISATION_VERIFY, Relation.OTHER)
    row = repository.organisation_by_public_id(work.session, organisation_id)
    if row is None:
        raise NotFound
    if (
        form.decision == "verified"
        and row.verification == Verification.PENDING
        and not repository_intake.with_members(work.session, [row.id])
    ):
        raise Conflict(NOBODY_YET)
    if form.decision == "refused" and not form.note:
        raise Invalid(fields={"note": "不通过时请写明原因，对方会看到"})
    if form.seen not in (None, row.edits):
        raise overtaken(row)
    decided = repository_waiting.decide_verification(
        work.session,
        row.id,
        state=Verification(form.decision),
        name=form.name or row.name,
        note=form.note,
        self_publish=form.self_publish,
        at=work.now,
        edits=row.edits,
    )
    if decided != 1:
        work.session.refresh(row)
        raise overtaken(row)
    work.session.refresh(row)
    waiting.organisation_moved(work, row)
    waiting.tell_verified(work, row)
    # What its listings' documents show hangs on the organisation.
    changes.record(
        work.session,
        changes.SubjectKind.ORGANISATION,
        row.id,
        f"verification.{form.decision}",
        at=work.now,
        actor_id=work.actor.person_id,
    )
    work.touched("organisation", row.public_id)


def overtaken(row: Organisation) -> Overtaken:
    """Return the refusal of an edit of an organisation that somebody else edited first."""
    return Overtaken(
        {
            "name": row.name,
            "address": row.address,
            "note": row.verification_note,
            "self_publish": row.self_publish,
            "seen": row.edits,
        }
    )


def rename(work: Work, name: str, address: str, seen: int | None = None) -> None:
    """Change what is public of one's own organisation; `seen` is the `edits` that were read.

    Raises Invalid at `name` once it is verified: the mark vouches for the name that was checked,
    so from then on the bureau changes it (`verify`).
    """
    work.require(Action.ORGANISATION_MANAGE)
    row = repository.organisation(work.session, work.actor.organisation)
    if row.verification == Verification.VERIFIED and name != row.name:
        raise Invalid(fields={"name": f"名称“{row.name}”已经科技局核验，更名请联系科技局"})
    if (
        seen not in (None, row.edits)
        or repository.rename(work.session, row.id, name=name, address=address, edits=row.edits) != 1
    ):
        work.session.refresh(row)
        raise overtaken(row)
    work.session.refresh(row)
    changes.record(
        work.session,
        changes.SubjectKind.ORGANISATION,
        row.id,
        "renamed",
        at=work.now,
        actor_id=work.actor.person_id,
    )
    work.touched("organisation", row.public_id)
