"""Inquiries (询问): asked about a listing, answered by its owner, which opens a deal."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from market.access import service as access
from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.catalog import views as catalog
from market.catalog.models import Listing, ListingState
from market.catalog.views import Heading, Source
from market.catalog.vocabulary import MASKED_NAME, ListingKind
from market.deals import opening, waiting
from market.deals import repository as deal_rows
from market.deals import repository_inquiries as repository
from market.deals.models import Deal, Inquiry
from market.deals.opening import Pair
from market.deals.schemas import AnswerIn, CloseIn, ContactIn, InquiryIn
from market.deals.vocabulary import PAGE, Box, InquiryState
from market.discovery import matches
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from market.kit.ids import ListingId, OrganisationId, PublicId, new_public_id
from market.kit.notify import Subject

CHOICES = 500  # a longer list is no choice
OWN = "这是贵单位自己的信息，不用询问"
ASKED_ALREADY = "贵单位已就这条信息发出询问，正等待答复，可在“询问”里查看"


@dataclass(frozen=True, slots=True)
class Contact:
    name: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class InquiryView:
    """An inquiry as one side sees it.

    `asker` is None while the asker hides its name, `owner` while a masked name is not known, and
    the contacts are None until the owner has answered.
    """

    inquiry: Inquiry
    relation: Relation
    listing: Heading
    own_listing: Heading | None
    owner: Organisation | None
    asker: Organisation | None
    owner_label: str
    asker_label: str
    owner_contact: Contact | None
    asker_contact: Contact | None
    deal: Deal | None


def relation(work: Work, row: Inquiry) -> Relation:
    """Return what the actor is: own is the listing's owner, counterpart the asker.

    Raises NotFound for everyone else.
    """
    if work.actor.organisation_id == row.owner_id:
        return Relation.OWN
    if work.actor.organisation_id == row.asker_id:
        return Relation.COUNTERPART
    raise NotFound


def ask(work: Work, form: InquiryIn) -> Inquiry:
    """Ask about a published listing of another organisation.

    Raises NotFound for a listing one may not see, Forbidden for one's own, Conflict where an
    inquiry is already open, Invalid at `own_listing`.
    """
    listing = access.visible_listing(work, PublicId(form.listing))
    work.require(Action.INQUIRY_SEND, Relation.OTHER)
    if listing.organisation_id == work.actor.organisation:
        raise Forbidden(OWN)
    if listing.state != ListingState.PUBLISHED:
        raise NotFound
    own = _own_listing(work, form, listing)
    if repository.open_inquiry(work.session, listing.id, work.actor.organisation) is not None:
        raise Conflict(ASKED_ALREADY)
    contact = _contact(work, form)
    row = Inquiry(
        public_id=new_public_id(),
        listing_id=listing.id,
        own_listing_id=own.id if own else None,
        asker_id=work.actor.organisation,
        owner_id=listing.organisation_id,
        show_name=form.show_name,
        message=form.message,
        contact_name=contact.name,
        contact_phone=contact.phone,
        contact_email=contact.email,
        created_by=work.actor.person,
        created_at=work.now,
    )
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError:  # the same form sent twice at once
        raise Conflict(ASKED_ALREADY) from None
    matches.note_asked(work, listing.id, work.actor.organisation)
    waiting.inquiry_moved(work, row)
    work.touched("inquiry", row.public_id)
    return row


def _own_listing(work: Work, form: InquiryIn, listing: Listing) -> Listing | None:
    if form.own_listing is None:
        return None
    own = access.find_listing(work, PublicId(form.own_listing))
    wanted = (
        ListingKind.DEMAND if listing.kind == ListingKind.ACHIEVEMENT else ListingKind.ACHIEVEMENT
    )
    if (
        own is None
        or own.organisation_id != work.actor.organisation
        or own.kind != wanted
        or own.state != ListingState.PUBLISHED
    ):
        what = "需求" if wanted is ListingKind.DEMAND else "成果"
        raise Invalid(fields={"own_listing": f"请从贵单位已公开的{what}里选一项，或不选"})
    if not form.show_name and not own.masked:
        raise Invalid(
            fields={
                "own_listing": "所选的一项公开了贵单位名称，与不显示机构名称矛盾：请不选它，"
                "或改为显示名称"
            }
        )
    return own


def _contact(work: Work, form: ContactIn) -> Contact:
    """Return the contact as typed; what was left empty comes from the person's account."""
    person = accounts.person(work.session, work.actor.person)
    return Contact(
        form.contact_name or person.name,
        form.contact_phone or person.phone,
        form.contact_email or person.email,
    )


def _find(work: Work, public_id: PublicId) -> tuple[Inquiry, Relation]:
    row = repository.inquiry_by_public_id(work.session, public_id)
    if row is None:
        raise NotFound
    related = relation(work, row)
    if not work.may(Action.INQUIRY_VIEW, related):
        raise NotFound
    work.touched("inquiry", row.public_id)
    return row, related


def answer(work: Work, public_id: PublicId, form: AnswerIn) -> Inquiry:
    """Answer an inquiry, by the listing's owner; opens a deal or joins the pair's open one.

    From now on both sides see each other's contact. Raises NotFound, Forbidden, Conflict.
    """
    row, related = _find(work, public_id)
    work.require(Action.INQUIRY_ANSWER, related)
    if row.state != InquiryState.OPEN:
        raise Conflict("这条询问已经答复或关闭，请刷新后再看")
    contact = _contact(work, form)
    repository.move_inquiry(
        work.session,
        row.id,
        InquiryState.OPEN,
        InquiryState.ANSWERED,
        answer=form.answer,
        owner_contact_name=contact.name,
        owner_contact_phone=contact.phone,
        owner_contact_email=contact.email,
        answered_by=work.actor.person,
        answered_at=work.now,
    )
    deal = opening.open_or_join(work, _pair(work, row), "询问得到答复，双方开始洽谈")
    repository.link_inquiry(work.session, row.id, deal.id)
    work.session.refresh(row)
    waiting.inquiry_moved(work, row)
    _tell(work, row, row.asker_id, "inquiry.answered", "询问得到答复", row.answer)
    return row


def _tell(
    work: Work, row: Inquiry, reader: OrganisationId, kind: str, what: str, detail: str
) -> None:
    title = f"{what}：{_headings(work, [row])[row.listing_id].title}"
    subject = Subject("inquiry", row.public_id)
    waiting.message(work, reader, Action.INQUIRY_VIEW, kind, subject, title, detail=detail)


def _pair(work: Work, row: Inquiry) -> Pair:
    refs = _headings(work, [row])
    asked = refs[row.listing_id]
    own = refs[row.own_listing_id] if row.own_listing_id else None
    if asked.kind is ListingKind.ACHIEVEMENT:
        return Pair(row.owner_id, row.asker_id, achievement=asked, demand=own)
    return Pair(row.asker_id, row.owner_id, achievement=own, demand=asked)


def close(work: Work, public_id: PublicId, form: CloseIn) -> Inquiry:
    """Close an inquiry: the asker needs it no more, or the owner will not answer.

    Contacts that were exchanged stay exchanged. Raises NotFound, Conflict.
    """
    row, related = _find(work, public_id)
    work.require(Action.INQUIRY_CLOSE, related)
    if row.state == InquiryState.CLOSED:
        raise Conflict("这条询问已经关闭")
    repository.move_inquiry(
        work.session,
        row.id,
        InquiryState(row.state),
        InquiryState.CLOSED,
        close_reason=form.reason,
        closed_by_id=work.actor.organisation,
        closed_at=work.now,
    )
    work.session.refresh(row)
    waiting.inquiry_moved(work, row)
    other = row.asker_id if related is Relation.OWN else row.owner_id
    _tell(work, row, other, "inquiry.closed", "询问已关闭", row.close_reason)
    return row


def inquiry(work: Work, public_id: PublicId) -> InquiryView:
    """Return one inquiry to its two sides. Raises NotFound."""
    row, _ = _find(work, public_id)
    return views(work, [row])[0]


def inquiries_of_actor(
    work: Work, box: Box | None = None, page: int = 1
) -> tuple[int, list[InquiryView]]:
    """Return (how many, a page of PAGE) of what the acting organisation was asked, asked itself,
    or both, newest first.
    """
    work.require(Action.INQUIRY_VIEW)
    own = work.actor.organisation
    rows = repository.inquiries_of(work.session, own, box, offset=(page - 1) * PAGE, limit=PAGE)
    return repository.inquiry_count(work.session, own, box), views(work, rows)


def count_of_actor(work: Work, box: Box) -> int:
    """Return how many inquiries the acting organisation was asked, or asked itself."""
    work.require(Action.INQUIRY_VIEW)
    return repository.inquiry_count(work.session, work.actor.organisation, box)


def inquiries_of_deal(work: Work, deal: Deal) -> list[InquiryView]:
    """Return the answered inquiries behind a deal that the actor is a side of."""
    mine = [
        row
        for row in repository.inquiries_of_deal(work.session, deal.id)
        if work.actor.organisation_id in (row.owner_id, row.asker_id)
    ]
    return views(work, mine)


def own_choices(work: Work, kind: ListingKind) -> list[Source]:
    """Return the acting organisation's published listings of a kind, to name in an inquiry."""
    ids = catalog.public_ids(
        work.session, kind, organisation_id=work.actor.organisation, limit=CHOICES
    )
    found = catalog.document_source(work.session, ids)
    return sorted(found.values(), key=lambda source: source.published_at, reverse=True)


def open_of_actor(work: Work, listing_id: ListingId) -> Inquiry | None:
    """Return the acting organisation's inquiry on a listing that still waits for its answer."""
    return repository.open_inquiry(work.session, listing_id, work.actor.organisation)


def interest_counts(session: Session, listing_ids: Collection[ListingId]) -> dict[ListingId, int]:
    """Return how many organisations have asked about each listing; those with none are left out."""
    return repository.askers(session, listing_ids)


def views(work: Work, rows: Sequence[Inquiry]) -> list[InquiryView]:
    """Return inquiries as the acting side sees them. Raises NotFound for those outside."""
    session = work.session
    refs = _headings(work, rows)
    known = access.names_visible(work, list(refs.values()))
    names = accounts.organisations(
        session, {one for row in rows for one in (row.owner_id, row.asker_id)}
    )
    deals = deal_rows.deals(session, [row.deal_id for row in rows])
    found = []
    for row in rows:
        related = relation(work, row)
        owner, asker = names[row.owner_id], names[row.asker_id]
        owner_known = row.listing_id in known
        asker_known = (
            related is Relation.COUNTERPART or row.show_name or row.answered_at is not None
        )
        told = row.answered_at is not None
        found.append(
            InquiryView(
                inquiry=row,
                relation=related,
                listing=refs[row.listing_id],
                own_listing=refs.get(row.own_listing_id) if row.own_listing_id else None,
                owner=owner if owner_known else None,
                asker=asker if asker_known else None,
                owner_label=owner.name if owner_known else MASKED_NAME,
                asker_label=asker.name if asker_known else MASKED_NAME,
                owner_contact=_owner_contact(row) if told else None,
                asker_contact=_asker_contact(row)
                if told or related is Relation.COUNTERPART
                else None,
                deal=deals[row.deal_id] if row.deal_id else None,
            )
        )
    return found


def _headings(work: Work, rows: Sequence[Inquiry]) -> dict[ListingId, Heading]:
    named = [one for row in rows for one in (row.listing_id, row.own_listing_id)]
    return catalog.headings(work.session, [one for one in named if one is not None])


def _owner_contact(row: Inquiry) -> Contact:
    return Contact(row.owner_contact_name, row.owner_contact_phone, row.owner_contact_email)


def _asker_contact(row: Inquiry) -> Contact:
    return Contact(row.contact_name, row.contact_phone, row.contact_email)
