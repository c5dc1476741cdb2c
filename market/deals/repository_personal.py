"""The SQL of a person's contact in inquiries."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from market.accounts.models import Membership, MembershipState
from market.deals.models import Inquiry
from market.deals.models_negotiation import Objection
from market.kit.db import changed
from market.kit.ids import OrganisationId, PersonId


@dataclass(frozen=True, slots=True)
class Known:
    """By what a person is known in a contact that was typed.

    Name, phone and even e-mail are but what somebody typed at sign-up: they count in what the
    person wrote, the e-mail also in what `organisations` wrote, which took the person in.
    """

    person_id: PersonId
    name: str
    email: str
    phone: str
    organisations: Collection[OrganisationId]


def inquiries(session: Session, wanted: SelectOfScalar[Inquiry]) -> list[Inquiry]:
    return list(session.exec(wanted))


def took_in(session: Session, person_id: PersonId) -> set[OrganisationId]:
    """Return the organisations that have the person among them, or had."""
    rows = select(col(Membership.organisation_id)).where(
        col(Membership.person_id) == person_id,
        col(Membership.state).in_([MembershipState.ACTIVE, MembershipState.LEFT]),
    )
    return {OrganisationId(one) for one in session.exec(rows)}


def asked_as(known: Known) -> SelectOfScalar[Inquiry]:
    """Ask for inquiries whose asking side names the person as contact."""
    wrote = col(Inquiry.created_by) == known.person_id
    took_in = col(Inquiry.asker_id).in_(known.organisations)
    by_email = and_(col(Inquiry.contact_email) == known.email, or_(wrote, took_in))
    return _found(or_(by_email, and_(col(Inquiry.contact_name) == known.name, wrote)))


def answered_as(known: Known) -> SelectOfScalar[Inquiry]:
    """Ask for inquiries whose answering side names the person as contact."""
    wrote = col(Inquiry.answered_by) == known.person_id
    took_in = col(Inquiry.owner_id).in_(known.organisations)
    by_email = and_(col(Inquiry.owner_contact_email) == known.email, or_(wrote, took_in))
    by_name = and_(col(Inquiry.owner_contact_name) == known.name, wrote)
    return _found(or_(by_email, by_name))


def _found(condition: ColumnElement[bool]) -> SelectOfScalar[Inquiry]:
    return select(Inquiry).where(condition).order_by(col(Inquiry.id))


def replace_contact(session: Session, inquiries: Collection[Inquiry], side: str, name: str) -> None:
    """Put a name alone in the place of a contact; `side` is "contact" or "owner_contact"."""
    changed(
        session,
        update(Inquiry)
        .where(col(Inquiry.id).in_([one.id for one in inquiries]))
        .values({f"{side}_name": name, f"{side}_phone": "", f"{side}_email": ""})
        .execution_options(synchronize_session=False),
    )


def blank_phone(session: Session, known: Known) -> None:
    """Take the number out of contacts that the person wrote under another name: a desk's, or a
    colleague's.
    """
    if known.phone:
        for column, writer in (
            (Inquiry.contact_phone, Inquiry.created_by),
            (Inquiry.owner_contact_phone, Inquiry.answered_by),
        ):
            changed(
                session,
                update(Inquiry)
                .where(col(column) == known.phone, col(writer) == known.person_id)
                .values({col(column): ""})
                .execution_options(synchronize_session=False),
            )


def unname_objections(session: Session, person_id: PersonId, name: str) -> None:
    """Put a name alone in the place of who objected while signed in."""
    changed(
        session,
        update(Objection)
        .where(col(Objection.created_by) == person_id)
        .values(name=name, contact="")
        .execution_options(synchronize_session=False),
    )
