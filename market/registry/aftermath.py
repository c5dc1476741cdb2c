"""What becomes of a registration once it counts: change, cancellation (注销), revocation (撤销),
the answer to an objection, and the undo of what was copied wrongly.

What is taken out takes effect on the day of the undo, whatever period the registration is of.
"""

from dataclasses import dataclass, replace
from typing import Any

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PublicId
from market.kit.money import wan_in_words
from market.ledger import service as ledger
from market.registry import certificate, reading, repository, standing, steps, waiting
from market.registry.decisions import subject
from market.registry.models import Registration
from market.registry.repository import Filed
from market.registry.schemas import CancelIn, ChangeIn, ResolveIn, RevokeIn, UndoIn
from market.registry.states import EDGES, RegistrationState, Step
from market.registry.vocabulary import END_CAUSES

S = RegistrationState
NOT_COUNTED = "这份登记现在没有计入，没有可办理的"


@dataclass(frozen=True, slots=True)
class Change:
    """成交额 and 技术交易额, and what else is otherwise than it was registered (`standing`)."""

    amounts: tuple[int, int]
    in_force: dict[str, Any]

    @classmethod
    def of(cls, row: Registration) -> "Change":
        """Return what a counted registration has in force."""
        assert row.total_fen is not None
        assert row.technical_fen is not None
        return cls((row.total_fen, row.technical_fen), row.in_force)


def change(work: Work, public_id: PublicId, form: ChangeIn) -> Filed:
    """Enter amounts, type, field and parties as the registry changed them; they count from today.

    The same change again answers with the same. Raises Invalid at what does not fit, Conflict.
    """
    filed = _counted(work, public_id, None)
    row = filed.row
    new = Change((form.total_fen, form.technical_fen), standing.changed(work, filed, form))
    done = row.state == S.CHANGED and Change.of(row) == new
    if done and _last_note(work, filed) == form.reason:
        return filed
    filed = _counted(work, public_id, Step.CHANGE)
    then = standing.of(row, filed.contract)
    _change(work, filed, Step.CHANGE, new, form.reason)
    waiting.tell_left(work, filed, {then["seller_id"], then["buyer_id"]})
    waiting.tell_parties(
        work, filed, "registration.changed", "登记已变更", form.reason, str(filed.row.changes)
    )
    return reading.get(work, public_id)


def _last_note(work: Work, filed: Filed) -> str:
    return repository.events(work.session, filed.row)[-1].note


def _change(work: Work, filed: Filed, step: Step, new: Change, reason: str) -> None:
    """Post what is otherwise. Raises Invalid where it is the same or does not fit."""
    row = filed.row
    assert row.transaction_id is not None
    total, technical = new.amounts
    if technical > total:
        limit = f"不能超过成交额{wan_in_words(total)}，现在是{wan_in_words(technical)}"
        raise Invalid(fields={"technical_fen": limit})
    if new == Change.of(row):
        raise Invalid(fields={"technical_fen": "与现在登记的相同，没有变更"})
    number = row.changes + 1
    digest = certificate.change_digest(row.public_id, number, new.amounts, new.in_force, reason)
    counted = subject(filed, row.number, row.registered_type, new.amounts, digest)
    ledger.lock(work.session)
    posted = ledger.post_change(
        work.session,
        row.transaction_id,
        replace(counted, **new.in_force),
        key=f"registration:{row.public_id}:change:{number}",
        effective_on=work.today,
        at=work.now,
    )
    steps.take(
        work,
        filed,
        step,
        S.CHANGED,
        steps.Told(reason, "", None, posted.effective_on, digest, posted.id),
        total_fen=total,
        technical_fen=technical,
        changes=number,
        in_force=new.in_force,
    )
    waiting.tell_deal(
        work, filed, "registration_changed", "登记变更", f"，技术交易额{wan_in_words(technical)}"
    )
    waiting.moved(work, filed)


def cancel(work: Work, public_id: PublicId, form: CancelIn) -> Filed:
    """Cancel (注销): the contract is no more. What counted is taken out, effective today."""
    filed = _counted(work, public_id, Step.CANCEL)
    _end(work, filed, Step.CANCEL, S.CANCELLED, form.reason, form.cause)
    waiting.tell_parties(work, filed, "registration.cancelled", "登记已注销", form.reason)
    return filed


def revoke(work: Work, public_id: PublicId, form: RevokeIn) -> Filed:
    """Revoke (撤销): it should not have been. What counted is taken out, effective today."""
    filed = _counted(work, public_id, Step.REVOKE)
    _end(work, filed, Step.REVOKE, S.REVOKED, form.reason, form.cause)
    waiting.tell_parties(work, filed, "registration.revoked", "登记已撤销", form.reason)
    return filed


def undo(work: Work, public_id: PublicId, form: UndoIn) -> Filed:
    """Undo a registration that was copied wrongly; what was counted is taken out, effective today.

    Raises Conflict where it is not registered (any more).
    """
    filed = _counted(work, public_id, Step.UNDO)
    _end(work, filed, Step.UNDO, S.WITHDRAWN, form.reason)
    waiting.tell_parties(work, filed, "registration.undone", "登记被撤回", form.reason)
    return filed


_WORDS = {
    Step.CANCEL: "登记注销",
    Step.REVOKE: "登记撤销",
    Step.UNDO: "登记被撤回",
}


def _end(
    work: Work,
    filed: Filed,
    step: Step,
    to: RegistrationState,
    reason: str,
    cause: str = "",
) -> None:
    """Take out what counted. Raises Conflict where somebody else has."""
    row = filed.row
    assert row.transaction_id is not None
    digest = certificate.digest(certificate.end_document(row.public_id, reason, cause))
    reversal = ledger.post_reversal(
        work.session,
        row.transaction_id,
        key=f"registration:{row.public_id}:undo",
        digest=digest,
        effective_on=work.today,
        at=work.now,
    )
    steps.take(
        work,
        filed,
        step,
        to,
        steps.Told(reason, cause, None, reversal.effective_on, digest, reversal.id),
        reversal_id=reversal.id,
        withdraw_reason=reason,
        end_cause=cause,
        withdrawn_by=work.actor.person,
        withdrawn_at=work.now,
    )
    told = "".join(f"：{part}" for part in (END_CAUSES.get(cause, ""), reason) if part)
    waiting.tell_deal(work, filed, f"registration_{step.value}", _WORDS[step], told)
    waiting.moved(work, filed)


def resolve(work: Work, public_id: PublicId, form: ResolveIn) -> Filed:
    """Answer an objection: the registration is upheld, or its amounts are corrected.

    Raises Invalid at the amounts, Conflict where nobody objects (any more).
    """
    filed = _counted(work, public_id, Step.UPHOLD)
    if form.outcome == "upheld":
        to = S.CHANGED if filed.row.changes else S.REGISTERED
        steps.take(work, filed, Step.UPHOLD, to, steps.Told(note=form.note))
        waiting.tell_deal(
            work, filed, "registration_upheld", "异议已复核，维持登记", f"：{form.note}"
        )
        waiting.moved(work, filed)
    else:
        if form.total_fen is None or form.technical_fen is None:
            needed = {"total_fen": form.total_fen, "technical_fen": form.technical_fen}
            raise Invalid(
                fields={name: certificate.EMPTY for name, value in needed.items() if value is None}
            )
        new = Change((form.total_fen, form.technical_fen), filed.row.in_force)
        _change(work, filed, Step.CORRECT, new, form.note)
    word = "维持登记" if form.outcome == "upheld" else "已更正登记"
    place = str(len(repository.events(work.session, filed.row)))
    waiting.tell_parties(
        work, filed, "registration.resolved", f"异议已复核，{word}", form.note, place
    )
    return reading.get(work, public_id)


def _counted(work: Work, public_id: PublicId, step: Step | None) -> Filed:
    """Return a registration that the bureau takes a step with. Raises NotFound, Conflict."""
    filed = reading.get(work, public_id)
    work.require(Action.REGISTRATION_UNDO, Relation.OTHER)
    work.touched("registration", filed.row.public_id)
    if step is not None and RegistrationState(filed.row.state) not in EDGES[step].origins:
        raise Conflict(NOT_COUNTED)
    return filed
