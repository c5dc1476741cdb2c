"""What is kept of a contract beside its text: patents, payments, the filing of a licence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO

from sqlmodel import Session

from market.accounts.policy import Action
from market.accounts.work import Work
from market.deals import filing, service, sharing, waiting
from market.deals import repository_contracts as papers
from market.deals import repository_keeping as repository
from market.deals import repository_negotiation as beside
from market.deals.models import Contract, Deal, Terms
from market.deals.models_keeping import (
    ContractInstalment,
    ContractPatent,
    ContractReceipt,
    LicenceFiling,
)
from market.deals.schemas_keeping import (
    FilingIn,
    InstalmentIn,
    InstalmentsIn,
    PatentIn,
    PatentsIn,
    ReceiptIn,
)
from market.deals.vocabulary import PAY_METHODS, ContractState, PayMethod
from market.kit import notify
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.files import StoredFile
from market.kit.ids import ContractId, PublicId, new_public_id
from market.kit.money import wan_in_words
from market.kit.wire import In
from market.rules import service as rules
from market.rules import versions


@dataclass(frozen=True, slots=True)
class Kept:
    """All that is kept of one contract."""

    patents: Sequence[ContractPatent]
    instalments: Sequence[ContractInstalment]
    receipts: Sequence[ContractReceipt]
    filing: LicenceFiling | None

    @property
    def received_fen(self) -> int:
        return sum(one.amount_fen for one in self.receipts if one.voided_at is None)

    def received_of(self, position: int) -> int:
        """Return how much of an instalment has come in: earlier ones are filled first."""
        left = self.received_fen
        for one in self.instalments:
            part = min(left, one.amount_fen)
            if one.position == position:
                return part
            left -= part
        return 0


def of(session: Session, contract_id: ContractId) -> Kept:
    """Return what is kept of a contract; the caller has checked that the actor may see it."""
    return Kept(
        repository.patents(session, contract_id),
        repository.instalments(session, contract_id),
        repository.receipts(session, contract_id),
        repository.filing(session, contract_id),
    )


def seen(work: Work, public_id: PublicId) -> tuple[Contract, Kept]:
    """Return a deal's contract and what is kept of it. Raises NotFound where there is none."""
    deal = service.find(work, public_id)
    contract = papers.live_contracts(work.session, [deal.id]).get(deal.id)
    if contract is None:
        raise NotFound
    return contract, of(work.session, contract.id)


def _step(work: Work, public_id: PublicId, *, signed: bool) -> tuple[Contract, Deal]:
    """Return a contract that its seller keeps. Raises NotFound, Forbidden, Conflict."""
    deal, _ = service.step(work, public_id, Action.CONTRACT_KEEP)
    contract = papers.live_contracts(work.session, [deal.id]).get(deal.id)
    if contract is None:
        raise Conflict("还没有合同，起草后再填")
    if signed and contract.state != ContractState.SIGNED:
        raise Conflict("合同签订后才能填")
    return contract, deal


def put_patents(work: Work, public_id: PublicId, form: PatentsIn) -> Kept:
    """Write the patents that a draft is about, in place of those there were; both sides confirm it
    anew. Raises Conflict once it is signed.
    """
    contract, deal = _step(work, public_id, signed=False)
    _amend(work, contract, deal, "卖方改写合同的专利")
    rows = [one.model_dump() for one in form.items]
    repository.replace(work.session, ContractPatent, contract.id, rows)
    return of(work.session, contract.id)


def _amend(work: Work, contract: Contract, deal: Deal, what: str) -> None:
    """Say that what stands beside a draft changes: nobody signs what they have not read."""
    confirmed = contract.seller_confirmed_at or contract.buyer_confirmed_at
    papers.amend_draft(work.session, contract)
    service.tell(work, deal, "amended", f"{what}，双方重新确认" if confirmed else what)
    waiting.deal_moved(work, deal)


def _royalty(contract: Contract) -> bool:
    return contract.pay_method in (PayMethod.ROYALTY, PayMethod.ROYALTY_ENTRY)


def _fits(contract: Contract, total_fen: int) -> bool:
    """Return whether payments come to what the contract says: all of it, or, of royalties, no more
    than it.
    """
    if _royalty(contract):
        return total_fen <= contract.total_fen
    return total_fen == contract.total_fen


def put_instalments(work: Work, public_id: PublicId, form: InstalmentsIn) -> Kept:
    """Write the payments as agreed, in place of those there were; both sides confirm it anew.

    Raises Conflict once it is signed, Invalid at `items` where they do not come to what it says, or
    are several of a price paid at once.
    """
    contract, deal = _step(work, public_id, signed=False)
    if contract.pay_method == PayMethod.LUMP and len(form.items) > 1:
        raise Invalid(
            fields={
                "items": f"合同写的付款方式是{PAY_METHODS[PayMethod.LUMP]}，应只有一期，"
                f"现在是{len(form.items)}期；要分期请先在合同草稿里改付款方式"
            }
        )
    total = sum(one.amount_fen for one in form.items)
    _amend(work, contract, deal, "卖方改写付款计划")
    if form.items and not _fits(contract, total):
        word = "不超过" if _royalty(contract) else "等于"
        raise Invalid(
            fields={
                "items": f"各期合计应{word}成交额{wan_in_words(contract.total_fen)}，"
                f"现在是{wan_in_words(total)}"
            }
        )
    rows = [one.model_dump() for one in form.items]
    repository.replace(work.session, ContractInstalment, contract.id, rows)
    return of(work.session, contract.id)


def carry(work: Work, contract: Contract, before: Contract | None, terms: Terms) -> bool:
    """Fill in beside a new draft what was typed before: patents and payments of the draft that it
    replaces, else the instalments of the agreed terms. Return False where payments of the old draft
    did not fit the new sum and were left out.
    """
    old = of(work.session, before.id) if before else None
    if old is not None:
        rows = [_values(one, PatentIn) for one in old.patents]
        repository.replace(work.session, ContractPatent, contract.id, rows)
        rows = [_values(one, InstalmentIn) for one in old.instalments]
        several = contract.pay_method == PayMethod.LUMP and len(rows) > 1
        agreed_fen = sum(one.amount_fen for one in old.instalments)
        if rows and not several and _fits(contract, agreed_fen):
            repository.replace(work.session, ContractInstalment, contract.id, rows)
            return True
    agreed = beside.instalments(work.session, [terms.id]).get(terms.id, [])
    fit = contract.pay_method == PayMethod.INSTALMENTS and _fits(
        contract, sum(one.amount_fen for one in agreed)
    )
    if fit:
        rows = [{"condition": one.due, "amount_fen": one.amount_fen} for one in agreed]
        repository.replace(work.session, ContractInstalment, contract.id, rows)
    return fit or old is None or not old.instalments


def _values(row: ContractPatent | ContractInstalment, form: type[In]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in form.model_fields}


Slip = tuple[str, BinaryIO]
"""The name and the content of a bank's receipt (回单)."""


def receive(work: Work, public_id: PublicId, form: ReceiptIn, slip: Slip | None = None) -> Kept:
    """Write down money that came in, with the bank's slip of it where there is one.

    Raises Invalid at `received_on`, at `file`, and at `amount_fen` where it comes to more than the
    contract's total and no note says why; Conflict before signing.
    """
    contract, deal = _step(work, public_id, signed=True)
    assert contract.signed_on is not None
    if not contract.signed_on <= form.received_on <= work.today:
        raise Invalid(
            fields={
                "received_on": f"应在签订日{contract.signed_on}到今天{work.today}之间，"
                f"现在是{form.received_on}"
            }
        )
    received = of(work.session, contract.id).received_fen + form.amount_fen
    if received > contract.total_fen and not form.note:
        raise Invalid(
            fields={
                "amount_fen": f"连同已收的应不超过合同成交额{wan_in_words(contract.total_fen)}，"
                f"现在共{wan_in_words(received)}；确实多收的请在备注里写明原因"
            }
        )
    row = ContractReceipt(
        public_id=new_public_id(),
        contract_id=contract.id,
        **form.model_dump(),
        file_id=sharing.keep(work, *slip).id if slip else None,
        person_id=work.actor.person,
        created_at=work.now,
    )
    work.session.add(row)
    service.tell(work, deal, "received", f"卖方记下收款{wan_in_words(form.amount_fen)}")
    work.session.flush()
    return of(work.session, contract.id)


def attach_slip(work: Work, public_id: PublicId, receipt: PublicId, slip: Slip) -> Kept:
    """Put the bank's slip to a receipt that has none. Raises Invalid at `file`, Conflict."""
    contract, deal = _step(work, public_id, signed=True)
    file = sharing.keep(work, *slip)
    repository.put_slip(work.session, contract.id, receipt, file.id)
    service.tell(work, deal, "receipt_slip", "卖方上传收款回单")
    work.session.flush()
    work.session.expire_all()
    return of(work.session, contract.id)


def slip(work: Work, public_id: PublicId, receipt: PublicId) -> StoredFile:
    """Return the bank's slip of a receipt to the sides of the deal. Raises NotFound."""
    contract, _ = seen(work, public_id)
    found = repository.slip(work.session, contract.id, receipt)
    if found is None:
        raise NotFound
    return found


def void(work: Work, public_id: PublicId, receipt: PublicId) -> Kept:
    """Void a receipt that was written wrongly; it stays to be seen. Raises Conflict."""
    contract, deal = _step(work, public_id, signed=True)
    repository.void(work.session, contract.id, receipt, work.now)
    service.tell(work, deal, "receipt_voided", "卖方作废一笔收款")
    work.session.flush()
    work.session.expire_all()
    return of(work.session, contract.id)


def filed(work: Work, public_id: PublicId, form: FilingIn) -> Kept:
    """Write down that a patent licence was filed. Raises Invalid, Conflict."""
    contract, deal = _step(work, public_id, signed=True)
    assert contract.signed_on is not None
    if contract.sub_type != filing.LICENCE:
        raise Conflict(f"只有{filing.LICENCE}合同要备案")
    if not contract.signed_on <= form.filed_on <= work.today:
        raise Invalid(
            fields={
                "filed_on": f"应在签订日{contract.signed_on}到今天{work.today}之间，"
                f"现在是{form.filed_on}"
            }
        )
    if repository.filing(work.session, contract.id) is not None:
        raise Conflict("备案已经记过")
    work.session.add(
        LicenceFiling(
            contract_id=contract.id,
            **form.model_dump(),
            person_id=work.actor.person,
            created_at=work.now,
        )
    )
    work.session.flush()
    service.tell(work, deal, "licence_filed", f"专利实施许可已于{form.filed_on}备案")
    notify.hold(work.session, filing.subject(deal), [filing.FILING], [], at=work.now)
    return of(work.session, contract.id)


def due_of(work: Work, contract: Contract) -> date | None:
    """Return until when a contract's licence is to be filed, with what holds now."""
    return filing.due_on(contract, versions.book(work.session), rules.calendar(work.session))
