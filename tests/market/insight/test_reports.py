"""Each figure of the reports equals a recomputation from the ledger's entries."""

import random
from collections import Counter
from datetime import date

import pytest
from sqlalchemy import text

from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Parts, Work
from market.catalog import drafts
from market.catalog.schemas import AchievementIn
from market.deals.vocabulary import ContractType
from market.insight import printing
from market.insight.annual import annual_report
from market.insight.reports import Report, Stage, month_report, plan_report
from market.kit.errors import Forbidden, Invalid, NotFound
from market.registry import service as registry
from market.registry.repository import Filed
from market.registry.schemas import ChangeIn, UndoIn
from market.rewards import service as rewards
from market.rewards.models import Way
from market.rewards.schemas import CompleterIn, RewardIn
from market.rules import service as rules
from market.rules.schemas import PlanIn
from tests import factories
from tests.market.insight.test_bureau import brought, lose
from tests.support import papers, printed
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for
from tests.support.trade import negotiated, trade

pytestmark = pytest.mark.usefixtures("both_databases")
WAN, YI = papers.WAN, 100 * 100 * papers.WAN
HERE, THERE = "500106", "500103"
MONTHS = ("2026-09", "2026-10", "2026-11")
TYPES = list(ContractType)


@pytest.fixture
def world(parts: Parts, clock: FakeClock) -> list[papers.Sides]:
    """Return three pairs, one of whose sellers is elsewhere, with contracts of three months."""
    with work_for(parts, factories.actor(parts, Role.OFFICER)) as work:
        rules.put_plan(
            work,
            PlanIn(
                name="示范区2026–2030",
                region=HERE,
                from_on=date(2026, 1, 1),
                to_on=date(2030, 12, 31),
                baseline_fen=2 * YI,
                baseline_year=2020,
                target_fen=40 * YI,
            ),
        )
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    pairs = [
        papers.sides(parts),
        papers.sides(parts, buyer_region=THERE),
        papers.sides(parts, seller_region=THERE),
    ]
    agencies = [factories.organisation(parts, OrganisationKind.AGENCY) for _ in range(2)]
    for month in MONTHS:
        clock.set_local(f"{month}-12 09:00")
        for pair in pairs:
            for _ in range(chance.randrange(1, 4)):
                technical = chance.randrange(1, 10**9)
                filed = papers.registered(
                    parts,
                    pair,
                    technical=technical,
                    total=technical + chance.randrange(10**6),
                    kind=chance.choice(TYPES),
                    field=chance.randrange(1, 12),
                    on=date.fromisoformat(f"{month}-10"),
                )
                if chance.random() < 0.5:
                    brought(parts, chance.choice(agencies), filed)
                if chance.random() < 0.4:
                    with work_for(parts, pair.officer) as work:
                        less = technical // 2 + 1
                        form = ChangeIn(total_fen=technical, technical_fen=less, reason="调减")
                        registry.change(work, filed.row.public_id, form)
                if chance.random() < 0.3:
                    with work_for(parts, pair.officer) as work:
                        registry.undo(work, filed.row.public_id, UndoIn(reason="金额抄错"))
                    taken_up(parts, pair, filed)
    return pairs


def taken_up(parts: Parts, pair: papers.Sides, undone: Filed) -> None:
    """Let another contract, which no agency brought about, take up the number of an undone one."""
    papers.decided(
        parts,
        pair,
        papers.submitted(parts, pair),
        decided_on=undone.row.decided_on,
        number=undone.row.number,
        supersedes=undone.row.public_id,
    )


def entries(work: Work) -> list[dict[str, object]]:
    """Return every counted entry with what it counts, read past all code of the market."""
    query = text(
        "SELECT t.id, COALESCE(t.register_id, t.id) AS register_id,"
        " e.amount_fen, t.effective_on, s.contract_type, s.field, s.seller_region,"
        " s.buyer_region, s.seller_id, s.seller_name, s.buyer_name, s.total_fen"
        " FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id"
        " JOIN ledger_transaction s ON s.id = e.snapshot_id"
        " WHERE e.account LIKE 'counted:%'"
    )
    return [
        {**row._mapping, "day": str(row.effective_on), "sign": 1 if row.amount_fen > 0 else -1}
        for row in work.session.execute(query)
    ]


def by_agency(work: Work, rows: list[dict[str, object]]) -> Counter[tuple[object, ...]]:
    """Return (name, figures) of what each agency brought about of some entries, by raw rows."""
    query = text(
        "SELECT o.name, r.transaction_id FROM commission_part p"
        " JOIN organisation o ON o.id = p.organisation_id"
        " JOIN commission c ON c.id = p.commission_id"
        " JOIN registration r ON r.contract_id = c.contract_id"
        " WHERE p.role = 'broker' AND c.state <> 'void'"
    )
    behind: dict[str, set[int]] = {}
    for name, transaction in work.session.execute(query):
        behind.setdefault(name, set()).add(transaction)
    found = [
        (name, *figures([row for row in rows if row["register_id"] in ids]))
        for name, ids in behind.items()
    ]
    return Counter(one for one in found if one[1] or one[2])


def figures(rows: list[dict[str, object]]) -> tuple[int, int, int]:
    return (
        sum(row["sign"] for row in rows),
        sum(row["amount_fen"] for row in rows),
        sum(row["sign"] * row["total_fen"] for row in rows),
    )


def shown(report: Report, key: str) -> tuple[object, ...]:
    return tuple(report.fact(f"{key}.{what}").value for what in ("count", "technical", "total"))


def same_table(report: Report, key: str, rows: list[dict[str, object]], column: str) -> None:
    """Hold a table's rows, by their sums, against the entries'."""
    values = {row[column] for row in rows}
    expected = Counter(figures([row for row in rows if row[column] == one]) for one in values)
    told = Counter((one.count, one.technical_fen, one.total_fen) for one in report.table(key).rows)
    assert told == expected


@pytest.mark.parametrize("month", MONTHS)
def test_each_figure_of_the_month_is_that_of_the_entries(
    parts: Parts, world: list[papers.Sides], month: str
) -> None:
    with read_for(parts, world[0].officer) as work:
        report = month_report(work, month)
        every = entries(work)
        here = [row for row in every if row["seller_region"] == HERE]
        of_month = [row for row in here if row["day"].startswith(month)]
        expected = by_agency(work, of_month)
    so_far = [row for row in here if row["day"] <= report.until.isoformat()]
    bought = [row for row in every if row["buyer_region"] == HERE and row["day"].startswith(month)]
    told = report.table("agency").rows
    assert Counter((one.label, one.count, one.technical_fen, one.total_fen) for one in told) == (
        expected
    )
    assert shown(report, "month") == figures(of_month)
    assert shown(report, "plan") == figures(so_far)
    assert shown(report, "incoming") == figures(bought)
    for key, column in (
        ("type", "contract_type"),
        ("field", "field"),
        ("seller", "seller_name"),
        ("buyer", "buyer_name"),
        ("university", "seller_name"),
    ):
        same_table(report, key, of_month, column)
    target, reached = report.fact("plan.target").value, figures(so_far)[1]
    assert report.fact("plan.gap").value == reached - report.fact("plan.expected").value
    assert report.fact("plan.share").value == reached / target
    # The baseline stands beside and is in no sum.
    assert report.fact("plan.baseline").value == 2 * YI


def test_the_plan_reports_count_all_of_the_period(parts: Parts, world: list[papers.Sides]) -> None:
    with read_for(parts, world[0].officer) as work:
        found = [plan_report(work, stage) for stage in Stage]
        every = entries(work)
    here = [row for row in every if row["seller_region"] == HERE]
    for report in found:
        assert shown(report, "period") == shown(report, "plan") == figures(here)
        same_table(report, "type", here, "contract_type")


def test_each_figure_of_the_five_parts_is_that_of_the_entries(
    parts: Parts, world: list[papers.Sides]
) -> None:
    pair = world[0]
    with work_for(parts, pair.seller_actor) as work:
        row = rewards.state(
            work,
            RewardIn(
                title="检测方法",
                way=Way.TRANSFER,
                income=100_01,
                decided_on=date(2026, 11, 1),
                completers=[CompleterIn(name="甲"), CompleterIn(name="乙")],
            ),
        )
        rewards.confirm(work, row.public_id)
    with read_for(parts, pair.seller_actor) as work:
        report = annual_report(work, 2026)
        own = [row for row in entries(work) if row["seller_id"] == pair.seller.id]
    assert [part.title[0] for part in report.parts] == list("一二三四五")
    assert shown(report, "year") == figures(own)
    assert report.fact("change.technical").value == figures(own)[1]
    for key, types in (("transfer", ("TRF", "LIC")), ("together", ("DEV", "CON", "SRV"))):
        some = [row for row in own if row["contract_type"] in types]
        assert shown(report, key) == figures(some)
        for line in report.table(f"{key}.type").rows:
            of_type = [row for row in some if row["contract_type"] == line.key]
            assert (line.count, line.technical_fen, line.total_fen) == figures(of_type)
    assert report.fact("performance.technical").value == figures(own)[1]
    assert report.fact("reward.transfer.count").value == 1
    assert report.fact("reward.transfer.base").value == 100_01
    assert report.fact("reward.transfer.amount").value == 50_01
    assert report.fact("reward.equity.amount").value == 0


def test_achievements_and_lost_deals_of_the_year_are_those_of_the_rows(
    parts: Parts, clock: FakeClock
) -> None:
    clock.set_local("2025-12-31 23:30")
    people = trade(parts, state_founded=False)  # with one published achievement
    clock.set_local("2026-01-01 00:30")  # still the last day of the year before in UTC
    with work_for(parts, people.seller) as work:
        drafts.create(work, AchievementIn(title="隧道衬砌空洞雷达识别"))
    lose(people, negotiated(people))
    with read_for(parts, people.seller) as work:
        found = [annual_report(work, year) for year in (2025, 2026)]
    keys = ("achievements", "achievements.new", "achievements.public", "lost.count")
    assert [[report.fact(key).value for key in keys] for report in found] == [
        [1, 1, 1, 0],
        [2, 1, 1, 1],
    ]
    assert "价格" in found[1].parts[0].text
    assert found[0].parts[0].text == "这一年没有终止的洽谈。"


def test_a_report_of_a_time_that_is_over_has_no_forecast(
    parts: Parts, clock: FakeClock, world: list[papers.Sides]
) -> None:
    with read_for(parts, world[0].officer) as work:
        month = month_report(work, "2026-10").fact("forecast")
    assert "不含预测：报告截至2026-10-31" in str(month.value)
    clock.set_local("2028-07-02 09:00")
    with read_for(parts, world[0].officer) as work:
        found = [plan_report(work, stage).fact("forecast").value for stage in Stage]
    assert "不含预测：报告截至2028-07-01" in str(found[0])
    assert "资料不足" in str(found[1])


def test_the_forecast_of_a_report_counts_the_deals_that_ended(
    parts: Parts, world: list[papers.Sides]
) -> None:
    with read_for(parts, world[0].officer) as work:
        told = month_report(work, "2026-11").fact("forecast").value
        query = text(
            "SELECT count(DISTINCT c.deal_id) FROM registration r"
            " JOIN contract c ON c.id = r.contract_id"
            " JOIN organisation o ON o.id = c.seller_id"
            " WHERE r.transaction_id IS NOT NULL AND r.state <> 'withdrawn' AND o.region = :here"
        )
        ended = work.session.execute(query, {"here": HERE}).scalar_one()
    assert f"已结束的洽谈{ended}件" in str(told)


def test_the_paper_opens_with_chinese_text(parts: Parts, world: list[papers.Sides]) -> None:
    with read_for(parts, world[0].officer) as work:
        report = month_report(work, "2026-11")
        made = printing.paper(report, work.now)
    told = printed.text(made)
    assert told.startswith("技术合同登记月报（2026年11月）")
    assert all(name.startswith("NotoSansSC") for name in printed.fonts(made))


def test_who_may_read_which_report(parts: Parts, world: list[papers.Sides]) -> None:
    seller = world[0]
    with read_for(parts, seller.seller_actor) as work:
        for refused in (
            lambda: month_report(work, "2026-11"),
            lambda: plan_report(work, Stage.FINAL),
        ):
            with pytest.raises(Forbidden):
                refused()
        with pytest.raises(NotFound):
            annual_report(work, 2026, world[1].seller.public_id)
        with pytest.raises(Invalid):
            annual_report(work, 2027)
    with read_for(parts, seller.officer) as work:
        assert annual_report(work, 2026, seller.seller.public_id)
        with pytest.raises(NotFound):
            annual_report(work, 2026)
        with pytest.raises(Invalid):
            month_report(work, "2026-12")
