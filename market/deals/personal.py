"""What deals hold of a person: contacts in inquiries, and who wrote what."""

from datetime import datetime

from sqlmodel import Session

from market.accounts import repository as accounts
from market.accounts.models import Membership
from market.deals import repository_personal as repository
from market.deals.models import Contract, Deal, DealNote, Inquiry, Introduction, Terms
from market.deals.repository_personal import Known
from market.deals.vocabulary import InquiryState
from market.kit.across import GONE, Records, any_by, rows_by
from market.kit.clock import local_text
from market.kit.ids import OrganisationId, PersonId

KEPT = (
    "询问、引荐、洽谈的往来文字和条款：双方机构的业务记录，写的人以编号记，联系人改为“已注销用户”。",
    "合同：民法典和会计档案的要求，由签订的机构保存，起草人只以编号记。",
)


def copy(session: Session, person_id: PersonId) -> Records:
    known = _known(session, person_id)
    return {
        "询问里的联系方式": [
            *(
                _contact(row, row.contact_name, row.contact_phone, row.contact_email)
                for row in repository.asked_as(session, known)
            ),
            *(
                _contact(
                    row, row.owner_contact_name, row.owner_contact_phone, row.owner_contact_email
                )
                for row in repository.answered_as(session, known)
            ),
        ],
        "发出的询问": [
            {"内容": row.message, "时间": local_text(row.created_at)}
            for row in rows_by(session, Inquiry, "created_by", person_id)
        ],
        "提出的引荐": [
            {"内容": row.message, "时间": local_text(row.created_at)}
            for row in rows_by(session, Introduction, "created_by", person_id)
        ],
        "洽谈记录": [
            {"内容": row.text, "时间": local_text(row.at)}
            for row in rows_by(session, DealNote, "person_id", person_id)
        ],
        "提出的条款": [
            {"内容": row.text, "时间": local_text(row.proposed_at)}
            for row in rows_by(session, Terms, "proposed_by", person_id)
        ],
        "起草的合同": [
            {"项目": row.project_name, "时间": local_text(row.created_at)}
            for row in rows_by(session, Contract, "drafted_by", person_id)
        ],
    }


def _contact(row: Inquiry, name: str, phone: str, email: str) -> dict[str, str]:
    return {"询问": row.public_id, "联系人": name, "电话": phone, "邮箱": email}


def _known(session: Session, person_id: PersonId) -> Known:
    person = accounts.person(session, person_id)
    places = {row.organisation_id for row in rows_by(session, Membership, "person_id", person_id)}
    return Known(person_id, person.name, person.email, person.phone, places)


def in_hand(
    session: Session, person_id: PersonId, organisation_id: OrganisationId
) -> list[Inquiry]:
    """Return the organisation's inquiries not yet closed that name the person as its contact:
    what others have to be told of before the person leaves it.
    """
    known = _known(session, person_id)
    asked = [one for one in repository.asked_as(session, known) if one.asker_id == organisation_id]
    answered = [
        one for one in repository.answered_as(session, known) if one.owner_id == organisation_id
    ]
    return [one for one in (*asked, *answered) if one.state != InquiryState.CLOSED]


def erase(session: Session, person_id: PersonId, _at: datetime) -> None:
    """Take the person out of contacts; called while accounts still know the name and address."""
    known = _known(session, person_id)
    asked, answered = (
        repository.asked_as(session, known),
        repository.answered_as(session, known),
    )
    repository.replace_contact(session, asked, "contact", GONE)
    repository.replace_contact(session, answered, "owner_contact", GONE)
    repository.blank_phone(session, known)


def ties(session: Session, organisation_id: OrganisationId) -> bool:
    return any(
        any_by(session, table, column, organisation_id)
        for table, column in (
            (Deal, "seller_id"),
            (Deal, "buyer_id"),
            (Inquiry, "asker_id"),
            (Inquiry, "owner_id"),
            (Introduction, "broker_id"),
        )
    )
