"""The JSON edge of deals: inquiries, introductions, and deals up to the signed contract."""

from typing import Annotated

from fastapi import Query

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.deals import contracts, inquiries, introductions, pricing, service, views
from market.deals.answers import (
    deal_out,
    deal_whole,
    inquiry_out,
    introduction_out,
    publicity_out,
)
from market.deals.schemas import (
    AnswerIn,
    CloseIn,
    ConfirmIn,
    ContractIn,
    DealtIn,
    DisclosureIn,
    InquiryIn,
    IntroductionDecisionIn,
    IntroductionIn,
    LoseIn,
    NoteIn,
    PricingIn,
    SignIn,
    StopIn,
    TermsIn,
)
from market.deals.schemas_out import (
    Deals,
    DealWhole,
    Inquiries,
    InquiryOut,
    IntroductionOut,
    Introductions,
    PublicityOut,
)
from market.deals.vocabulary import Box, Phase, Shelf, Side
from market.kit.ids import PublicId
from market.kit.wire import PathId, Storable

router = api_router("deals")

Number = Annotated[int, Query(alias="page", ge=1, le=10_000)]


def _whole(work: Work, deal_id: str) -> DealWhole:
    return deal_whole(views.deal_view(work, PublicId(deal_id)))


@router.get("/inquiries")
def list_inquiries(
    work: Annotated[Work, opens(Action.INQUIRY_VIEW)], box: Box | None = None, number: Number = 1
) -> Inquiries:
    """List what one's organisation was asked (relation own) and asked (counterpart)."""
    total, rows = inquiries.inquiries_of_actor(work, box, number)
    return Inquiries(items=[inquiry_out(one) for one in rows], total=total)


@router.post("/inquiries", status_code=201)
def ask(
    form: InquiryIn, work: Annotated[Work, opens(Action.INQUIRY_SEND, write=True)]
) -> InquiryOut:
    """Ask the owner of a listing; one inquiry of an organisation can be open on it."""
    row = inquiries.ask(work, form)
    return inquiry_out(inquiries.inquiry(work, row.public_id))


@router.get("/inquiries/{inquiry_id}")
def show_inquiry(
    inquiry_id: PathId, work: Annotated[Work, opens(Action.INQUIRY_VIEW)]
) -> InquiryOut:
    return inquiry_out(inquiries.inquiry(work, PublicId(inquiry_id)))


@router.post("/inquiries/{inquiry_id}/answer")
def answer(
    inquiry_id: PathId,
    form: AnswerIn,
    work: Annotated[Work, opens(Action.INQUIRY_ANSWER, write=True)],
) -> InquiryOut:
    """Answer an inquiry on one's own listing; opens a deal and exchanges the contacts."""
    inquiries.answer(work, PublicId(inquiry_id), form)
    return inquiry_out(inquiries.inquiry(work, PublicId(inquiry_id)))


@router.post("/inquiries/{inquiry_id}/close")
def close_inquiry(
    inquiry_id: PathId,
    form: CloseIn,
    work: Annotated[Work, opens(Action.INQUIRY_CLOSE, write=True)],
) -> InquiryOut:
    inquiries.close(work, PublicId(inquiry_id), form)
    return inquiry_out(inquiries.inquiry(work, PublicId(inquiry_id)))


@router.get("/introductions")
def list_introductions(
    work: Annotated[Work, opens(Action.INTRODUCTION_VIEW)], number: Number = 1
) -> Introductions:
    """List the introductions that one's organisation proposed or was proposed."""
    total, rows = introductions.introductions_of_actor(work, number)
    return Introductions(items=[introduction_out(one) for one in rows], total=total)


@router.post("/introductions", status_code=201)
def introduce(
    form: IntroductionIn, work: Annotated[Work, opens(Action.INTRODUCTION_PROPOSE, write=True)]
) -> IntroductionOut:
    """Bring an achievement and a demand together, under a mandate in force of either owner."""
    row = introductions.propose(work, form)
    return introduction_out(introductions.introduction(work, row.public_id))


@router.get("/introductions/{introduction_id}")
def show_introduction(
    introduction_id: PathId, work: Annotated[Work, opens(Action.INTRODUCTION_VIEW)]
) -> IntroductionOut:
    return introduction_out(introductions.introduction(work, PublicId(introduction_id)))


@router.post("/introductions/{introduction_id}/decision")
def decide_introduction(
    introduction_id: PathId,
    form: IntroductionDecisionIn,
    work: Annotated[Work, opens(Action.INTRODUCTION_DECIDE, write=True)],
) -> IntroductionOut:
    """Accept or decline for one's own side; the second acceptance opens or joins the deal."""
    introductions.decide(work, PublicId(introduction_id), form)
    return introduction_out(introductions.introduction(work, PublicId(introduction_id)))


@router.get("/deals")
def list_deals(
    work: Annotated[Work, opens(Action.DEAL_VIEW)],
    shelf: Shelf | None = None,
    phase: Phase | None = None,
    side: Side | None = None,
    q: Annotated[str, Storable, Query(max_length=100)] = "",
    number: Number = 1,
) -> Deals:
    """List the deals of one's organisation, or of a broker's principals; `q` are words of their
    titles, `side` the one that the organisation leads.
    """
    only = service.only(work, phase=phase, words=q, side=side)
    counts = service.deal_counts(work, only)
    return Deals(
        items=[deal_out(row) for row in views.deals_of_actor(work, shelf, number, only)],
        total=sum(counts.values()) if shelf is None else counts[shelf],
    )


@router.get("/deals/{deal_id}")
def show_deal(deal_id: PathId, work: Annotated[Work, opens(Action.DEAL_VIEW)]) -> DealWhole:
    return _whole(work, deal_id)


@router.post("/deals/{deal_id}/terms")
def propose_terms(
    deal_id: PathId, form: TermsIn, work: Annotated[Work, opens(Action.DEAL_TERMS, write=True)]
) -> DealWhole:
    """Propose terms; the proposal is one's own confirmation of them."""
    service.propose(work, PublicId(deal_id), form)
    return _whole(work, deal_id)


@router.post("/deals/{deal_id}/confirm")
def confirm_terms(
    deal_id: PathId, form: ConfirmIn, work: Annotated[Work, opens(Action.DEAL_CONFIRM, write=True)]
) -> DealWhole:
    """Confirm the version of the terms that was read; the second side's makes it agreed."""
    service.confirm(work, PublicId(deal_id), form)
    return _whole(work, deal_id)


@router.post("/deals/{deal_id}/lose")
def lose_deal(
    deal_id: PathId, form: LoseIn, work: Annotated[Work, opens(Action.DEAL_LOSE, write=True)]
) -> DealWhole:
    """End a deal without a contract, by either side."""
    service.lose(work, PublicId(deal_id), form)
    return _whole(work, deal_id)


@router.post("/deals/{deal_id}/notes", status_code=201)
def write_note(
    deal_id: PathId, form: NoteIn, work: Annotated[Work, opens(Action.DEAL_NOTE, write=True)]
) -> DealWhole:
    """Write a note for one's own organisation, or for both parties and their brokers."""
    service.note(work, PublicId(deal_id), form)
    return _whole(work, deal_id)


@router.post("/deals/{deal_id}/pricing")
def choose_pricing(
    deal_id: PathId, form: PricingIn, work: Annotated[Work, opens(Action.PRICING_SET, write=True)]
) -> DealWhole:
    """Choose the pricing path of a state-founded seller; 协议定价 starts the 公示 today."""
    pricing.choose(work, PublicId(deal_id), form)
    return _whole(work, deal_id)


@router.post("/deals/{deal_id}/pricing/dealt")
def pricing_dealt(
    deal_id: PathId, form: DealtIn, work: Annotated[Work, opens(Action.PRICING_SET, write=True)]
) -> DealWhole:
    """Enter the outcome of 挂牌交易 or 拍卖."""
    pricing.dealt(work, PublicId(deal_id), form)
    return _whole(work, deal_id)


@router.post("/deals/{deal_id}/publicity/stop")
def stop_publicity(
    deal_id: PathId, form: StopIn, work: Annotated[Work, opens(Action.PRICING_SET, write=True)]
) -> DealWhole:
    """Stop the 公示, or take the achievement off the exchange."""
    pricing.stop(work, PublicId(deal_id), form)
    return _whole(work, deal_id)


@router.post("/deals/{deal_id}/contract")
def draft_contract(
    deal_id: PathId,
    form: ContractIn,
    work: Annotated[Work, opens(Action.CONTRACT_DRAFT, write=True)],
) -> DealWhole:
    """Draft the contract, by the seller; an earlier draft and its confirmations are dropped."""
    contracts.draft(work, PublicId(deal_id), form)
    return _whole(work, deal_id)


@router.post("/deals/{deal_id}/contract/confirm")
def sign_contract(
    deal_id: PathId, form: SignIn, work: Annotated[Work, opens(Action.CONTRACT_SIGN, write=True)]
) -> DealWhole:
    """Confirm the draft that was read; the second side's confirmation signs it today."""
    contracts.sign(work, PublicId(deal_id), form)
    return _whole(work, deal_id)


@router.post("/deals/{deal_id}/disclosure")
def disclose_contract(
    deal_id: PathId,
    form: DisclosureIn,
    work: Annotated[Work, opens(Action.CONTRACT_DISCLOSE, write=True)],
) -> DealWhole:
    """Say for one's own side whether names and amount may be public; both must agree."""
    contracts.disclose(work, PublicId(deal_id), form)
    return _whole(work, deal_id)


@router.get("/publicity/{publicity_id}")
def show_publicity(
    publicity_id: PathId, work: Annotated[Work, opens(Action.BROWSE)]
) -> PublicityOut:
    """One 公示: what is sold, for how much, until when. Open to everyone."""
    return publicity_out(pricing.publicity(work, PublicId(publicity_id)))
