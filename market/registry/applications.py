"""What the seller does at the desk: prepare, hand in, correct, take back; either party objects."""

from dataclasses import dataclass
from typing import Any, BinaryIO

from sqlalchemy.exc import IntegrityError

from market.accounts.policy import Action
from market.accounts.work import Work
from market.deals import repository_contracts as contracts
from market.deals import service as deals
from market.deals.models import Contract
from market.deals.vocabulary import ContractState
from market.kit import files
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from market.kit.files import MAX_FILE_BYTES, StoredFile
from market.kit.ids import PublicId, new_public_id
from market.ledger import records
from market.registry import (
    certificate,
    items,
    kept,
    past,
    reading,
    repository,
    repository_waiting,
    steps,
    waiting,
)
from market.registry.items import Items
from market.registry.models import Registration
from market.registry.repository import Filed
from market.registry.schemas import ObjectIn, SubmitIn
from market.registry.states import EDGES, RegistrationState, Step
from market.registry.vocabulary import END_CAUSES, REGISTRY

S = RegistrationState
SUBMITTED_ALREADY = "这份合同已经提交登记，不用再交"
UNANSWERED = "材料没有改动：请补正材料，或写明对科技局要求的答复，现在是空的"
NOT_LEADING = "异议由合同现在牵头的卖方或买方提出"
SAME_CONTRACT = "双方、项目、签订日和金额都相同的合同已经提交登记，一份合同只登记一次"
SAME_FILE = "同一个合同文件已经提交登记，一份合同只登记一次"
_HEAD = 16  # bytes that tell the kinds apart


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it comes in; `stream` stands at its start and can seek."""

    name: str
    stream: BinaryIO


def to_submit(work: Work, contract_id: PublicId) -> Contract:
    """Return a contract that its seller may hand in now, or has begun to.

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
    live = repository.live_of_contract(work.session, contract.id)
    if live is not None and live.state != S.DRAFT:
        raise Conflict(SUBMITTED_ALREADY)
    ended = repository.ended_of_contract(work.session, contract.id)
    if ended is not None:
        raise Conflict(f"这份合同的登记因{END_CAUSES[ended.end_cause]}已经终止，不能再登记")
    _not_twice(work, certificate.fingerprint(contract))
    return contract


def _not_twice(work: Work, mark: str) -> None:
    if repository.live_with_fingerprint(work.session, mark) is not None:
        raise Conflict(SAME_CONTRACT)
    not_in_history(work, mark)


def not_in_history(work: Work, mark: str) -> None:
    """Raise Conflict where the same contract counts as registered elsewhere."""
    number = past.number_of_mark(work.session, mark)
    if number is not None:
        raise Conflict(
            f"双方、项目、签订日和金额都相同的合同已经登记（编号{number}，在历史登记里），"
            "一份合同只登记一次"
        )


def begun(work: Work, contract: Contract) -> Filed | None:
    """Return the draft of a contract's application, if there is one."""
    row = repository.live_of_contract(work.session, contract.id)
    return None if row is None else repository.by_public_id(work.session, row.public_id)


def prepare(work: Work, form: SubmitIn) -> Filed:
    """Begin an application as a draft with what is known; a draft that is there is returned.

    Raises what `to_submit` raises.
    """
    records.lock(work.session)
    contract = to_submit(work, PublicId(form.contract))
    found = begun(work, contract)
    if found is not None:
        return found
    row = Registration(
        public_id=new_public_id(),
        contract_id=contract.id,
        state=S.DRAFT,
        registry_name=REGISTRY,
        fingerprint=certificate.fingerprint(contract),
        items=items.known(work, contract).model_dump(mode="json"),
        submitted_by=work.actor.person,
        submitted_at=work.now,
    )
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError:  # begun twice at once
        raise Conflict(SUBMITTED_ALREADY) from None
    kept.registration(work.session, row, at=work.now)
    work.touched("registration", row.public_id)
    return reading.get(work, row.public_id)


def fill(work: Work, public_id: PublicId, form: Items) -> Filed:
    """Complete the form's items, by the seller, while it is the seller's turn. Raises Conflict."""
    records.lock(work.session)
    filed = _own(work, public_id, Step.HAND_IN)
    repository.fill(work.session, filed.row, items=form.model_dump(mode="json"))
    kept.registration(work.session, filed.row, at=work.now)
    return reading.get(work, public_id)


def attach(work: Work, public_id: PublicId, upload: Upload) -> StoredFile:
    """Attach the contract's file in place of an earlier one.

    Raises Invalid at `file` for a wrong kind or an empty file, TooLarge over 20 MB, Conflict where
    it is not the seller's turn or the same file has been handed in.
    """
    filed = _own(work, public_id, Step.HAND_IN)
    head = upload.stream.read(_HEAD)
    if not head:
        raise Invalid(fields={"file": "文件是空的，请重新选择"})
    media_type = files.proof_media_type(upload.name, head)
    upload.stream.seek(0)
    stored = work.parts.files.save(upload.stream, limit=MAX_FILE_BYTES)
    records.lock(work.session)  # not while the file was written
    _file_once(work, filed.row, stored[0])
    file = files.keep(
        work.session,
        stored=stored,
        name=upload.name,
        media_type=media_type,
        organisation_id=filed.contract.seller_id,
        person_id=work.actor.person_id,
        at=work.now,
    )
    try:
        repository.fill(work.session, filed.row, file_id=file.id, file_sha256=stored[0])
    except IntegrityError:
        raise Conflict(SAME_FILE) from None
    kept.registration(work.session, filed.row, at=work.now)
    return file


def _file_once(work: Work, row: Registration, sha256: str) -> None:
    other = repository.live_with_file(work.session, sha256)
    if other is not None and other.id != row.id:
        raise Conflict(SAME_FILE)


def lacking(filed: Filed) -> dict[str, str]:
    """Return what an application still needs before it can be handed in, by field."""
    found = items.missing(items.read(filed.row.items))
    if filed.row.file_id is None:
        found["file"] = "请附上双方签字盖章的合同文件，现在没有"
    return found


def hand_in(work: Work, public_id: PublicId, reply: str = "") -> Filed:
    """Hand in an application, or what was corrected of it, with a `reply` to what was asked.

    Raises Invalid for what it lacks, and at `reply` where nothing was corrected and nothing said;
    Conflict where the same contract or file is there already.
    """
    records.lock(work.session)  # what is not there now, does not come meanwhile
    filed = _own(work, public_id, Step.HAND_IN)
    row, corrected = filed.row, filed.row.state == S.CORRECTION
    if found := lacking(filed):
        raise Invalid(fields=found)
    assert row.file_sha256 is not None
    if not corrected:
        _not_twice(work, row.fingerprint)
    elif not reply and _unanswered(work, row):
        raise Invalid(fields={"reply": UNANSWERED})
    _file_once(work, row, row.file_sha256)
    values: dict[str, Any] = {"handed_in_on": work.today}
    if not corrected:
        values |= {"submitted_by": work.actor.person, "submitted_at": work.now}
    try:
        told = steps.Told(note=reply if corrected else "")
        steps.take(work, filed, Step.HAND_IN, S.SUBMITTED, told, **values)
    except IntegrityError:  # the same contract on another paper, at once
        raise Conflict(SAME_CONTRACT) from None
    what = "卖方提交补正材料" if corrected else "卖方提交合同登记"
    deals.tell(work, filed.deal, "registration", what)
    waiting.moved(work, filed)
    return reading.get(work, public_id)


def _unanswered(work: Work, row: Registration) -> bool:
    """Return whether what was sent back is still what had been handed in."""
    asked = repository_waiting.newest_event(work.session, row, Step.RETURN)
    return asked is not None and asked.digest == certificate.handed_in_digest(row)


def submit(work: Work, form: SubmitIn, upload: Upload, told: Items | None = None) -> Filed:
    """Prepare, complete and hand in a contract at once: its file, and the items that differ from
    what is known. Raises what each of the steps raises.
    """
    filed = prepare(work, form)
    if told is not None:
        said = told.model_dump(mode="json", exclude_unset=True)
        fill(work, filed.row.public_id, Items.model_validate({**filed.row.items, **said}))
    attach(work, filed.row.public_id, upload)
    return hand_in(work, filed.row.public_id)


def withdraw(work: Work, public_id: PublicId) -> Filed:
    """Take an application back before it is accepted, by the seller. Raises Conflict after."""
    filed, related = reading.seen(work, public_id)
    work.require(Action.REGISTRATION_SUBMIT, related)
    work.touched("registration", filed.row.public_id)
    if RegistrationState(filed.row.state) not in EDGES[Step.WITHDRAW].origins:
        raise Conflict("登记已经受理或有了决定，不能再撤回申请")
    steps.take(
        work,
        filed,
        Step.WITHDRAW,
        S.WITHDRAWN,
        withdrawn_by=work.actor.person,
        withdrawn_at=work.now,
    )
    if filed.row.handed_in_on is not None:
        deals.tell(work, filed.deal, "registration_withdrawn", "卖方撤回登记申请")
    waiting.moved(work, filed)
    return filed


def object_to(work: Work, public_id: PublicId, form: ObjectIn) -> Filed:
    """Object to a registration, by either party; it counts until the registry has looked anew."""
    filed, related = reading.seen(work, public_id)
    work.require(Action.REGISTRATION_OBJECT, related)
    work.touched("registration", filed.row.public_id)
    if filed.reads_only:
        raise Forbidden(NOT_LEADING)
    if RegistrationState(filed.row.state) not in EDGES[Step.OBJECT].origins:
        raise Conflict("现在没有可以提异议的登记")
    steps.take(work, filed, Step.OBJECT, S.OBJECTION, steps.Told(note=form.reason))
    deals.tell(work, filed.deal, "registration_objection", "对登记结果提出异议")
    waiting.moved(work, filed)
    return filed


def may_withdraw(work: Work, filed: Filed) -> bool:
    """Return whether the actor may take this application back now."""
    own = work.actor.organisation_id == filed.contract.seller_id
    open_ = RegistrationState(filed.row.state) in EDGES[Step.WITHDRAW].origins
    return own and open_ and work.may(Action.REGISTRATION_SUBMIT)


def may_resubmit(work: Work, filed: Filed) -> bool:
    """Return whether the actor may hand this contract in anew."""
    own = work.actor.organisation_id == filed.contract.seller_id
    return (
        own
        and work.may(Action.REGISTRATION_SUBMIT)
        and repository.live_of_contract(work.session, filed.contract.id) is None
        and repository.ended_of_contract(work.session, filed.contract.id) is None
    )


def _own(work: Work, public_id: PublicId, step: Step) -> Filed:
    """Return a registration whose turn is the seller's. Raises NotFound, Forbidden, Conflict."""
    filed, related = reading.seen(work, public_id)
    work.require(Action.REGISTRATION_SUBMIT, related)
    work.touched("registration", filed.row.public_id)
    if RegistrationState(filed.row.state) not in EDGES[step].origins:
        raise Conflict(SUBMITTED_ALREADY)
    return filed
