"""The registration desk: handing in, the registry's decision, and its undo.

Counting is not a state of the registration: it is the ledger's transaction, written with the
decision in one database transaction, and reversed with the undo in one.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass

from sqlalchemy.exc import IntegrityError

from market.access import mandates
from market.accounts.policy import Action, OrganisationKind, Relation, Role
from market.accounts.work import Work
from market.deals import repository_contracts as contracts
from market.deals import service as deals
from market.deals.models import Contract, ContractLine
from market.deals.vocabulary import ContractState
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import ContractId, PublicId, RegistrationId, new_public_id
from market.kit.money import wan_in_words
from market.ledger import service as ledger
from market.ledger.schemas import Subject
from market.registry import certificate, kept, past, repository, waiting
from market.registry.models import Registration, RegistrationState
from market.registry.repository import Filed
from market.registry.schemas import DecideIn, SubmitIn, UndoIn
from market.registry.vocabulary import REFUSAL_REASONS, REGISTRY

S = RegistrationState
PAGE_SIZE = 50
SUBMITTED_ALREADY = "这份合同已经提交登记，不用再交"
SAME_CONTRACT = "双方、项目、签订日和金额都相同的合同已经提交登记，一份合同只登记一次"
DECIDED_ALREADY = "这份登记已由别人处理，请刷新后查看结果"


@dataclass(frozen=True, slots=True)
class Desk:
    """What the officer needs to decide on one registration; at most ten of the same parties."""

    filed: Filed
    lines: tuple[ContractLine, ...]
    same_parties: tuple[Filed, ...]
    undone: tuple[Registration, ...]


def to_submit(work: Work, contract_id: PublicId) -> Contract:
    """Return a contract that its seller may hand in now.

    Raises NotFound; Conflict where it is not signed, handed in before, or the same as another.
    """
    contract = contracts.contract_by_public_id(work.session, contract_id)
    if contract is None:
        raise NotFound
    related = deals.relation_to(work, seller_id=contract.seller_id, buyer_id=contract.buyer_id)
    if related is None:
        raise NotFound
    work.require(Action.REGISTRATION_SUBMIT, related)
    if contract.state != ContractState.SIGNED:
        raise Conflict("双方都确认签订后才能提交登记")
    if repository.live_of_contract(work.session, contract.id) is not None:
        raise Conflict(SUBMITTED_ALREADY)
    mark = certificate.fingerprint(contract)
    if repository.live_with_fingerprint(work.session, mark) is not None:
        raise Conflict(SAME_CONTRACT)
    _not_in_history(work, mark)
    return contract


def _not_in_history(work: Work, mark: str) -> None:
    number = past.number_of_mark(work.session, mark)
    if number is not None:
        raise Conflict(
            f"双方、项目、签订日和金额都相同的合同已经登记（编号{number}，在历史登记里），"
            "一份合同只登记一次"
        )


def submit(work: Work, form: SubmitIn) -> Filed:
    """Hand in a signed contract, by its seller. Raises what `to_submit` raises."""
    contract = to_submit(work, PublicId(form.contract))
    row = Registration(
        public_id=new_public_id(),
        contract_id=contract.id,
        registry_name=REGISTRY,
        fingerprint=certificate.fingerprint(contract),
        submitted_by=work.actor.person,
        submitted_at=work.now,
    )
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError:  # handed in twice at once
        raise Conflict(SUBMITTED_ALREADY) from None
    kept.registration(work.session, row, at=work.now)
    work.touched("registration", row.public_id)
    filed = get(work, row.public_id)
    deals.tell(work, filed.deal, "registration", "卖方提交合同登记")
    waiting.moved(work, filed)
    return filed


def get(work: Work, public_id: PublicId) -> Filed:
    """Return a registration to its parties, their brokers and the bureau. Raises NotFound."""
    return _seen(work, public_id)[0]


def _seen(work: Work, public_id: PublicId) -> tuple[Filed, Relation]:
    found = repository.by_public_id(work.session, public_id)
    if found is None:
        raise NotFound
    seller, buyer = found.contract.seller_id, found.contract.buyer_id
    related = deals.relation_to(work, seller_id=seller, buyer_id=buyer) or Relation.OTHER
    if not work.may(Action.REGISTRATION_VIEW, related):
        raise NotFound
    return found, related


def registrations(
    work: Work, state: RegistrationState | None = None, page: int = 1
) -> tuple[list[Filed], int]:
    """Return a page of PAGE_SIZE and the number of all: everyone's for the bureau, else one's own.

    A broker sees those of its principals. Those waiting come oldest first.
    """
    as_seller = as_buyer = None
    if work.actor.kind is OrganisationKind.AGENCY:
        served = mandates.served(work)
        as_seller, as_buyer = set(served.sellers), set(served.buyers)
    elif work.actor.role is not Role.OFFICER:
        as_seller = as_buyer = {work.actor.organisation}
    return repository.page(
        work.session,
        as_seller=as_seller,
        as_buyer=as_buyer,
        state=state,
        limit=PAGE_SIZE,
        offset=(page - 1) * PAGE_SIZE,
    )


def newest_of(work: Work, contract_ids: Collection[ContractId]) -> dict[ContractId, Registration]:
    """Return the newest registration of each contract that has one, for pages that show the
    contract. The caller has checked that the actor may see the contracts.
    """
    return repository.newest_of_contracts(work.session, contract_ids)


def counts(work: Work) -> dict[str, int]:
    """Return how many registrations stand in each state. For the bureau."""
    work.require(Action.REGISTRATION_DECIDE, Relation.OTHER)
    return repository.counts(work.session)


def desk(work: Work, public_id: PublicId) -> Desk:
    """Return what is needed to decide. Raises NotFound, Forbidden."""
    filed = get(work, public_id)
    work.require(Action.REGISTRATION_DECIDE, Relation.OTHER)
    return Desk(
        filed=filed,
        lines=tuple(contracts.lines_of(work.session, filed.contract.id)),
        same_parties=tuple(repository.others_of_parties(work.session, filed.contract, 10)),
        undone=tuple(repository.undone_of_contract(work.session, filed.contract.id)),
    )


def withdrawn_holder(work: Work, number: str) -> Filed | None:
    """Return the undone registration that held a number last, which a new one has to name."""
    return repository.last_withdrawn_with_number(
        work.session, REGISTRY, certificate.normalise_number(number)
    )


def decide(work: Work, public_id: PublicId, form: DecideIn) -> Filed:
    """Enter the registry's decision; a registration counts from here on.

    The same decision again answers with the same. Raises Invalid at the fields, Conflict where
    the number counts already or the registration has moved on.
    """
    filed = get(work, public_id)
    work.require(Action.REGISTRATION_DECIDE, Relation.OTHER)
    work.touched("registration", filed.row.public_id)
    if form.decision == "not_registered":
        return _refuse(work, filed, form)
    read = certificate.read(form, filed.contract, today=work.today, demo=work.parts.demo)
    mark = certificate.decision_digest(filed.row.public_id, filed.contract, read)
    if filed.row.state == S.REGISTERED and filed.row.digest == mark:
        return filed
    if filed.row.state != S.SUBMITTED:
        raise Conflict(DECIDED_ALREADY)
    _count(work, filed, form, read, mark)
    deals.tell(
        work,
        filed.deal,
        "registered",
        f"准予登记，编号{read.number}，技术交易额{wan_in_words(read.technical_fen)}",
    )
    filed = get(work, public_id)
    waiting.moved(work, filed)
    waiting.tell_parties(work, filed, "registration.registered", "准予登记", f"编号{read.number}")
    return filed


def problems(work: Work, public_id: PublicId, form: DecideIn) -> dict[str, str]:
    """Return what is wrong with what was copied of a certificate, by field, and decide nothing."""
    filed = get(work, public_id)
    work.require(Action.REGISTRATION_DECIDE, Relation.OTHER)
    if form.decision == "not_registered":
        return {}
    return certificate.problems(form, filed.contract, today=work.today, demo=work.parts.demo)


def _count(
    work: Work, filed: Filed, form: DecideIn, read: certificate.Certificate, mark: str
) -> None:
    """Post a decision and mark its registration. Raises Conflict, Invalid."""
    # Whoever brings history in locks the book too: what is not there now, does not come meanwhile.
    ledger.lock(work.session)
    supersedes = _superseded(work, read.number, form.supersedes)
    _not_in_history(work, filed.row.fingerprint)
    transaction = ledger.post_register(
        work.session,
        _subject(filed, read, mark),
        key=f"registration:{filed.row.public_id}:register",
        effective_on=read.decided_on,
        at=work.now,
    )
    try:
        repository.move_registration(
            work.session,
            filed.row,
            S.SUBMITTED,
            S.REGISTERED,
            **asdict(read),
            digest=mark,
            supersedes_id=supersedes,
            transaction_id=transaction.id,
            note=form.note,
            decided_by=work.actor.person,
            decided_at=work.now,
        )
    except IntegrityError:  # the unique number decides, whatever the ledger said
        raise Conflict(_taken(read.number)) from None
    kept.registration(work.session, filed.row, at=work.now)


def _superseded(work: Work, number: str, named: str | None) -> RegistrationId | None:
    """Return the undone registration that a decision follows. Raises Conflict, Invalid."""
    if repository.registered_with_number(work.session, REGISTRY, number) is not None:
        raise Conflict(_taken(number))
    if past.counts_already(work.session, REGISTRY, number):
        raise Conflict(f"登记编号{number}已在历史登记里计入，一个编号只计一次，请核对")
    last = withdrawn_holder(work, number)
    if last is None:
        if named is not None:
            raise Invalid(fields={"supersedes": "这个编号没有被撤回的登记，不用选接替哪一份"})
        return None
    if named != last.row.public_id:
        raise Invalid(
            fields={
                "supersedes": f"编号{number}登记过“{last.contract.project_name}”后被撤回，"
                "再次登记请选明接替的是那一份"
            }
        )
    return last.row.id


def _taken(number: str) -> str:
    return f"登记编号{number}已登记在另一份合同上，一个编号只计一次，请核对"


def _subject(filed: Filed, read: certificate.Certificate, digest: str) -> Subject:
    contract = filed.contract
    return Subject(
        key=f"{filed.row.registry_name}:{read.number}",
        digest=digest,
        contract_type=contract.type,
        sub_type=contract.sub_type,
        field=contract.field,
        project_name=contract.project_name,
        seller_id=contract.seller_id,
        buyer_id=contract.buyer_id,
        seller_name=contract.seller_name,
        buyer_name=contract.buyer_name,
        seller_region=contract.seller_region,
        buyer_region=contract.buyer_region,
        total_fen=read.total_fen,
        technical_fen=read.technical_fen,
    )


def _refuse(work: Work, filed: Filed, form: DecideIn) -> Filed:
    if form.refusal_reason not in REFUSAL_REASONS:
        raise Invalid(fields={"refusal_reason": "不予登记时请从列表里选一个原因"})
    if filed.row.state != S.SUBMITTED:
        raise Conflict(DECIDED_ALREADY)
    repository.move_registration(
        work.session,
        filed.row,
        S.SUBMITTED,
        S.NOT_REGISTERED,
        refusal_reason=form.refusal_reason,
        note=form.note,
        decided_by=work.actor.person,
        decided_at=work.now,
    )
    kept.registration(work.session, filed.row, at=work.now)
    reason = REFUSAL_REASONS[form.refusal_reason]
    deals.tell(work, filed.deal, "not_registered", f"不予登记：{reason}")
    waiting.moved(work, filed)
    waiting.tell_parties(work, filed, "registration.refused", "不予登记", reason)
    return filed


def undo(work: Work, public_id: PublicId, form: UndoIn) -> Filed:
    """Undo a wrong registration; what was counted is taken out again, effective today.

    Raises Conflict where it is not registered (any more).
    """
    filed = get(work, public_id)
    work.require(Action.REGISTRATION_UNDO, Relation.OTHER)
    work.touched("registration", filed.row.public_id)
    if filed.row.state != S.REGISTERED or filed.row.transaction_id is None:
        raise Conflict("这份登记现在不是“已登记”，没有可撤回的")
    reversal = ledger.post_reversal(
        work.session,
        filed.row.transaction_id,
        key=f"registration:{filed.row.public_id}:undo",
        digest=certificate.digest({"registration": filed.row.public_id, "reason": form.reason}),
        effective_on=work.today,
        at=work.now,
    )
    repository.move_registration(
        work.session,
        filed.row,
        S.REGISTERED,
        S.WITHDRAWN,
        reversal_id=reversal.id,
        withdraw_reason=form.reason,
        withdrawn_by=work.actor.person,
        withdrawn_at=work.now,
    )
    kept.registration(work.session, filed.row, at=work.now)
    deals.tell(work, filed.deal, "registration_undone", f"登记被撤回：{form.reason}")
    waiting.moved(work, filed)
    waiting.tell_parties(work, filed, "registration.undone", "登记被撤回", form.reason)
    return filed


def may_withdraw(work: Work, filed: Filed) -> bool:
    """Return whether the actor may take this application back now."""
    own = work.actor.organisation_id == filed.contract.seller_id
    return own and filed.row.state == S.SUBMITTED and work.may(Action.REGISTRATION_SUBMIT)


def may_resubmit(work: Work, filed: Filed) -> bool:
    """Return whether the actor may hand this contract in anew."""
    own = work.actor.organisation_id == filed.contract.seller_id
    return (
        own
        and work.may(Action.REGISTRATION_SUBMIT)
        and repository.live_of_contract(work.session, filed.contract.id) is None
    )


def withdraw(work: Work, public_id: PublicId) -> Filed:
    """Take an undecided application back, by the seller. Raises Conflict once it is decided."""
    filed, related = _seen(work, public_id)
    work.require(Action.REGISTRATION_SUBMIT, related)
    work.touched("registration", filed.row.public_id)
    if filed.row.state != S.SUBMITTED:
        raise Conflict("登记已有决定，不能再撤回申请")
    repository.move_registration(
        work.session,
        filed.row,
        S.SUBMITTED,
        S.WITHDRAWN,
        withdrawn_by=work.actor.person,
        withdrawn_at=work.now,
    )
    kept.registration(work.session, filed.row, at=work.now)
    deals.tell(work, filed.deal, "registration_withdrawn", "卖方撤回登记申请")
    waiting.moved(work, filed)
    return filed
