"""The SQL of a person's contact in inquiries."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, update
from sqlmodel import Session, col, select

from market.deals.models import Inquiry
from market.kit.db import changed
from market.kit.ids import OrganisationId, PersonId


@dataclass(frozen=True, slots=True)
class Known:
    """By what a person is known in a contact that was typed."""

    person_id: PersonId
    name: str
    email: str
    phone: str
    organisations: Collection[OrganisationId]


def asked_as(session: Session, known: Known) -> list[Inquiry]:
    """Return inquiries whose asking side names the person as contact, by whoever wrote it."""
    by_name = or_(
        col(Inquiry.created_by) == known.person_id, col(Inquiry.asker_id).in_(known.organisations)
    )
    by_address = col(Inquiry.contact_email) == known.email
    return _found(session, or_(by_address, and_(col(Inquiry.contact_name) == known.name, by_name)))


def answered_as(session: Session, known: Known) -> list[Inquiry]:
    """Return inquiries whose answering side names the person as contact."""
    by_name = and_(
        col(Inquiry.owner_contact_name) == known.name,
        col(Inquiry.owner_id).in_(known.organisations),
    )
    return _found(session, or_(col(Inquiry.owner_contact_email) == known.email, by_name))


def _found(session: Session, condition: ColumnElement[bool]) -> list[Inquiry]:
    return list(session.exec(select(Inquiry).where(condition).order_by(col(Inquiry.id))))


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
    """Take the number out of contacts under another name: a desk's, or a colleague's."""
    if known.phone:
        for column in (Inquiry.contact_phone, Inquiry.owner_contact_phone):
            changed(
                session,
                update(Inquiry)
                .where(col(column) == known.phone)
                .values({col(column): ""})
                .execution_options(synchronize_session=False),
            )
