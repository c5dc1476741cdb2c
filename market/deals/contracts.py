"""Contracts: drafted by the seller, signed when both sides have confirmed the same draft."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from market.accounts import repository as accounts
from market.accounts.policy import Action
from market.accounts.work import Work
from market.deals import clearance, departures, keeping, service, waiting
from market.deals import repository_contracts as papers
from market.deals.models import Contract, ContractLine, Deal
from market.deals.schemas import ContractIn, ContractLineIn, DisclosureIn, SignIn
from market.deals.service import SIDE_NAMES
from market.deals.vocabulary import (
    CONTRACT_TYPES,
    SUB_TYPES,
    ContractState,
    DealState,
    LineKind,
)
from market.kit import jobs
from market.kit.errors import Conflict, Invalid, Overtaken
from market.kit.ids import PublicId, new_public_id
from market.kit.money import wan_in_words

SIGNED: Final = "contract.signed"
"""The job owed by each signature: a noun further left works out what it means for brokers."""
REDRAFTED = "您打开之后，本单位有人改写过合同草稿；请对照后再保存"


def technical_fen(lines: Sequence[ContractLineIn]) -> int:
    """Return 技术交易额: the total less non-technical cost beyond a reasonable quantity, in fen."""
    return sum(
        line.amount_fen
        for line in lines
        if line.kind is LineKind.TECHNICAL or line.reasonable_quantity
    )


def draft(work: Work, public_id: PublicId, form: ContractIn) -> Contract:
    """Draft the contract of an agreed deal, by the seller; an earlier draft is dropped.

    What was typed beside it goes on to the new one, and the agreed instalments to the first.
    Raises Invalid at `sub_type`, `lines`, `ends_on`; Conflict.
    """
    deal, _ = service.step(work, public_id, Action.CONTRACT_DRAFT)
    _check(form)
    terms = service.agreed_terms(work, deal)
    if deal.concluded_at is not None:
        raise Conflict("合同已经签订，不能再改")
    standing = papers.live_contracts(work.session, [deal.id]).get(deal.id)
    if standing is not None and standing.public_id != form.replaces:
        raise _overtaken(work, standing)
    replaced = papers.drop_draft(work.session, deal.id)
    seller = accounts.organisation(work.session, deal.seller_id)
    buyer = accounts.organisation(work.session, deal.buyer_id)
    row = Contract(
        public_id=new_public_id(),
        deal_id=deal.id,
        **form.model_dump(exclude={"lines", "replaces"}),
        seller_id=seller.id,
        buyer_id=buyer.id,
        seller_name=seller.name,
        buyer_name=buyer.name,
        seller_region=seller.region,
        buyer_region=buyer.region,
        seller_credit_code=seller.credit_code or "",
        buyer_credit_code=buyer.credit_code or "",
        technical_fen=technical_fen(form.lines),
        drafted_by=work.actor.person,
        created_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    work.session.add_all(
        ContractLine(contract_id=row.id, position=position, **line.model_dump())
        for position, line in enumerate(form.lines, 1)
    )
    what = f"{CONTRACT_TYPES[form.type]}，成交额{wan_in_words(form.total_fen)}"
    verb = "改写合同草稿" if replaced else "起草合同"
    carried = keeping.carry(work, row, standing, terms)
    lost = "" if carried else "；原付款计划与新的成交额不合，要重填"
    service.tell(work, deal, "drafted", f"卖方{verb}：{what}{lost}")
    work.session.flush()
    waiting.deal_moved(work, deal)
    return row


def _overtaken(work: Work, row: Contract) -> Overtaken:
    """Return the refusal of a draft written from one that is no longer the newest."""
    names = ContractIn.model_fields.keys() - {"lines", "replaces"}
    now = {
        name: str(value) if isinstance(value := getattr(row, name), date) else value
        for name in names
    }
    lines = [
        {name: getattr(line, name) for name in ContractLineIn.model_fields}
        for line in papers.lines_of(work.session, row.id)
    ]
    return Overtaken({**now, "lines": lines, "replaces": row.public_id}, REDRAFTED)


def _check(form: ContractIn) -> None:
    wrong: dict[str, str] = {}
    allowed = SUB_TYPES[form.type]
    if form.sub_type not in allowed:
        wrong["sub_type"] = (
            f"{CONTRACT_TYPES[form.type]}合同的细类应为{'、'.join(allowed)}之一，"
            f"现在是“{form.sub_type}”"
        )
    total = sum(line.amount_fen for line in form.lines)
    if total != form.total_fen:
        wrong["lines"] = (
            f"明细合计应等于成交额{wan_in_words(form.total_fen)}，现在是{wan_in_words(total)}"
        )
    elif technical_fen(form.lines) <= 0:
        wrong["lines"] = "技术交易额应大于0：明细里至少要有一项技术费用"
    if any(line.reasonable_quantity and line.kind is LineKind.TECHNICAL for line in form.lines):
        wrong["lines"] = "合理数量只用于非技术明细，技术明细请不要勾选"
    if form.ends_on < form.begins_on:
        wrong["ends_on"] = f"终止日应不早于开始日{form.begins_on}，现在是{form.ends_on}"
    if wrong:
        raise Invalid(fields=wrong)


def sign(work: Work, public_id: PublicId, form: SignIn) -> Contract:
    """Confirm the draft that was read, for one's own side; the second confirmation signs it today.

    Confirming twice changes nothing. Raises Conflict where another draft has come, the pricing
    path does not allow it yet, or the deal was lost; Invalid at `differences_known` where it leaves
    what was agreed and who confirms does not say that it knows.
    """
    deal, _ = service.step(work, public_id, Action.CONTRACT_SIGN)
    side = service.side_of(work, deal)
    row = papers.live_contracts(work.session, [deal.id]).get(deal.id)
    if deal.state == DealState.LOST:
        raise Conflict("洽谈已经终止，合同不能再签")
    if deal.state != DealState.AGREED:
        raise Conflict("定价终止后双方还没有重新达成一致，合同不能签")
    if row is None or row.public_id != form.contract:
        raise Conflict("合同草稿刚改过，请看过最新的草稿再确认")
    if row.state == ContractState.SIGNED:
        return row
    if obstacle := clearance.signing_obstacle(work, deal, row):
        raise Conflict(obstacle)
    changes = departures.of_draft(work, deal, row)
    if changes and not form.differences_known:
        said = departures.in_words(changes)
        raise Invalid(fields={"differences_known": f"合同与约定不同，请核对后勾选：{said}"})
    clearance.clear(work, deal)
    if papers.confirm_contract(work.session, row.id, side, work.now) == 1:
        known = f"；已知与约定不同：{departures.in_words(changes)}" if changes else ""
        service.tell(work, deal, "contract.confirmed", f"{SIDE_NAMES[side]}确认合同{known}")
        if papers.sign_if_both(work.session, row.id, work.today):
            _conclude(work, deal, row)
        waiting.deal_moved(work, deal)
    work.session.refresh(row)
    return row


def _conclude(work: Work, deal: Deal, row: Contract) -> None:
    service.conclude(work, deal)
    waiting.signed(work, row, deal)
    jobs.enqueue(
        work.session,
        SIGNED,
        f"{SIGNED}:{row.public_id}",
        {"contract_id": row.id},
        at=work.now,
    )
    service.tell(work, deal, "signed", f"双方确认，合同于{work.today}签订")
    service.tell_other(work, deal, "contract.signed", "合同已签订")


def disclose(work: Work, public_id: PublicId, form: DisclosureIn) -> Contract:
    """Say, for one's own side, whether names and amount may be public; both must agree.

    May be taken back at any time. Raises Conflict before there is a contract.
    """
    deal, _ = service.step(work, public_id, Action.CONTRACT_DISCLOSE)
    side = service.side_of(work, deal)
    row = papers.live_contracts(work.session, [deal.id]).get(deal.id)
    if row is None:
        raise Conflict("还没有合同，起草后再选是否公开")
    papers.set_disclosure(work.session, row.id, side, agrees=form.agrees)
    what = "同意公开合同的双方名称和金额" if form.agrees else "不同意公开合同的双方名称和金额"
    service.tell(work, deal, "disclosure", f"{SIDE_NAMES[side]}{what}")
    work.session.refresh(row)
    return row
