"""What deals hold of a person: contacts in inquiries, and who wrote what."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from market.accounts import repository as accounts
from market.deals import repository_personal as repository
from market.deals.models import Contract, Deal, DealNote, Inquiry, Introduction, Terms
from market.deals.models_negotiation import DealFile, DealParty, NextStep, Objection
from market.deals.repository_personal import Known
from market.deals.vocabulary import InquiryState
from market.kit.across import GONE, Held, any_by, by
from market.kit.clock import local_text
from market.kit.ids import OrganisationId, PersonId

KEPT = (
    "询问、引荐、洽谈的往来文字和条款：双方机构的业务记录，写的人以编号记。",
    (
        "询问里的联系人：您自己写的，和您加入过的机构写下并填了您邮箱的，改为“已注销用户”；"
        "别人只填了您的姓名或电话的，同名的人分不清，不自动改动，请按隐私政策里的联系方式提出。"
    ),
    "对公示的异议：公示是否有效的依据，内容保留，您登录后提出的，姓名和联系方式改为“已注销用户”。",
    "合同：民法典和会计档案的要求，由签订的机构保存，起草人只以编号记。",
)
CONTACTS = "询问里的联系方式"


def held(session: Session, person_id: PersonId) -> Sequence[Held[Any]]:
    known = _known(session, person_id)
    return (
        Held(
            CONTACTS,
            repository.asked_as(known),
            lambda row: _contact(row, row.contact_name, row.contact_phone, row.contact_email),
        ),
        Held(
            CONTACTS,
            repository.answered_as(known),
            lambda row: _contact(
                row, row.owner_contact_name, row.owner_contact_phone, row.owner_contact_email
            ),
        ),
        Held(
            "发出的询问",
            by(Inquiry, "created_by", person_id),
            lambda row: {"内容": row.message, "时间": local_text(row.created_at)},
        ),
        Held(
            "提出的引荐",
            by(Introduction, "created_by", person_id),
            lambda row: {"内容": row.message, "时间": local_text(row.created_at)},
        ),
        Held(
            "洽谈记录",
            by(DealNote, "person_id", person_id),
            lambda row: {"内容": row.text, "时间": local_text(row.at)},
        ),
        Held(
            "提出的条款",
            by(Terms, "proposed_by", person_id),
            lambda row: {"内容": row.text, "时间": local_text(row.proposed_at)},
        ),
        *_beside(person_id),
        Held(
            "起草的合同",
            by(Contract, "drafted_by", person_id),
            lambda row: {"项目": row.project_name, "时间": local_text(row.created_at)},
        ),
    )


def _beside(person_id: PersonId) -> Sequence[Held[Any]]:
    """Return what stands beside deals."""
    return (
        Held(
            "洽谈里放的文件",
            by(DealFile, "person_id", person_id),
            lambda row: {"说明": row.note, "时间": local_text(row.at)},
        ),
        Held(
            "洽谈里由您办的下一步",
            by(NextStep, "person_id", person_id),
            lambda row: {"内容": row.text, "日期": str(row.due_on)},
        ),
        Held(
            "对公示提出的异议",
            by(Objection, "created_by", person_id),
            lambda row: {
                "姓名或单位": row.name,
                "联系方式": row.contact,
                "内容": row.text,
                "时间": local_text(row.created_at),
            },
        ),
    )


def _contact(row: Inquiry, name: str, phone: str, email: str) -> dict[str, str]:
    return {"询问": row.public_id, "联系人": name, "电话": phone, "邮箱": email}


def _known(session: Session, person_id: PersonId) -> Known:
    person = accounts.person(session, person_id)
    places = repository.took_in(session, person_id)
    return Known(person_id, person.name, person.email, person.phone, places)


def in_hand(
    session: Session, person_id: PersonId, organisation_id: OrganisationId
) -> list[Inquiry]:
    """Return the organisation's inquiries not yet closed that name the person as its contact:
    what others have to be told of before the person leaves it.
    """
    known = _known(session, person_id)
    asked = [
        one
        for one in repository.inquiries(session, repository.asked_as(known))
        if one.asker_id == organisation_id
    ]
    answered = [
        one
        for one in repository.inquiries(session, repository.answered_as(known))
        if one.owner_id == organisation_id
    ]
    return [one for one in (*asked, *answered) if one.state != InquiryState.CLOSED]


def erase(session: Session, person_id: PersonId, _at: datetime) -> None:
    """Take the person out of contacts; called while accounts still know the name and address."""
    known = _known(session, person_id)
    asked, answered = (
        repository.inquiries(session, repository.asked_as(known)),
        repository.inquiries(session, repository.answered_as(known)),
    )
    repository.replace_contact(session, asked, "contact", GONE)
    repository.replace_contact(session, answered, "owner_contact", GONE)
    repository.blank_phone(session, known)
    repository.unname_objections(session, person_id, GONE)


def ties(session: Session, organisation_id: OrganisationId) -> bool:
    return any(
        any_by(session, table, column, organisation_id)
        for table, column in (
            (Deal, "seller_id"),
            (Deal, "buyer_id"),
            (Inquiry, "asker_id"),
            (Inquiry, "owner_id"),
            (Introduction, "broker_id"),
            (DealParty, "organisation_id"),
        )
    )
