"""What the bureau does with an application: send back, accept, ask experts, register, refuse.

Counting is not a state of the registration: it is the ledger's transaction, written with the
decision in one database transaction.
"""

from dataclasses import asdict

from sqlalchemy.exc import IntegrityError

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.deals import service as deals
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PublicId, RegistrationId
from market.kit.money import wan_in_words
from market.ledger import service as ledger
from market.ledger.schemas import Subject
from market.registry import applications, certificate, past, reading, repository, steps, waiting
from market.registry.repository import MOVED_ON, Filed
from market.registry.schemas import DecideIn, ReturnIn, ReviewIn
from market.registry.states import EDGES, RegistrationState, Step
from market.registry.vocabulary import REGISTRY

S = RegistrationState


def send_back(work: Work, public_id: PublicId, form: ReturnIn) -> Filed:
    """Ask the seller to correct what was handed in. Raises Invalid at `due_on`, Conflict."""
    filed = _at_desk(work, public_id, Step.RETURN)
    if form.due_on is not None and form.due_on < work.today:
        raise Invalid(fields={"due_on": f"应不早于今天{work.today}，现在是{form.due_on}"})
    # What it was asked about: the same again, without a word, answers nothing.
    handed_in = certificate.handed_in_digest(filed.row)
    told = steps.Told(note=form.note, due_on=form.due_on, digest=handed_in)
    corrections = filed.row.corrections + 1
    steps.take(work, filed, Step.RETURN, S.CORRECTION, told, corrections=corrections)
    deals.tell(work, filed.deal, "registration_returned", f"登记申请要补正：{form.note}")
    waiting.moved(work, filed)
    waiting.tell_parties(
        work, filed, "registration.returned", "登记申请要补正", form.note, str(corrections)
    )
    return reading.get(work, public_id)


def accept(work: Work, public_id: PublicId) -> Filed:
    """Accept an application; the decision's days run from here.

    Where it was corrected, from the day the corrected file was handed in. Raises Conflict.
    """
    filed = _at_desk(work, public_id, Step.ACCEPT)
    on = filed.row.handed_in_on if filed.row.corrections else work.today
    told = steps.Told(effective_on=on)
    steps.take(work, filed, Step.ACCEPT, S.ACCEPTED, told, accepted_on=on)
    deals.tell(work, filed.deal, "registration_accepted", "登记申请已受理")
    filed = reading.get(work, public_id)
    waiting.moved(work, filed)
    term = reading.term_of(work, filed)
    until = f"{term.decide_by}前决定" if term else ""
    waiting.tell_parties(work, filed, "registration.accepted", "登记申请已受理", until)
    return filed


def review(work: Work, public_id: PublicId, form: ReviewIn) -> Filed:
    """Have experts look at what is disputed; the longer time holds. Raises Conflict."""
    filed = _at_desk(work, public_id, Step.REVIEW)
    told = steps.Told(note=form.note)
    steps.take(work, filed, Step.REVIEW, S.EXPERT_REVIEW, told, disputed=True)
    deals.tell(work, filed.deal, "registration_review", "登记申请转专家评审")
    filed = reading.get(work, public_id)
    waiting.moved(work, filed)
    waiting.tell_parties(work, filed, "registration.review", "登记申请转专家评审", form.note)
    return filed


def _at_desk(work: Work, public_id: PublicId, step: Step) -> Filed:
    """Return a registration that the bureau takes a step with. Raises NotFound, Conflict."""
    filed = reading.get(work, public_id)
    work.require(Action.REGISTRATION_DECIDE, Relation.OTHER)
    work.touched("registration", filed.row.public_id)
    if RegistrationState(filed.row.state) not in EDGES[step].origins:
        raise Conflict(MOVED_ON)
    return filed


def decide(work: Work, public_id: PublicId, form: DecideIn) -> Filed:
    """Enter the registry's decision; a registration counts from here on.

    What has not been accepted yet is accepted first, as a step of its own. The same decision again
    answers with the same. Raises Invalid at the fields, Conflict where the number counts already
    or the registration has moved on.
    """
    filed = reading.get(work, public_id)
    work.require(Action.REGISTRATION_DECIDE, Relation.OTHER)
    work.touched("registration", filed.row.public_id)
    if form.decision == "not_registered":
        return _refuse(work, filed, form)
    read = certificate.read(form, filed.contract, today=work.today, demo=work.parts.demo)
    mark = certificate.decision_digest(filed.row.public_id, filed.contract, read)
    if filed.row.state == S.REGISTERED and filed.row.digest == mark:
        return filed
    # The book before the records that accepting writes, as everybody who posts has it. Whoever
    # brings history in locks it too: what is not there now, does not come meanwhile.
    ledger.lock(work.session)
    filed = _accepted(work, filed, Step.REGISTER)
    _count(work, filed, form, read, mark)
    deals.tell(
        work,
        filed.deal,
        "registered",
        f"准予登记，编号{read.number}，技术交易额{wan_in_words(read.technical_fen)}",
    )
    filed = reading.get(work, public_id)
    waiting.moved(work, filed)
    waiting.tell_parties(work, filed, "registration.registered", "准予登记", f"编号{read.number}")
    return filed


def _accepted(work: Work, filed: Filed, step: Step) -> Filed:
    """Return an application that was accepted, now where it only waits for that."""
    if filed.row.state == S.SUBMITTED:
        filed = accept(work, filed.row.public_id)
    if RegistrationState(filed.row.state) not in EDGES[step].origins:
        raise Conflict(MOVED_ON)
    return filed


def problems(work: Work, public_id: PublicId, form: DecideIn) -> dict[str, str]:
    """Return what is wrong with what was copied of a certificate, by field, and decide nothing."""
    filed = reading.get(work, public_id)
    work.require(Action.REGISTRATION_DECIDE, Relation.OTHER)
    if form.decision == "not_registered":
        return {}
    return certificate.problems(form, filed.contract, today=work.today, demo=work.parts.demo)


def _count(
    work: Work, filed: Filed, form: DecideIn, read: certificate.Certificate, mark: str
) -> None:
    """Post a decision and mark its registration. Raises Conflict, Invalid."""
    supersedes = _superseded(work, read.number, form.supersedes)
    applications.not_in_history(work, filed.row.fingerprint)
    registered_type = reading.version_of(work, filed).rules.registered_as(filed.contract.type)
    transaction = ledger.post_register(
        work.session,
        subject(filed, read.number, registered_type, (read.total_fen, read.technical_fen), mark),
        key=f"registration:{filed.row.public_id}:register",
        effective_on=read.decided_on,
        at=work.now,
    )
    told = steps.Told(form.note, "", None, read.decided_on, mark, transaction.id)
    try:
        steps.take(
            work,
            filed,
            Step.REGISTER,
            S.REGISTERED,
            told,
            **asdict(read),
            digest=mark,
            supersedes_id=supersedes,
            transaction_id=transaction.id,
            registered_type=registered_type,
            note=form.note,
            decided_by=work.actor.person,
            decided_at=work.now,
        )
    except IntegrityError:  # the unique number decides, whatever the ledger said
        raise Conflict(_taken(read.number)) from None


def _superseded(work: Work, number: str, named: str | None) -> RegistrationId | None:
    """Return the undone registration that a decision follows. Raises Conflict, Invalid."""
    if repository.registered_with_number(work.session, REGISTRY, number) is not None:
        raise Conflict(_taken(number))
    if past.counts_already(work.session, REGISTRY, number):
        raise Conflict(f"登记编号{number}已在历史登记里计入，一个编号只计一次，请核对")
    ended = repository.ended_with_number(work.session, REGISTRY, number) is not None
    if ended or past.cancelled(work.session, REGISTRY, number):
        raise Conflict(f"登记编号{number}的登记已经注销或撤销，不能再用")
    last = reading.withdrawn_holder(work, number)
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


def subject(
    filed: Filed, number: str | None, contract_type: str, amounts: tuple[int, int], digest: str
) -> Subject:
    """Return what the ledger counts of a registration; `amounts` are 成交额 and 技术交易额."""
    contract = filed.contract
    return Subject(
        key=f"{filed.row.registry_name}:{number}",
        digest=digest,
        contract_type=contract_type,
        sub_type=contract.sub_type,
        field=contract.field,
        project_name=contract.project_name,
        seller_id=contract.seller_id,
        buyer_id=contract.buyer_id,
        seller_name=contract.seller_name,
        buyer_name=contract.buyer_name,
        seller_region=contract.seller_region,
        buyer_region=contract.buyer_region,
        total_fen=amounts[0],
        technical_fen=amounts[1],
    )


def _refuse(work: Work, filed: Filed, form: DecideIn) -> Filed:
    reasons = reading.version_of(work, filed).rules.refusal_reasons
    if form.refusal_reason not in reasons:
        raise Invalid(fields={"refusal_reason": "不予登记时请从列表里选一个原因"})
    filed = _accepted(work, filed, Step.REFUSE)
    reason = reasons[form.refusal_reason]
    steps.take(
        work,
        filed,
        Step.REFUSE,
        S.NOT_REGISTERED,
        steps.Told(note=form.note, cause=form.refusal_reason[:20]),
        refusal_reason=form.refusal_reason,
        note=form.note,
        decided_by=work.actor.person,
        decided_at=work.now,
    )
    deals.tell(work, filed.deal, "not_registered", f"不予登记：{reason}")
    waiting.moved(work, filed)
    waiting.tell_parties(work, filed, "registration.refused", "不予登记", reason)
    return filed
