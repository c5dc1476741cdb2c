"""No edge outside the one table: every state × every command × every role, by what is in EDGES."""

import itertools
from collections.abc import Callable

import pytest

from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts, Work
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from market.kit.ids import PublicId
from market.registry import service
from market.registry.schemas import (
    CancelIn,
    ChangeIn,
    ObjectIn,
    ResolveIn,
    ReturnIn,
    ReviewIn,
    RevokeIn,
    UndoIn,
)
from market.registry.states import AT_THE_DESK, COUNTING, EDGES, RegistrationState, Step
from tests import factories
from tests.support import papers
from tests.support.market import read_for, work_for

S = RegistrationState
WAN = papers.WAN
Command = Callable[[Work, PublicId], object]


def _register(work: Work, public_id: PublicId) -> object:
    filed = service.get(work, public_id)
    return service.decide(work, public_id, papers.decision(filed))


def _refuse(work: Work, public_id: PublicId) -> object:
    filed = service.get(work, public_id)
    form = papers.decision(filed, decision="not_registered", refusal_reason="evidence")
    return service.decide(work, public_id, form)


COMMANDS: dict[Step, Command] = {
    Step.HAND_IN: lambda work, one: service.hand_in(work, one, "清单在第3页"),
    Step.WITHDRAW: service.withdraw,
    Step.RETURN: lambda work, one: service.send_back(work, one, ReturnIn(note="补设备清单")),
    Step.ACCEPT: service.accept,
    Step.REVIEW: lambda work, one: service.review(work, one, ReviewIn(note="有争议")),
    Step.REGISTER: _register,
    Step.REFUSE: _refuse,
    Step.CHANGE: lambda work, one: service.change(
        work, one, ChangeIn(total_fen=110 * WAN, technical_fen=90 * WAN, reason="补充协议")
    ),
    Step.CANCEL: lambda work, one: service.cancel(
        work, one, CancelIn(cause="rescinded", reason="解除")
    ),
    Step.REVOKE: lambda work, one: service.revoke(
        work, one, RevokeIn(cause="twice", reason="重复登记")
    ),
    Step.OBJECT: lambda work, one: service.object_to(work, one, ObjectIn(reason="金额有误")),
    Step.UPHOLD: lambda work, one: service.resolve(
        work, one, ResolveIn(outcome="upheld", note="维持")
    ),
    Step.CORRECT: lambda work, one: service.resolve(
        work,
        one,
        ResolveIn(outcome="corrected", total_fen=115 * WAN, technical_fen=95 * WAN, note="更正"),
    ),
    Step.UNDO: lambda work, one: service.undo(work, one, UndoIn(reason="抄错")),
}
# The steps that lead to each state, by whoever may take them.
WAYS: dict[RegistrationState, tuple[Step, ...]] = {
    S.DRAFT: (),
    S.SUBMITTED: (Step.HAND_IN,),
    S.CORRECTION: (Step.HAND_IN, Step.RETURN),
    S.ACCEPTED: (Step.HAND_IN, Step.ACCEPT),
    S.EXPERT_REVIEW: (Step.HAND_IN, Step.ACCEPT, Step.REVIEW),
    S.REGISTERED: (Step.HAND_IN, Step.ACCEPT, Step.REGISTER),
    S.CHANGED: (Step.HAND_IN, Step.ACCEPT, Step.REGISTER, Step.OBJECT, Step.CORRECT),
    S.OBJECTION: (Step.HAND_IN, Step.ACCEPT, Step.REGISTER, Step.OBJECT),
    S.NOT_REGISTERED: (Step.HAND_IN, Step.ACCEPT, Step.REFUSE),
    S.CANCELLED: (Step.HAND_IN, Step.ACCEPT, Step.REGISTER, Step.CANCEL),
    S.REVOKED: (Step.HAND_IN, Step.ACCEPT, Step.REGISTER, Step.REVOKE),
    S.WITHDRAWN: (Step.HAND_IN, Step.WITHDRAW),
}
SELLERS = {Step.HAND_IN, Step.WITHDRAW}
PARTIES = SELLERS | {Step.OBJECT}


def cast(parts: Parts, pair: papers.Sides) -> dict[str, Actor]:
    """Return one of every role: of either party, outside, and of the bureau and the platform."""
    found = {"officer": pair.officer, "outsider": factories.actor(parts, Role.MANAGER)}
    for role in (Role.VIEWER, Role.EDITOR, Role.MANAGER):
        found[f"seller {role}"] = factories.actor(parts, role, pair.seller)
        found[f"buyer {role}"] = factories.actor(parts, role, pair.buyer)
    found["broker"] = factories.actor(parts, Role.MANAGER, kind=OrganisationKind.AGENCY)
    for role in (Role.AUDITOR, Role.OPERATOR):
        found[str(role)] = factories.actor(parts, role)
    return found


def allowed(name: str, step: Step) -> bool:
    """Say who may take a step, from the rule book and not from the program's table."""
    if step in SELLERS:
        return name in ("seller editor", "seller manager")
    if step is Step.OBJECT:
        return name.endswith((" editor", " manager"))
    return name == "officer"


def brought(parts: Parts, pair: papers.Sides, state: RegistrationState) -> PublicId:
    """Return a new registration in a state, by its own way there."""
    contract = papers.signed_contract(parts, pair)
    with work_for(parts, pair.seller_actor) as work:
        public_id = service.prepare(
            work, papers.SubmitIn(contract=contract.public_id)
        ).row.public_id
        told = service.get(work, public_id).row.items | papers.TOLD.model_dump(
            mode="json", exclude_unset=True
        )
        service.fill(work, public_id, papers.Items.model_validate(told))
        service.attach(work, public_id, papers.scan(contract.public_id))
    for step in WAYS[state]:
        actor = pair.seller_actor if step in PARTIES else pair.officer
        with work_for(parts, actor) as work:
            COMMANDS[step](work, public_id)
    assert now(parts, pair, public_id) == state
    return public_id


def now(parts: Parts, pair: papers.Sides, public_id: PublicId) -> str:
    with read_for(parts, pair.seller_actor) as work:
        return service.get(work, public_id).row.state


def targets(state: RegistrationState, step: Step) -> set[RegistrationState]:
    """Return where a command may lead from a state; a decision accepts first what was not yet."""
    found = {there for here, there in EDGES[step].pairs if here is state}
    if step in (Step.REGISTER, Step.REFUSE) and state is S.SUBMITTED:
        found = {there for here, there in EDGES[step].pairs if here is S.ACCEPTED}
    return found


def test_the_table_is_the_rule_book_s() -> None:
    """Every edge of 1.2, and those of taking back; nothing leads out of an end."""
    edges = {pair for one in EDGES.values() for pair in one.pairs}
    assert edges == {
        (S.DRAFT, S.SUBMITTED),
        (S.SUBMITTED, S.CORRECTION),
        (S.CORRECTION, S.SUBMITTED),
        (S.SUBMITTED, S.ACCEPTED),
        (S.ACCEPTED, S.EXPERT_REVIEW),
        (S.ACCEPTED, S.REGISTERED),
        (S.EXPERT_REVIEW, S.REGISTERED),
        (S.ACCEPTED, S.NOT_REGISTERED),
        (S.EXPERT_REVIEW, S.NOT_REGISTERED),
        (S.REGISTERED, S.CHANGED),
        (S.CHANGED, S.CHANGED),
        (S.REGISTERED, S.CANCELLED),
        (S.CHANGED, S.CANCELLED),
        (S.REGISTERED, S.REVOKED),
        (S.CHANGED, S.REVOKED),
        (S.OBJECTION, S.REVOKED),
        (S.REGISTERED, S.OBJECTION),
        (S.CHANGED, S.OBJECTION),
        (S.OBJECTION, S.REGISTERED),
        (S.OBJECTION, S.CHANGED),
        *((state, S.WITHDRAWN) for state in (S.DRAFT, S.SUBMITTED, S.CORRECTION)),
        *((state, S.WITHDRAWN) for state in (S.REGISTERED, S.CHANGED)),
    }
    assert {here for here, _ in edges}.isdisjoint(
        {S.NOT_REGISTERED, S.CANCELLED, S.REVOKED, S.WITHDRAWN}
    )
    assert set(COMMANDS) == set(EDGES) == set(Step)


@pytest.mark.parametrize("state", list(S))
def test_every_state_by_every_command_and_role(parts: Parts, state: RegistrationState) -> None:
    pair = papers.sides(parts)
    actors = cast(parts, pair)
    public_id = brought(parts, pair, state)
    for step, (name, actor) in itertools.product(Step, actors.items()):
        ends = targets(state, step) if allowed(name, step) else set()
        try:
            with work_for(parts, actor) as work:
                COMMANDS[step](work, public_id)
        except (Forbidden, NotFound):
            assert not allowed(name, step) or state is S.DRAFT, (state, step, name)
            continue
        except (Conflict, Invalid):
            assert allowed(name, step), (state, step, name)
            assert not ends, (state, step, name)
            continue
        assert now(parts, pair, public_id) in ends, (state, step, name)
        public_id = brought(parts, pair, state)
    assert now(parts, pair, public_id) == state


def test_who_waits_and_who_counts() -> None:
    assert {S.SUBMITTED, S.ACCEPTED, S.EXPERT_REVIEW} == AT_THE_DESK
    assert {S.REGISTERED, S.CHANGED, S.OBJECTION} == COUNTING
