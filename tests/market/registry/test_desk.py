"""The registration desk: what may be handed in, decided, undone, and what counts then."""

from dataclasses import replace
from datetime import date

import pytest

from infra.wiring import build_parts, close_parts
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Parts
from market.deals.vocabulary import ContractState
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from market.ledger import service as ledger
from market.ledger.schemas import Slice
from market.registry import service
from market.registry.models import RegistrationState
from market.registry.schemas import DecideIn, SubmitIn, UndoIn
from tests import factories
from tests.support import papers
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for

WAN = papers.WAN


@pytest.fixture
def pair(parts: Parts) -> papers.Sides:
    return papers.sides(parts)


def counted(parts: Parts) -> int:
    with parts.database.read() as session:
        assert ledger.verify(session) == []
        return ledger.total(session, Slice()).technical_fen


def problems(parts: Parts, pair: papers.Sides, filed, **changes: object) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        papers.decided(parts, pair, filed, **changes)
    return refused.value.fields


def test_a_registered_contract_counts_the_decided_amount(parts: Parts, pair: papers.Sides) -> None:
    filed = papers.submitted(parts, pair)
    done = papers.decided(
        parts,
        pair,
        filed,
        technical_fen=96 * WAN,
        difference_reason="设备款不计",
        decided_on=date(2026, 10, 30),
    )
    assert done.row.state == RegistrationState.REGISTERED
    assert counted(parts) == 96 * WAN
    (posted,) = papers.transactions(parts)
    assert posted.subject_key == f"default:{done.row.number}"
    assert (posted.effective_on, posted.id) == (date(2026, 10, 30), done.row.transaction_id)
    assert (posted.total_fen, posted.technical_fen) == (120 * WAN, 96 * WAN)
    assert posted.digest == done.row.digest


def test_the_same_decision_again_is_the_same_registration(parts: Parts, pair: papers.Sides) -> None:
    filed = papers.submitted(parts, pair)
    form = papers.decision(filed)
    for _ in range(2):
        with work_for(parts, pair.officer) as work:
            assert service.decide(work, filed.row.public_id, form).row.number == form.number
    with pytest.raises(Conflict):
        papers.decided(parts, pair, filed)
    assert len(papers.transactions(parts)) == 1


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "必须填写，现在是空的"),
        ("000020260000001", "应为16位数字（旧证14位），现在是15位"),
        ("00002026OO000001", "应为16位数字（旧证14位），现在有“O”"),
        ("٠٠٠٠٢٠٢٦٠٠٠٠٠٠٠١", "应为16位数字（旧证14位），现在有“٠”"),
    ],
)
def test_a_number_is_copied_whole(parts: Parts, pair: papers.Sides, typed, message) -> None:
    filed = papers.submitted(parts, pair)
    assert problems(parts, pair, filed, number=typed) == {"number": message}


@pytest.mark.parametrize(
    "typed", ["0000 2026 0000 0001", "００００２０２６００００００１１", "00002000000001"]
)
def test_numbers_are_stored_in_one_way(parts: Parts, pair: papers.Sides, typed: str) -> None:
    done = papers.decided(parts, pair, papers.submitted(parts, pair), number=typed)
    assert done.row.number is not None
    assert done.row.number.isascii()
    assert len(done.row.number) in (14, 16)


def test_demonstration_numbers_count_only_in_a_demonstration(settings, clock: FakeClock) -> None:
    built = build_parts(settings, clock)
    real = replace(built, demo=False)
    try:
        pair = papers.sides(real)
        filed = papers.submitted(real, pair)
        assert "只用于示范" in problems(real, pair, filed)["number"]
        done = papers.decided(real, pair, filed, number="5001062026000001")
        assert done.row.number == "5001062026000001"
    finally:
        close_parts(built)


def test_amounts_days_and_differences_are_checked_together(
    parts: Parts, pair: papers.Sides
) -> None:
    filed = papers.submitted(parts, pair)
    found = problems(
        parts,
        pair,
        filed,
        decided_on=date(2026, 11, 3),
        total_fen=100 * WAN,
        technical_fen=101 * WAN,
    )
    assert found == {
        "decided_on": "不能晚于今天2026-11-02，现在是2026-11-03",
        "technical_fen": "不能超过成交额100万元，现在是101万元",
        "difference_reason": "认定与申报（成交额120万元，技术交易额100万元）不同，请写明原因",
    }
    assert problems(parts, pair, filed, decided_on=date(2025, 1, 1)) == {
        "decided_on": "不能早于合同签订日2025-01-02，现在是2025-01-01"
    }
    assert problems(parts, pair, filed, technical_fen=0, difference_reason="x") == {
        "technical_fen": "应大于0，现在是0"
    }
    assert set(
        problems(parts, pair, filed, number="", decided_on=None, total_fen=None, technical_fen=None)
    ) == {"number", "decided_on", "total_fen", "technical_fen"}
    assert counted(parts) == 0


def test_a_refusal_names_a_reason_of_the_list_and_counts_nothing(
    parts: Parts, pair: papers.Sides
) -> None:
    filed = papers.submitted(parts, pair)
    assert "refusal_reason" in problems(
        parts, pair, filed, decision="not_registered", refusal_reason="其他"
    )
    done = papers.decided(parts, pair, filed, decision="not_registered", refusal_reason="evidence")
    assert done.row.state == RegistrationState.NOT_REGISTERED
    assert papers.transactions(parts) == []
    again = papers.submitted(parts, pair, done.contract)
    assert again.row.state == RegistrationState.SUBMITTED


def test_an_undo_takes_the_amount_out_today_and_keeps_both_lines(
    parts: Parts, pair: papers.Sides, clock: FakeClock
) -> None:
    done = papers.registered(parts, pair, on=date(2026, 10, 9))
    clock.set_local("2026-11-20 09:00")
    with work_for(parts, pair.officer) as work:
        undone = service.undo(work, done.row.public_id, UndoIn(reason="金额抄错"))
    assert undone.row.state == RegistrationState.WITHDRAWN
    assert counted(parts) == 0
    register, reversal = papers.transactions(parts)
    assert (reversal.effective_on, reversal.original_on) == (date(2026, 11, 20), date(2026, 10, 9))
    assert reversal.reverses_id == register.id
    with work_for(parts, pair.officer) as work, pytest.raises(Conflict):
        service.undo(work, done.row.public_id, UndoIn(reason="再撤一次"))


def test_a_number_taken_back_counts_again_only_by_a_decision_that_names_the_undone_one(
    parts: Parts, pair: papers.Sides
) -> None:
    first = papers.registered(parts, pair)
    with work_for(parts, pair.officer) as work:
        service.undo(work, first.row.public_id, UndoIn(reason="登记到了另一份合同上"))
    second = papers.submitted(parts, pair)
    same = {"number": first.row.number}
    assert "supersedes" in problems(parts, pair, second, **same)
    assert "supersedes" in problems(parts, pair, second, **same, supersedes=second.row.public_id)
    done = papers.decided(parts, pair, second, **same, supersedes=first.row.public_id)
    assert done.supersedes == first.row.public_id
    assert counted(parts) == 100 * WAN
    assert [row.generation for row in papers.transactions(parts)] == [0, 0, 1]


def test_whoever_held_a_number_last_is_the_one_to_name_if_both_were_undone_at_one_instant(
    parts: Parts, pair: papers.Sides
) -> None:
    older, newer, third = (papers.submitted(parts, pair) for _ in range(3))
    number = papers.number()
    named: str | None = None
    for filed in (newer, older):
        done = papers.decided(parts, pair, filed, number=number, supersedes=named)
        with work_for(parts, pair.officer) as work:
            service.undo(work, done.row.public_id, UndoIn(reason="登记到了另一份合同上"))
        named = done.row.public_id
    done = papers.decided(parts, pair, third, number=number, supersedes=older.row.public_id)
    assert done.supersedes == older.row.public_id


def test_a_fresh_number_supersedes_nothing(parts: Parts, pair: papers.Sides) -> None:
    first = papers.registered(parts, pair)
    with work_for(parts, pair.officer) as work:
        service.undo(work, first.row.public_id, UndoIn(reason="编号抄错"))
    again = papers.submitted(parts, pair, first.contract)
    assert "supersedes" in problems(parts, pair, again, supersedes=first.row.public_id)


def test_a_number_counts_on_one_contract(parts: Parts, pair: papers.Sides) -> None:
    first = papers.registered(parts, pair)
    second = papers.submitted(parts, pair)
    with pytest.raises(Conflict, match="已登记在另一份合同上"):
        papers.decided(parts, pair, second, number=first.row.number)
    assert counted(parts) == 100 * WAN


def test_a_contract_is_handed_in_once(parts: Parts, pair: papers.Sides) -> None:
    filed = papers.submitted(parts, pair)
    with pytest.raises(Conflict, match="已经提交登记"):
        papers.submitted(parts, pair, filed.contract)


def test_the_same_contract_on_another_paper_is_stopped(parts: Parts, pair: papers.Sides) -> None:
    papers.submitted(parts, pair, papers.signed_contract(parts, pair, project="焊缝 检测（一期）"))
    twin = papers.signed_contract(parts, pair, project="焊缝检测(一期)")
    with pytest.raises(Conflict, match="都相同的合同"):
        papers.submitted(parts, pair, twin)
    other = papers.signed_contract(parts, pair, project="焊缝检测(二期)")
    assert papers.submitted(parts, pair, other).row.state == RegistrationState.SUBMITTED


def test_only_a_signed_contract_is_handed_in(parts: Parts, pair: papers.Sides) -> None:
    draft = papers.signed_contract(parts, pair, state=ContractState.DRAFTED)
    with pytest.raises(Conflict, match="签订后"):
        papers.submitted(parts, pair, draft)


def test_the_seller_takes_an_undecided_application_back(parts: Parts, pair: papers.Sides) -> None:
    filed = papers.submitted(parts, pair)
    with work_for(parts, pair.buyer_actor) as work, pytest.raises(Forbidden):
        service.withdraw(work, filed.row.public_id)
    with work_for(parts, pair.seller_actor) as work:
        gone = service.withdraw(work, filed.row.public_id)
    assert gone.row.state == RegistrationState.WITHDRAWN
    with pytest.raises(Conflict):
        papers.decided(parts, pair, filed)
    done = papers.registered(parts, pair)
    with work_for(parts, pair.seller_actor) as work, pytest.raises(Conflict):
        service.withdraw(work, done.row.public_id)


def test_who_sees_and_who_acts(parts: Parts, pair: papers.Sides) -> None:
    filed = papers.submitted(parts, pair)
    stranger = factories.actor(parts, Role.MANAGER, kind=OrganisationKind.COMPANY)
    for actor in (pair.seller_actor, pair.buyer_actor, pair.officer):
        with read_for(parts, actor) as work:
            assert service.get(work, filed.row.public_id).contract.id == filed.contract.id
            assert service.registrations(work)[1] == 1
    with read_for(parts, stranger) as work:
        assert service.registrations(work) == ([], 0)
        with pytest.raises(NotFound):
            service.get(work, filed.row.public_id)
    for actor, answer in ((stranger, NotFound), (pair.buyer_actor, Forbidden)):
        with work_for(parts, actor) as work, pytest.raises(answer):
            service.submit(work, SubmitIn(contract=filed.contract.public_id), papers.scan("x"))
        with work_for(parts, actor) as work, pytest.raises(answer):
            service.decide(work, filed.row.public_id, DecideIn(decision="registered"))


def test_the_queue_is_oldest_first(parts: Parts, pair: papers.Sides, clock: FakeClock) -> None:
    first = papers.submitted(parts, pair)
    clock.advance(hours=1)
    second = papers.submitted(parts, pair)
    with read_for(parts, pair.officer) as work:
        rows, total = service.registrations(work, RegistrationState.SUBMITTED)
        assert ([one.row.id for one in rows], total) == ([first.row.id, second.row.id], 2)
        assert service.counts(work) == {"submitted": 2}
        found = service.desk(work, second.row.public_id)
        assert [one.row.id for one in found.same_parties] == [first.row.id]


def test_a_contract_of_joint_sellers_handed_in_by_each_is_shown(
    parts: Parts, pair: papers.Sides
) -> None:
    """Same buyer, day and sum: whoever decides on the second sees the first."""
    other = papers.sides(parts)
    joint = replace(other, buyer=pair.buyer, buyer_actor=pair.buyer_actor)
    first = papers.submitted(
        parts, pair, papers.signed_contract(parts, pair, total=130 * papers.WAN)
    )
    paper = papers.signed_contract(parts, joint, total=130 * papers.WAN)
    second = papers.submitted(parts, joint, paper)
    papers.submitted(parts, other, papers.signed_contract(parts, other, total=130 * papers.WAN))
    with read_for(parts, pair.officer) as work:
        found = service.desk(work, second.row.public_id)
    assert [one.row.id for one in found.same_parties] == [first.row.id]
