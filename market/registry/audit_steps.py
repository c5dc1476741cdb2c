"""What does not agree between registrations and the steps by which they got where they are."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlmodel import Session

from market.kit.across import Finding
from market.ledger.audit import REMEDY
from market.ledger.models import Kind
from market.registry import certificate, standing
from market.registry import repository_audit as repository
from market.registry.states import EDGES, RegistrationState, Step

_KINDS = {
    Step.REGISTER: Kind.REGISTER,
    Step.CHANGE: Kind.CHANGE,
    Step.CORRECT: Kind.CHANGE,
    Step.CANCEL: Kind.REVERSE,
    Step.REVOKE: Kind.REVERSE,
    Step.UNDO: Kind.REVERSE,
}
"""What the ledger writes for a step; nothing for the others."""
_CHANGES = (Step.CHANGE, Step.CORRECT)


def audit(session: Session) -> Iterator[Finding]:
    steps = repository.steps(session)
    for public_id, its in groupby(steps, key=lambda one: one[0].public_id):
        wrong = list(_registration(list(its)))
        if wrong:
            yield Finding(f"登记 {public_id}", "；".join(wrong), REMEDY)
    for public_id in repository.without_steps(session):
        yield Finding(f"登记 {public_id}", "提交过，却没有办理经过", REMEDY)
    for public_id in repository.other_files(session):
        yield Finding(f"登记 {public_id}", "合同文件与提交时记下的摘要不符", REMEDY)


def _registration(steps: list[tuple[Any, Any, Any, Any]]) -> Iterator[str]:
    """Yield what is wrong with the steps of one registration."""
    row = steps[0][0]
    state: str = RegistrationState.DRAFT
    changes = 0
    for place, (_, event, posted, contract) in enumerate(steps, 1):
        pair = (event.from_state, event.to_state)
        edges = EDGES.get(event.step)
        if event.place != place or event.from_state != state:
            yield f"第{event.place}步应接着“{state}”，现在从“{event.from_state}”起"
        if edges is None or pair not in edges.pairs:
            yield f"第{event.place}步“{event.step}”不能从“{pair[0]}”到“{pair[1]}”"
        state = event.to_state
        changes += event.step in _CHANGES
        yield from _posted(row, event, posted)
        yield from _documented(row, event, changes)
        if posted.kind == Kind.CHANGE:
            yield from _in_force(row, contract, event, posted)
    if state != row.state:
        yield f"经过的最后一步到“{state}”，登记的状态是“{row.state}”"
    if changes != row.changes:
        yield f"经过里变更{changes}次，登记上记的是{row.changes}次"
    counted = [event for _, event, _, _ in steps if event.step in (Step.REGISTER, *_CHANGES)]
    if counted:
        last = counted[-1]
        if (last.total_fen, last.technical_fen) != (row.total_fen, row.technical_fen):
            yield "成交额或技术交易额与最后一次登记或变更的不同"
    if steps[-1][1].in_force != row.in_force:
        yield "变更过的类别、领域或双方与最后一步的不同"


def _in_force(row: Any, contract: Any, event: Any, posted: Any) -> Iterator[str]:
    """Yield what of type, field and parties the ledger has otherwise after a change."""
    held = {name: getattr(contract, name, None) for name in standing.NAMES}
    held |= {"contract_type": row.registered_type} | event.in_force
    for name, label in standing.NAMES.items():
        if held[name] != getattr(posted, name):
            yield f"第{event.place}步的{label}与账里第{posted.seq}号的不同"


def _documented(row: Any, event: Any, changes: int) -> Iterator[str]:
    """Yield where a step says otherwise than the document whose digest the ledger has."""
    kind = _KINDS.get(event.step)
    if kind is Kind.CHANGE:
        amounts = (event.total_fen, event.technical_fen)
        wanted = certificate.change_digest(
            row.public_id, changes, amounts, event.in_force, event.note
        )
    elif kind is Kind.REVERSE:
        wanted = certificate.digest(
            certificate.end_document(row.public_id, event.note, event.cause)
        )
    else:
        return
    if event.digest != wanted:
        yield f"第{event.place}步的内容与办理时的摘要不符"


def _posted(row: Any, event: Any, posted: Any) -> Iterator[str]:
    """Yield what the ledger says otherwise than a step."""
    wanted = _KINDS.get(event.step)
    if wanted != posted.kind:
        yield f"第{event.place}步“{event.step}”在账里没有它的一笔，或有了不该有的"
        return
    if wanted is None:
        return
    if posted.digest != event.digest:
        yield f"第{event.place}步与账里第{posted.seq}号的摘要不符"
    same = (posted.total_fen, posted.technical_fen) == (event.total_fen, event.technical_fen)
    if not same:
        yield f"第{event.place}步的金额与账里第{posted.seq}号的不同"
    if wanted is not Kind.REGISTER and posted.register_id != row.transaction_id:
        yield f"第{event.place}步在账里的第{posted.seq}号不是这份登记的"
