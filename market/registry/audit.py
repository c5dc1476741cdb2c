"""What does not agree between registrations, their contracts and the ledger."""

from collections.abc import Iterator
from typing import Any

from sqlmodel import Session

from market.kit import notify
from market.kit.across import Finding
from market.kit.clock import local_date
from market.kit.money import wan_in_words
from market.ledger import records
from market.ledger.audit import REMEDY
from market.ledger.models import Kind
from market.ledger.schemas import OUTSIDE
from market.registry import audit_steps, certificate, kept, repository_history, waiting
from market.registry import repository_audit as repository
from market.registry.intake import UNDONE
from market.registry.models import Cause, PastRegistration, Registration

_COUNTED = (
    "登记编号",
    "登记日期",
    "合同类别",
    "合同小类",
    "技术领域",
    "项目名称",
    "卖方名称",
    "买方名称",
    "卖方机构号",
    "买方机构号",
    "卖方地区",
    "买方地区",
    "成交额",
    "技术交易额",
    "摘要",
)
"""What a counted transaction repeats of the registration, in the order of the tuples below."""
_AMOUNTS = ("成交额", "技术交易额")
RECORD = "登记的记录"
_KEPT: tuple[tuple[str, repository.Either, str], ...] = (
    (kept.REGISTRATION, Registration, "登记"),
    (kept.PAST, PastRegistration, "历史登记"),
)
"""All that a registration says is kept in the ledger's chain of records."""


def audit(session: Session) -> Iterator[Finding]:
    yield from notify.differences(session, waiting.KINDS, waiting.tasks(session))
    for row, contract, posted, undo, first in repository.registrations(session):
        yield from _finding("登记", row, [*_registration(row, contract, posted, undo, first)])
    yield from audit_steps.audit(session)
    for row, posted, undo in repository.past_registrations(session):
        yield from _finding("历史登记", row, [*_past(row, posted, undo)])
    for kind, table, name in _KEPT:
        given = ((row["public_id"], row) for row in repository.rows(session, table))
        for public_id, what in records.differing(session, kind, given):
            yield Finding(RECORD, f"{name} {public_id}：{what}", REMEDY)
    for public_id, what in records.differing(
        session, kept.HISTORY, repository_history.histories(session)
    ):
        yield Finding(RECORD, f"登记 {public_id} 的合同、金额明细或办理经过：{what}", REMEDY)
    for table, name in ((Registration, "登记"), (PastRegistration, "历史登记")):
        for public_id, number in repository.reversed_otherwise(session, table):
            what = f"登记编号{number}：登记的状态与账里是否冲回不一致"
            yield Finding(f"{name} {public_id}", what, REMEDY)
    for seq in repository.counted_without_registration(session):
        yield Finding("账", f"第{seq}号计入了一笔，但没有任何登记对应它", REMEDY)


def _finding(name: str, row: Any, wrong: list[str]) -> Iterator[Finding]:
    if wrong:
        what = f"登记编号{row.number}" if row.number else "等待决定的登记"
        yield Finding(f"{name} {row.public_id}", f"{what}：{'；'.join(wrong)}", REMEDY)


def _registration(row: Any, contract: Any, posted: Any, undo: Any, first: Any) -> Iterator[str]:
    """Yield what is wrong with a registration of this market."""
    if contract.signed_on is None or certificate.fingerprint(contract) != row.fingerprint:
        yield "合同的双方、项目、签订日或成交额与提交登记时的不同"
    if row.transaction_id is None:
        return
    if posted.kind != Kind.REGISTER:
        yield "账里没有这一笔"
        return
    # As it was decided: what changed later is held against the steps.
    total, technical = row.total_fen, row.technical_fen
    if row.changes:
        total, technical = first.total_fen, first.technical_fen
    copied = certificate.Certificate(
        row.number, row.decided_on, total, technical, row.difference_reason
    )
    if certificate.decision_digest(row.public_id, contract, copied) != row.digest:
        yield "登记或合同的内容与登记时的摘要不符"
    held = (
        f"{row.registry_name}:{row.number}",
        row.decided_on,
        row.registered_type,
        contract.sub_type,
        contract.field,
        contract.project_name,
        contract.seller_name,
        contract.buyer_name,
        contract.seller_id,
        contract.buyer_id,
        contract.seller_region,
        contract.buyer_region,
        total,
        technical,
        row.digest,
    )
    yield from _otherwise(held, posted)
    if undo.id is not None:
        document = certificate.end_document(row.public_id, row.withdraw_reason, row.end_cause)
        day = local_date(row.withdrawn_at) if row.withdrawn_at else None
        yield from _undone(undo, day, document)


def _past(row: Any, posted: Any, undo: Any) -> Iterator[str]:
    """Yield what is wrong with a contract that was registered elsewhere."""
    mark = certificate.mark(
        row.seller_name, row.buyer_name, row.project_name, row.signed_on, row.total_fen
    )
    if certificate.digest(row.items) != row.digest or mark != row.fingerprint:
        yield "内容与导入时的摘要不符"
    if posted.kind != Kind.REGISTER:
        yield "账里没有这一笔"
        return
    held = (
        f"{row.registry_name}:{row.number}",
        row.registered_on,
        row.contract_type,
        row.sub_type,
        row.field,
        row.project_name,
        row.seller_name,
        row.buyer_name,
        OUTSIDE if row.seller_id is None else row.seller_id,
        OUTSIDE if row.buyer_id is None else row.buyer_id,
        row.seller_region,
        row.buyer_region,
        row.total_fen,
        row.technical_fen,
        row.digest,
    )
    yield from _otherwise(held, posted)
    if undo.id is not None:
        documents = [{"past": row.public_id, "cause": row.cause, "reason": row.reason}]
        if row.reason == UNDONE:
            documents.append({"run": row.run_id, "reason": UNDONE})
        taken = local_date(row.taken_out_at) if row.taken_out_at else None
        day = posted.effective_on if row.cause == Cause.MISTAKE else taken
        if row.cause == Cause.MISTAKE and undo.effective_on == taken:
            day = taken  # its own month was closed by then
        yield from _undone(undo, day, *documents)


def _otherwise(held: tuple[object, ...], posted: Any) -> Iterator[str]:
    """Yield what the ledger says otherwise than the registration, both ways."""
    counted = (
        posted.subject_key,
        # What was decided in a closed month counts in the open one, and says so.
        posted.original_on or posted.effective_on,
        posted.contract_type,
        posted.sub_type,
        posted.field,
        posted.project_name,
        posted.seller_name,
        posted.buyer_name,
        posted.seller_id,
        posted.buyer_id,
        posted.seller_region,
        posted.buyer_region,
        posted.total_fen,
        posted.technical_fen,
        posted.digest,
    )
    if held == counted:
        return
    for label, here, there in zip(_COUNTED, held, counted, strict=True):
        if here != there:
            own, other = _shown(label, here), _shown(label, there)
            yield f"{label}，登记或合同里是{own}，账里第{posted.seq}号是{other}"


def _shown(label: str, value: Any) -> str:
    return wan_in_words(value) if label in _AMOUNTS and value else f"“{value}”"


def _undone(undo: Any, day: object, *documents: dict[str, object]) -> Iterator[str]:
    """Yield what is wrong with a reversal, told the day and the documents that it may be of."""
    if undo.effective_on != day:
        yield f"冲回的日期，登记里是“{day}”，账里第{undo.seq}号是“{undo.effective_on}”"
    if undo.digest not in {certificate.digest(one) for one in documents}:
        yield f"冲回的原因与账里第{undo.seq}号的摘要不符"
