"""The JSON edge of accounts."""

from typing import Annotated

from fastapi import Query, Request

from market.accounts import consent, organisations, repository, signin, trail
from market.accounts.edge import address_of, api_router, gives_parts, opens
from market.accounts.models import Organisation
from market.accounts.policy import Action, OrganisationKind, Role
from market.accounts.schemas import (
    AuditOut,
    DecideMemberIn,
    JoinIn,
    MemberOut,
    MembershipOut,
    MeOut,
    OrganisationIn,
    OrganisationOut,
    SignUpIn,
    TokenIn,
    TokenOut,
    VerifyIn,
)
from market.accounts.work import Parts, Work, record_done
from market.kit.audit import Outcome
from market.kit.errors import Forbidden, NotFound
from market.kit.ids import PublicId
from market.kit.wire import Day, Optional60, Out, PathId

router = api_router("accounts")


class PersonOut(Out):
    id: str
    name: str
    email: str


class Organisations(Out):
    items: list[OrganisationOut]


class Members(Out):
    items: list[MemberOut]


class AuditPage(Out):
    items: list[AuditOut]


def organisation_out(row: Organisation) -> OrganisationOut:
    return OrganisationOut.model_validate(row)


@router.post("/people", status_code=201)
def sign_up(
    form: SignUpIn, request: Request, parts: Annotated[Parts, gives_parts(Action.SIGN_IN)]
) -> PersonOut:
    """Create an account of somebody who agrees to the privacy notice and the terms in force."""
    person = signin.sign_up(parts, form, address_of(request))
    return PersonOut(id=person.public_id, name=person.name, email=person.email)


@router.post("/tokens", status_code=201)
def make_token(
    form: TokenIn, request: Request, parts: Annotated[Parts, gives_parts(Action.SIGN_IN)]
) -> TokenOut:
    """Get a token by e-mail and password, bound to one of the person's organisations.

    Where none is named it is bound to the first; before one has joined any, to none.
    """
    person = signin.check_password(parts, form.email, form.password, address_of(request))
    with parts.database.write() as session:
        signin.require_unchanged(session, person)
        work = Work(session, parts, signin.actor_of(session, person, None), parts.clock.now())
        if consent.missing(session, person.id, work.now):
            raise Forbidden(f"{consent.ASK}：请先在网站登录一次")
        wanted = form.organisation
        active = [
            (membership, organisation)
            for membership, organisation in repository.memberships_of_person(session, person.id)
            if membership.state == "active"
        ]
        chosen = [m for m, o in active if wanted is None or o.public_id == wanted]
        if wanted is not None and not chosen:
            raise NotFound("您不是这个机构的成员")
        bound = chosen[0].id if chosen else None
        row, secret = signin.new_token(work, person.id, form.name, bound)
        work.actor = signin.actor_of(session, person, bound)
        record_done(work, Action.ACCOUNT_USE)
        return TokenOut(id=row.public_id, token=secret, expires_at=row.expires_at)


@router.delete("/tokens/{token_id}", status_code=204)
def revoke_token(
    token_id: PathId, work: Annotated[Work, opens(Action.ACCOUNT_USE, write=True)]
) -> None:
    """Revoke one of one's own tokens."""
    signin.revoke_token(work, PublicId(token_id))


@router.get("/me")
def me(work: Annotated[Work, opens(Action.ACCOUNT_USE)]) -> MeOut:
    """Who the token acts as, and the organisations it could act for."""
    person = repository.person(work.session, work.actor.person)
    rows = repository.memberships_of_person(work.session, person.id)
    current = next((o for _, o in rows if o.id == work.actor.organisation_id), None)
    return MeOut(
        id=person.public_id,
        name=person.name,
        email=person.email,
        role=work.actor.role,
        organisation=organisation_out(current) if current else None,
        memberships=[
            MembershipOut(
                id=membership.public_id,
                organisation=organisation_out(organisation),
                role=Role(membership.role),
                state=membership.state,
            )
            for membership, organisation in rows
        ],
    )


@router.post("/organisations", status_code=201)
def found_organisation(
    form: OrganisationIn, work: Annotated[Work, opens(Action.ORGANISATION_FOUND, write=True)]
) -> OrganisationOut:
    """Found an organisation and become its manager; the bureau verifies it."""
    return organisation_out(organisations.found(work, form))


@router.get("/organisations")
def list_organisations(
    work: Annotated[Work, opens(Action.BROWSE)],
    kind: OrganisationKind | None = None,
    q: Annotated[str, Query(max_length=100)] = "",
) -> Organisations:
    """List verified organisations, at most 200, by name."""
    rows = repository.verified_organisations(work.session, kind=kind, name_like=q.strip())
    return Organisations(items=[organisation_out(row) for row in rows])


@router.get("/organisations/{organisation_id}")
def show_organisation(
    organisation_id: PathId, work: Annotated[Work, opens(Action.BROWSE)]
) -> OrganisationOut:
    return organisation_out(organisations.visible_organisation(work, PublicId(organisation_id)))


@router.post("/organisations/{organisation_id}/memberships", status_code=201)
def join_organisation(
    organisation_id: PathId,
    form: JoinIn,
    work: Annotated[Work, opens(Action.ORGANISATION_JOIN, write=True)],
) -> MemberOut:
    """Ask to join a verified organisation; its manager decides."""
    row = organisations.join(work, PublicId(organisation_id), form)
    person = repository.person(work.session, work.actor.person)
    return MemberOut(
        id=row.public_id,
        name=person.name,
        email=person.email,
        role=Role(row.role),
        state=row.state,
    )


@router.get("/members")
def list_members(work: Annotated[Work, opens(Action.MEMBERS_VIEW)]) -> Members:
    """List the members of the acting organisation, those who ask to join first."""
    work.require(Action.MEMBERS_VIEW)
    return Members(
        items=[
            MemberOut(
                id=membership.public_id,
                name=person.name,
                email=person.email,
                role=Role(membership.role),
                state=membership.state,
            )
            for membership, person in repository.members(work.session, work.actor.organisation)
        ]
    )


@router.post("/members/{membership_id}/decision", status_code=204)
def decide_member(
    membership_id: PathId,
    form: DecideMemberIn,
    work: Annotated[Work, opens(Action.ORGANISATION_MANAGE, write=True)],
) -> None:
    """Accept or refuse who asks to join, change a role, or remove a member."""
    organisations.decide_member(work, PublicId(membership_id), form)


@router.delete("/membership", status_code=204)
def leave_organisation(
    work: Annotated[Work, opens(Action.ORGANISATION_LEAVE, write=True)],
) -> None:
    """Leave the acting organisation; everything of its own stays, this token ends with it."""
    organisations.leave(work)


@router.post("/organisations/{organisation_id}/verification", status_code=204)
def verify_organisation(
    organisation_id: PathId,
    form: VerifyIn,
    work: Annotated[Work, opens(Action.ORGANISATION_VERIFY, write=True)],
) -> None:
    """Enter the bureau's decision on an organisation."""
    organisations.verify(work, PublicId(organisation_id), form)


@router.get("/audit")
def audit_log(
    work: Annotated[Work, opens(Action.AUDIT_VIEW)],
    before: Annotated[int | None, Query(ge=1, lt=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    action: Annotated[Action | None, Query()] = None,
    outcome: Annotated[Outcome | None, Query()] = None,
    organisation: Annotated[Optional60, Query()] = "",
    day: Annotated[Day | None, Query()] = None,
) -> AuditPage:
    """Read who did what, newest first; `before` is the id to go on from."""
    asked = trail.Asked(action or "", outcome or "", organisation, day)
    return AuditPage(items=trail.rows(work, asked, limit=limit, before=before))
