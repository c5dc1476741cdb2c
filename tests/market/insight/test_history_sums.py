"""The board over generated history, held to the fen against a sum in plain Python over the rows."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal

import pytest

from market.accounts.policy import Role
from market.accounts.work import ANONYMOUS, Actor, Parts
from market.catalog.vocabulary import FIELDS
from market.insight import service
from market.insight.service import Chosen
from market.insight.views import Board
from market.kit.intake import Outcome
from market.ledger import service as ledger
from market.registry.audit import audit
from market.rules import service as rules
from market.rules.schemas import PlanIn
from tests import factories
from tests.support import history
from tests.support.market import read_for, work_for

pytestmark = pytest.mark.usefixtures("both_databases")

HERE = ("500106", "沙坪坝区")
BEGINS, ENDS = date(2021, 1, 1), date(2026, 12, 31)
TYPES = {
    "技术开发": "DEV",
    "委托开发": "DEV",
    "技术转让": "TRF",
    "技术许可": "LIC",
    "技术咨询": "CON",
    "技术服务": "SRV",
    "技术培训": "SRV",
}


@pytest.fixture
def officer(parts: Parts) -> Actor:
    officer = factories.actor(parts, Role.OFFICER)
    with work_for(parts, officer) as work:
        rules.put_plan(
            work,
            PlanIn(
                name="示范区2021–2026",
                region="500106",
                from_on=BEGINS,
                to_on=ENDS,
                baseline_fen=2_000_000_000_000,
                baseline_year=2020,
                target_fen=20_000_000_000_000,
            ),
        )
    return officer


def told(row: Mapping[str, str]) -> Iterator[str]:
    """Yield the figures that a row is part of."""
    day = row["registered_on"].translate(str.maketrans("/年月", "---")).removesuffix("日")
    registered = date.fromisoformat(day)
    seller, buyer = row["seller_region"] in HERE, row.get("buyer_region") in HERE
    if registered < BEGINS:
        if seller:
            yield f"earlier {registered.year}"
        return
    if buyer:
        yield "in"
    if not seller:
        return
    yield "out"
    yield f"year {registered.year}"
    yield f"month {registered:%Y-%m}"
    yield f"type {TYPES[row['contract_type']]}"
    names = {name: key for key, name in FIELDS.items()}
    yield f"field {names.get(row['field'], row['field'])}"
    yield f"seller {row['seller']}"
    if buyer:
        yield "both"


def by_hand(rows: list[dict[str, str]]) -> tuple[Counter[str], Counter[str]]:
    """Return fen and contracts by figure."""
    fen, contracts = Counter[str](), Counter[str]()
    for row in rows:
        amount = Decimal(row["technical"].removesuffix("万元")) * 1_000_000
        for name in told(row):
            fen[name] += int(amount)
            contracts[name] += 1
    return fen, contracts


def on_the_board(board: Board) -> tuple[Counter[str], Counter[str]]:
    figures = {"out": board.outgoing, "in": board.incoming, "both": board.both}
    for name, rows in (
        ("earlier", board.earlier),
        ("year", board.years),
        ("month", board.months),
        ("type", board.types),
        ("field", board.fields),
    ):
        figures |= {f"{name} {one.key}": one for one in rows}
    figures |= {f"seller {one.figure.label}": one.figure for one in board.sellers}
    return (
        Counter({name: one.technical_fen for name, one in figures.items()}),
        Counter({name: one.count for name, one in figures.items()}),
    )


def board_of(parts: Parts, actor: Actor) -> Board:
    with read_for(parts, actor) as work:
        found = service.board(work)
    assert found is not None
    return found


def held_against_hand(parts: Parts, officer: Actor, count: int, seed: int) -> list[Outcome]:
    here = factories.organisation(parts, name="示范本区大学")
    rows = history.generated(parts, count, seed, [here.name, "示范外来研究院", "示范研究所"])
    outcomes = history.bring_in(parts, officer, rows)
    assert set(history.effects(outcomes)) == {"created"}
    assert on_the_board(board_of(parts, officer)) == by_hand(rows)
    public = board_of(parts, ANONYMOUS)
    assert public.outgoing.technical_fen == by_hand(rows)[0]["out"]
    with read_for(parts, officer) as work:
        assert ledger.verify(work.session) == []
        assert list(audit(work.session)) == []
        ids = {one.figure.label: one.id for one in board_of(parts, officer).sellers}
        assert ids[here.name] == here.public_id
        assert ids["示范研究所"] is None
        lines = service.contracts(work, Chosen("out", outside="示范研究所"))
        assert lines.sum.technical_fen == by_hand(rows)[0]["seller 示范研究所"]
        assert all(one.origin.past for one in lines.rows)
    return outcomes


def test_a_thousand_rows(parts: Parts, officer: Actor) -> None:
    seed = secrets.randbelow(10**6)
    print(f"seed {seed}")
    held_against_hand(parts, officer, 1000, seed)


@pytest.mark.full
def test_ten_thousand_rows(
    parts: Parts, officer: Actor, both_databases: str, verified: Callable[..., None]
) -> None:
    """About a minute on each database; run alone with `--full tests/market/insight`."""
    seed, count = 20261102, 10_000
    began = time.perf_counter()
    outcomes = held_against_hand(parts, officer, count, seed)
    took = time.perf_counter() - began
    assert took < 120
    outcomes += history.bring_in(parts, officer, [history.row()])  # what was kept is past
    cold, kept = (timed(lambda: board_of(parts, ANONYMOUS)) for _ in range(2))
    assert history.undo(parts, officer, outcomes) == {}
    board = board_of(parts, officer)
    assert set(on_the_board(board)[0].values()) <= {0}
    assert ledger_is_sound(parts)
    verified(
        f"历年登记的合同导入 {both_databases}：看板每个数与逐行相加相等，再整批撤销为零",
        how_many=f"{count:,} 份",
        result=f"分毫不差；导入和核对{took:.0f}秒，公开看板{cold * 1000:.0f}毫秒，"
        f"账未变时{kept * 1000:.1f}毫秒",
        seed=seed,
    )


def ledger_is_sound(parts: Parts) -> bool:
    with parts.database.read() as session:
        return ledger.verify(session) == [] and list(audit(session)) == []


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
