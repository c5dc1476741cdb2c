"""The golden cases of the rule book: deadlines, acceptance, rule versions, and what counts after."""

from datetime import date

import pytest

from market.accounts.work import Parts
from market.deals.contracts import technical_fen
from market.deals.schemas import ContractLineIn
from market.deals.vocabulary import ContractType, LineKind
from market.kit.errors import Conflict, Invalid
from market.ledger import periods
from market.ledger import service as ledger
from market.ledger.models import Book, Kind
from market.ledger.schemas import Slice
from market.registry import items, service
from market.registry.audit import audit
from market.registry.schemas import (
    CancelIn,
    ChangeIn,
    ObjectIn,
    ResolveIn,
    ReturnIn,
    ReviewIn,
    RevokeIn,
    SubmitIn,
)
from market.registry.states import RegistrationState as S
from tests.support import papers
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for

WAN = papers.WAN
NEW = date(2026, 9, 1)  # signed under MIIT-2026
pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
def pair(parts: Parts) -> papers.Sides:
    return papers.sides(parts)


def counted(parts: Parts, part: Slice | None = None) -> int:
    with parts.database.read() as session:
        assert ledger.verify(session) == []
        assert list(audit(session)) == []
        return ledger.total(session, part or Slice()).technical_fen


def term(parts: Parts, pair: papers.Sides, filed) -> service.Term:
    with read_for(parts, pair.officer) as work:
        found = service.term_of(work, service.get(work, filed.row.public_id))
    assert found is not None
    return found


def accepted(parts: Parts, pair: papers.Sides, **contract: object):
    filed = papers.submitted(parts, pair, papers.signed_contract(parts, pair, **contract))
    with work_for(parts, pair.officer) as work:
        return service.accept(work, filed.row.public_id)


@pytest.mark.parametrize(
    ("technical", "days", "last"),
    [
        (500 * WAN - 1, 15, date(2026, 11, 23)),
        (500 * WAN, 30, date(2026, 12, 14)),
    ],
)
def test_technical_value_of_500_wan_moves_the_deadline_from_15_to_30_working_days(
    parts: Parts, pair: papers.Sides, technical: int, days: int, last: date
) -> None:
    """Accepted on Monday 2026-11-02; there is no holiday in between."""
    filed = accepted(parts, pair, total=600 * WAN, technical=technical, signed_on=NEW)
    found = term(parts, pair, filed)
    assert (found.days, found.decide_by, found.provisional) == (days, last, False)


def test_what_is_disputed_takes_the_longer_time(parts: Parts, pair: papers.Sides) -> None:
    filed = accepted(parts, pair, signed_on=NEW)
    with work_for(parts, pair.officer) as work:
        service.review(work, filed.row.public_id, ReviewIn(note="是否属于技术开发有争议"))
    assert term(parts, pair, filed).days == 30


@pytest.mark.parametrize(
    ("signed_on", "code", "last"),
    [
        (date(2026, 2, 28), "2000/2001", date(2026, 12, 2)),  # 30 days, the 2nd a Wednesday
        (date(2026, 3, 1), "MIIT-2026", date(2026, 11, 23)),
    ],
)
def test_the_signing_date_chooses_the_rule_version(
    parts: Parts, pair: papers.Sides, signed_on: date, code: str, last: date
) -> None:
    filed = accepted(parts, pair, signed_on=signed_on)
    found = term(parts, pair, filed)
    assert (found.version.row.code, found.decide_by) == (code, last)


def test_a_licence_signed_under_the_old_rules_is_registered_as_an_assignment(
    parts: Parts, pair: papers.Sides
) -> None:
    old = papers.registered(
        parts, pair, kind=ContractType.LIC, signed_on=date(2026, 2, 28), on=date(2026, 11, 2)
    )
    new = papers.registered(parts, pair, kind=ContractType.LIC, signed_on=NEW)
    assert [one.contract_type for one in papers.transactions(parts)] == ["TRF", "LIC"]
    assert (old.row.registered_type, new.row.registered_type) == ("TRF", "LIC")
    assert counted(parts) == 200 * WAN


def test_equipment_lines_are_deducted_beyond_a_reasonable_quantity() -> None:
    """成交额 780万元: software 598, tests 58, two sets of equipment 20 kept, twelve sets 104 not."""
    lines = [
        ContractLineIn(name="控制算法与软件", kind=LineKind.TECHNICAL, amount_fen=598 * WAN),
        ContractLineIn(name="试验与培训", kind=LineKind.TECHNICAL, amount_fen=58 * WAN),
        ContractLineIn(
            name="样机2套",
            kind=LineKind.NON_TECHNICAL,
            amount_fen=20 * WAN,
            reasonable_quantity=True,
        ),
        ContractLineIn(name="计算单元12套", kind=LineKind.NON_TECHNICAL, amount_fen=104 * WAN),
    ]
    assert sum(line.amount_fen for line in lines) == 780 * WAN
    assert technical_fen(lines) == 676 * WAN


def test_the_acceptance_day_is_the_day_the_corrected_file_is_handed_in(
    parts: Parts, pair: papers.Sides, clock: FakeClock
) -> None:
    filed = papers.submitted(parts, pair, papers.signed_contract(parts, pair, signed_on=NEW))
    public_id = filed.row.public_id
    clock.set_local("2026-11-04 10:00")
    with work_for(parts, pair.officer) as work:
        service.send_back(work, public_id, ReturnIn(note="补设备清单", due_on=date(2026, 11, 20)))
    clock.set_local("2026-11-09 10:00")
    with work_for(parts, pair.seller_actor) as work:
        service.attach(work, public_id, papers.scan("补正后的合同"))
        service.hand_in(work, public_id)
    clock.set_local("2026-11-12 10:00")
    with work_for(parts, pair.officer) as work:
        done = service.accept(work, public_id)
    assert done.row.accepted_on == date(2026, 11, 9)
    assert term(parts, pair, filed).decide_by == date(2026, 11, 30)
    with read_for(parts, pair.seller_actor) as work:
        told = [(one.step, one.to_state) for one in service.events(work, done)]
    assert told == [
        ("hand_in", "submitted"),
        ("return", "correction"),
        ("hand_in", "submitted"),
        ("accept", "accepted"),
    ]


def test_a_request_is_answered_by_a_correction_or_by_a_word(
    parts: Parts, pair: papers.Sides, clock: FakeClock
) -> None:
    filed = papers.submitted(parts, pair)
    public_id, first = filed.row.public_id, filed.row.submitted_at
    for note in ("请说明设备", "请再说明"):
        with work_for(parts, pair.officer) as work:
            service.send_back(work, public_id, ReturnIn(note=note))
        with work_for(parts, pair.seller_actor) as work:
            service.fill(work, public_id, items.read(filed.row.items))  # the same again
        clock.advance(days=1)
        with pytest.raises(Invalid) as refused, work_for(parts, pair.seller_actor) as work:
            service.hand_in(work, public_id)
        assert set(refused.value.fields) == {"reply"}
        with work_for(parts, pair.seller_actor) as work:
            done = service.hand_in(work, public_id, f"{note}：在第3页")
        assert (done.row.submitted_at, done.row.handed_in_on) == (first, parts.clock.now().date())
    with work_for(parts, pair.officer) as work:
        service.send_back(work, public_id, ReturnIn(note="换一份"))
    with work_for(parts, pair.seller_actor) as work:
        service.attach(work, public_id, papers.scan("另一份"))
        service.hand_in(work, public_id)
    with read_for(parts, pair.buyer_actor) as work:
        notes = [one.note for one in service.events(work, filed) if one.step == "hand_in"]
    assert notes == ["", "请说明设备：在第3页", "请再说明：在第3页", ""]


def test_an_uncorrected_application_is_accepted_on_its_day(
    parts: Parts, pair: papers.Sides, clock: FakeClock
) -> None:
    filed = papers.submitted(parts, pair)
    clock.set_local("2026-11-05 10:00")
    with work_for(parts, pair.officer) as work:
        done = service.accept(work, filed.row.public_id)
    assert done.row.accepted_on == date(2026, 11, 5)


def test_a_change_moves_the_board_by_the_difference(parts: Parts, pair: papers.Sides) -> None:
    done = papers.registered(parts, pair)
    form = ChangeIn(total_fen=110 * WAN, technical_fen=87 * WAN + 1, reason="补充协议")
    for _ in range(2):  # sent twice
        with work_for(parts, pair.officer) as work:
            changed = service.change(work, done.row.public_id, form)
    assert (changed.row.state, changed.row.changes) == (S.CHANGED, 1)
    assert counted(parts) == 87 * WAN + 1
    with work_for(parts, pair.officer) as work:
        again = ChangeIn(total_fen=110 * WAN, technical_fen=90 * WAN, reason="再次变更")
        service.change(work, done.row.public_id, again)
    assert counted(parts) == 90 * WAN
    assert [one.kind for one in papers.transactions(parts)] == [
        Kind.REGISTER,
        Kind.CHANGE,
        Kind.CHANGE,
    ]


def test_a_change_says_other_amounts_that_fit(parts: Parts, pair: papers.Sides) -> None:
    done = papers.registered(parts, pair)
    for total, technical in ((120, 100), (80, 81)):
        form = ChangeIn(total_fen=total * WAN, technical_fen=technical * WAN, reason="变更")
        with work_for(parts, pair.officer) as work, pytest.raises(Invalid):
            service.change(work, done.row.public_id, form)
    assert counted(parts) == 100 * WAN


def test_a_cancellation_takes_out_what_was_changed_last(parts: Parts, pair: papers.Sides) -> None:
    done = papers.registered(parts, pair)
    with work_for(parts, pair.officer) as work:
        form = ChangeIn(total_fen=110 * WAN, technical_fen=90 * WAN, reason="补充协议")
        service.change(work, done.row.public_id, form)
        ended = service.cancel(
            work, done.row.public_id, CancelIn(cause="rescinded", reason="协议解除")
        )
    assert ended.row.state == S.CANCELLED
    assert counted(parts) == 0
    with work_for(parts, pair.seller_actor) as work, pytest.raises(Conflict, match="合同解除"):
        service.prepare(work, SubmitIn(contract=done.contract.public_id))


def test_a_revoked_contract_of_a_closed_year_is_taken_out_in_the_open_one(
    parts: Parts, pair: papers.Sides, clock: FakeClock
) -> None:
    done = papers.registered(parts, pair, on=date(2025, 12, 30))
    with work_for(parts, pair.officer) as work:
        periods.close(work.session, Book.STATISTICS, "2025-12", by=pair.officer.person, at=work.now)
        periods.finish(work.session, Book.STATISTICS, until="2025-12", at=work.now)
    clock.set_local("2026-11-20 09:00")
    with work_for(parts, pair.officer) as work:
        gone = service.revoke(
            work, done.row.public_id, RevokeIn(cause="twice", reason="在别处登记过")
        )
    assert gone.row.state == S.REVOKED
    old = Slice(since=date(2025, 1, 1), until=date(2025, 12, 31))
    assert counted(parts, old) == 100 * WAN
    assert counted(parts, Slice(since=date(2026, 1, 1))) == -100 * WAN
    assert counted(parts) == 0
    (_, reversal) = papers.transactions(parts)
    assert (reversal.effective_on, reversal.original_on) == (
        date(2026, 11, 20),
        date(2025, 12, 30),
    )


@pytest.mark.parametrize(
    ("outcome", "state", "amount"), [("upheld", S.REGISTERED, 100), ("corrected", S.CHANGED, 95)]
)
def test_an_objection_is_upheld_or_corrected_and_counts_meanwhile(
    parts: Parts, pair: papers.Sides, outcome: str, state: S, amount: int
) -> None:
    done = papers.registered(parts, pair)
    with work_for(parts, pair.buyer_actor) as work:
        service.object_to(work, done.row.public_id, ObjectIn(reason="设备款未扣"))
    assert counted(parts) == 100 * WAN
    more = {"total_fen": 120 * WAN, "technical_fen": 95 * WAN} if outcome == "corrected" else {}
    with work_for(parts, pair.officer) as work:
        form = ResolveIn(outcome=outcome, note="经复核", **more)
        answered = service.resolve(work, done.row.public_id, form)
    assert (answered.row.state, counted(parts)) == (state, amount * WAN)


def test_a_number_that_was_cancelled_is_never_used_again(parts: Parts, pair: papers.Sides) -> None:
    done = papers.registered(parts, pair)
    with work_for(parts, pair.officer) as work:
        service.cancel(work, done.row.public_id, CancelIn(cause="annulled", reason="撤销"))
    other = papers.submitted(parts, pair)
    with pytest.raises(Conflict, match="注销或撤销"):
        papers.decided(parts, pair, other, number=done.row.number)


def test_the_worklist_goes_by_deadline(parts: Parts, pair: papers.Sides, clock: FakeClock) -> None:
    large = papers.signed_contract(
        parts, pair, project="大合同", total=600 * WAN, technical=600 * WAN, signed_on=NEW
    )
    papers.submitted(parts, pair, large)
    clock.advance(days=1)
    small = papers.submitted(parts, pair, papers.signed_contract(parts, pair, signed_on=NEW))
    with work_for(parts, pair.officer) as work:
        found = service.worklist(work)
        assert [one.filed.contract.project_name for one in found.rows] == [
            small.contract.project_name,
            "大合同",
        ]
        assert service.worklist(work, text="大 合同").total == 1
        service.send_back(work, small.row.public_id, ReturnIn(note="补材料"))
    clock.set_local("2026-12-14 09:00")
    with read_for(parts, pair.officer) as work:
        found = service.worklist(work)
    assert [(one.due, one.left) for one in found.rows] == [
        (service.Due.SOON, 0),
        (service.Due.NONE, 0),
    ]
    assert found.by_due[service.Due.SOON] == 1
    assert found.by_state == {"submitted": 1, "correction": 1}
