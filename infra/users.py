"""Accounts from the command line: the first ones, and lost passwords."""

from pydantic import TypeAdapter, ValidationError

from market.accounts import creditcode, organisations, repository, signin
from market.accounts.models import MembershipState, Organisation, Person, PersonState, Verification
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts, Work, writing
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import new_public_id
from market.kit.validation import ECHO
from market.kit.wire import Email

COMMAND_LINE = Actor(role=Role.OPERATOR)
SPECIAL = {
    Role.OFFICER: OrganisationKind.BUREAU,
    Role.OPERATOR: OrganisationKind.PLATFORM,
    Role.AUDITOR: OrganisationKind.PLATFORM,
}


def create(
    parts: Parts, *, email: str, name: str, role: str, code: str, org_name: str, org_kind: str
) -> str:
    """Make an account, its organisation where it is missing, and return the one-time link's path.

    Raises Invalid for a wrong code or a role that does not fit the organisation, Conflict where
    the address is taken.
    """
    with writing(parts, COMMAND_LINE, "user.create") as work:
        address = _address(email)
        if repository.person_by_email(work.session, address) is not None:
            raise Conflict(f"{address} 已有账号，可用 zhihe user reset 重设密码")
        organisation = _organisation(work, code, org_name, org_kind)
        _fits(Role(role), OrganisationKind(organisation.kind))
        person = Person(public_id=new_public_id(), email=address, name=name, created_at=work.now)
        work.session.add(person)
        work.session.flush()
        organisations.add_member(work, person.id, organisation, Role(role), MembershipState.ACTIVE)
        work.touched("person", person.public_id)
        return f"/link/{signin.new_link(work, person.id)}"


def _address(email: str) -> str:
    try:
        return TypeAdapter(Email).validate_python(email)
    except ValidationError:
        text = f"应为邮箱地址，如 zhang@example.com，现在是“{email[:ECHO]}”"
        raise Invalid(fields={"email": text}) from None


def _organisation(work: Work, code: str, name: str, kind: str) -> Organisation:
    normal = creditcode.normalise(code)
    if wrong := creditcode.problem(normal):
        raise Invalid(fields={"org": wrong})
    row = repository.organisation_by_code(work.session, normal)
    if row is not None:
        return row
    if not name:
        raise Invalid(fields={"org": f"还没有代码为{normal}的机构，请用 --org-name 给出名称"})
    row = Organisation(
        public_id=new_public_id(),
        kind=kind,
        name=name,
        credit_code=normal,
        region="500106",
        verification=Verification.VERIFIED,
        verified_at=work.now,
        created_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    return row


def _fits(role: Role, kind: OrganisationKind) -> None:
    """Officers belong to the bureau, operators and auditors to the platform, no one else does."""
    wanted = SPECIAL.get(role)
    special = kind in (OrganisationKind.BUREAU, OrganisationKind.PLATFORM)
    if (wanted is not None and kind is not wanted) or (wanted is None and special):
        raise Invalid(fields={"role": f"角色{role}不能属于{kind}类型的机构，请用 --org-kind 另选"})


def _person(work: Work, email: str) -> Person:
    person = repository.person_by_email(work.session, email.strip().lower())
    if person is None:
        raise NotFound(f"没有邮箱为{email}的账号")
    return person


def reset(parts: Parts, email: str) -> str:
    """Return the path of a one-time link. The old password holds until the link is used.

    Raises Conflict for a disabled account, whose link would let nobody in.
    """
    with writing(parts, COMMAND_LINE, "user.reset") as work:
        person = _person(work, email)
        if person.state == PersonState.DISABLED:
            raise Conflict(f"{email}已停用，设了密码也不能登录；先用 zhihe user enable 恢复")
        work.touched("person", person.public_id)
        return f"/link/{signin.new_link(work, person.id)}"


def disable(parts: Parts, email: str) -> None:
    """Let a person in no more: state, sessions and tokens in one transaction."""
    with writing(parts, COMMAND_LINE, "user.disable") as work:
        person = _person(work, email)
        repository.set_person_state(work.session, person.id, PersonState.DISABLED)
        repository.revoke_sign_ins(work.session, person.id, work.now)
        repository.revoke_token(work.session, person.id, work.now)
        work.touched("person", person.public_id)


def enable(parts: Parts, email: str) -> None:
    """Let a disabled person in again, with the password they had. Raises Conflict where active."""
    with writing(parts, COMMAND_LINE, "user.enable") as work:
        person = _person(work, email)
        if person.state == PersonState.ACTIVE:
            raise Conflict(f"{email}没有停用，不用恢复")
        repository.set_person_state(work.session, person.id, PersonState.ACTIVE)
        work.touched("person", person.public_id)
