"""Comparable deals: no band under five, and no two answers that together single out a price."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest
from sqlmodel import select

from market.accounts.policy import Role
from market.accounts.work import Actor, Parts
from market.catalog.models import Listing
from market.catalog.schemas import AchievementIn
from market.catalog.vocabulary import FIELDS
from market.deals.models import Contract as Paper
from market.deals.vocabulary import ContractType
from market.kit.clock import local_date
from market.kit.money import fen_to_wan
from market.ledger.models import Kind, Transaction
from market.registry import comparables, service
from market.registry.comparables import Comparables, Group
from market.registry.models import PastRegistration, Registration
from market.registry.models_comparables import ComparableGroup, ComparableMember
from market.registry.repository import Filed
from market.registry.schemas import ChangeIn, UndoIn
from tests import factories
from tests.support import history, papers
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for
from tests.support.trade import WAN, published

TOPICS = ("焊缝检测", "污泥减量", "隧道照明", "糖度快检", "螺栓松动", "气孔识别", "膜法水处理")
OBJECTS = ("装置", "方法", "系统", "软件", "传感器", "算法", "材料", "工艺")
KINDS = ("技术许可", "技术转让", "技术开发")
TYPES = (ContractType.LIC, ContractType.TRF, ContractType.DEV)
FLOOR = 5
FIELDS_USED = (3, 7)
QUARTERS = ("2026-04-02", "2026-07-02", "2026-10-02", "2027-01-05")

Signature = tuple[object, ...]


@dataclass(frozen=True)
class Contract:
    """What was said of a counted contract, as the raw tables have it, apart from what groups it.

    `last`: nothing was said of it since.
    """

    id: int
    fen: int
    public: bool
    last: bool = True


@dataclass(frozen=True)
class Query:
    """An answer, and all that was counted at the time."""

    quarter: str
    known: Mapping[int, Contract]
    answer: Comparables


def title(chance: random.Random) -> str:
    return "".join([chance.choice(TOPICS), chance.choice(TOPICS), chance.choice(OBJECTS)])


def register(parts: Parts, officer: Actor, chance: random.Random, count: int, run: int) -> None:
    rows = [
        history.row(
            project_name=f"{title(chance)}{n}",
            contract_type=chance.choice(KINDS),
            field=FIELDS[chance.choice(FIELDS_USED)],
            total=(price := fen_to_wan(int(10 ** chance.uniform(6.5, 9.5)))),
            technical=price,
            registered_on="2026-01-20",
            signed_on="2026-01-10",
        )
        for n in range(count)
    ]
    history.bring_in(parts, officer, rows, run=run)


def register_here(
    parts: Parts, pair: papers.Sides, chance: random.Random, count: int
) -> list[Filed]:
    """Return contracts of this market, registered on the day."""
    return [
        papers.registered(
            parts,
            pair,
            project=f"{title(chance)}{n}",
            kind=chance.choice(TYPES),
            field=chance.choice(FIELDS_USED),
            total=(price := int(10 ** chance.uniform(6.5, 9.5))),
            technical=price,
            on=local_date(parts.clock.now()),
        )
        for n in range(count)
    ]


def change(parts: Parts, pair: papers.Sides, filed: Filed, fen: int) -> None:
    with work_for(parts, pair.officer) as work:
        form = ChangeIn(total_fen=fen, technical_fen=fen, reason="补充协议")
        service.change(work, filed.row.public_id, form)


def make_public(parts: Parts, filed: Filed) -> None:
    with parts.database.write() as session:
        paper = session.get_one(Paper, filed.contract.id)
        paper.seller_agrees_public = paper.buyer_agrees_public = True


def take_back(parts: Parts, pair: papers.Sides, filed: Filed) -> None:
    with work_for(parts, pair.officer) as work:
        service.undo(work, filed.row.public_id, UndoIn(reason="抄错了"))


def disturb(parts: Parts, pair: papers.Sides, chance: random.Random, here: list[Filed]) -> None:
    """Let contracts registered before be changed, published and taken back."""
    chance.shuffle(here)
    for filed in [here.pop() for _ in range(6)]:
        how = chance.randrange(3)
        if how == 0:
            change(parts, pair, filed, int(10 ** chance.uniform(6.5, 9.5)))
        elif how == 1:
            make_public(parts, filed)
        else:
            take_back(parts, pair, filed)


def form(parts: Parts) -> int:
    with parts.database.write() as session:
        return comparables.form(session, parts.clock.now())


def contracts(parts: Parts) -> dict[int, Contract]:
    """Return all that was said of contracts, by its transaction."""
    with parts.database.read() as session:
        papers_of = {row.id: row for row in session.exec(select(Paper))}
        open_ones = {
            row.transaction_id for row in session.exec(select(PastRegistration)) if row.public
        } | {
            row.transaction_id
            for row in session.exec(select(Registration))
            if papers_of[row.contract_id].seller_agrees_public
        }
        rows = session.exec(select(Transaction)).all()
        followed = {row.previous_id for row in rows}
        return {
            row.id: Contract(
                row.id,
                row.total_fen,
                (row.register_id or row.id) in open_ones,
                row.id not in followed,
            )
            for row in rows
            if row.kind != Kind.REVERSE
        }


def listings(parts: Parts, owner: Actor, chance: random.Random, count: int) -> list[Listing]:
    modes = ("普通许可", "专利转让", "合作开发", "独占许可")
    return [
        published(
            parts,
            owner,
            AchievementIn.model_validate(
                {
                    "title": title(chance),
                    "field": chance.choice(FIELDS_USED),
                    "modes": chance.sample(modes, chance.randrange(0, 3)),
                }
            ),
        )
        for _ in range(count)
    ]


def members(parts: Parts) -> Callable[[Group], Mapping[int, Sequence[int]]]:
    """Return how to look up which contracts stand behind each band of a group."""
    found: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    with parts.database.read() as session:
        for row in session.exec(select(ComparableMember)):
            found[row.group_id][row.band].append(row.transaction_id)
    return lambda group: found[group.id]


def wrong(
    one: Mapping[int, Signature], other: Mapping[int, Signature], private: Collection[int]
) -> list[str]:
    """Return how two answers together single contracts out.

    Each says of a contract in which band of which statement it is. Contracts of which both say the
    same cannot be told apart; every such class must have FLOOR contracts with private sums.
    """
    classes = Counter((one.get(key), other.get(key)) for key in {**one, **other} if key in private)
    return [f"{count}: {signature}" for signature, count in classes.items() if count < FLOOR]


def told(
    answer: Comparables, behind: Callable[[Group], Mapping[int, Sequence[int]]]
) -> dict[int, Signature]:
    """Return of each contract behind an answer what the answer says of it."""
    return {
        key: (group.until, group.contract_type, group.field, group.bands, place, group.id)
        for group in answer.groups
        for place in range(len(group.bands))
        for key in behind(group)[place]
    }


def private_when_told(
    queries: Sequence[Query], telling: Sequence[Mapping[int, Signature]], first: int, second: int
) -> set[int]:
    """Return what was private when it was told of last: what is published later, no answer hides
    any more.
    """
    return {
        key
        for key in {**telling[first], **telling[second]}
        if not queries[second if key in telling[second] else first].known[key].public
    }


def asked(parts: Parts, clock: FakeClock, seed: int, per_quarter: int) -> Iterator[Query]:
    """Yield every answer to every listing, at the beginning of each quarter, as contracts come."""
    chance = random.Random(seed)
    officer = factories.actor(parts, Role.OFFICER)
    owner = factories.actor(parts, Role.MANAGER, factories.organisation(parts, self_publish=True))
    clock.set_local("2026-01-25 09:00")
    own = listings(parts, owner, chance, per_quarter)
    pair, here = papers.sides(parts), list[Filed]()
    for n, quarter in enumerate(QUARTERS):
        register(parts, officer, chance, chance.randrange(90, 160), n + 1)
        here += register_here(parts, pair, chance, 12)
        disturb(parts, pair, chance, here)
        clock.set_local(f"{quarter} 09:00")
        while form(parts):
            pass
        disturb(parts, pair, chance, here)
        known = contracts(parts)
        for listing in own:
            with read_for(parts, owner) as work:
                answer = comparables.of_listing(work, listing.public_id)
            yield Query(quarter, known, answer)


def check(parts: Parts, clock: FakeClock, pairs: int, per_quarter: int) -> tuple[int, int, int]:
    """Hold `pairs` pairs of answers against the raw contracts. Return (answers, bands, seed)."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    queries = list(asked(parts, clock, seed, per_quarter))
    behind = members(parts)
    bands = 0
    for query in queries:
        for group in query.answer.groups:
            by_band = behind(group)
            assert len(by_band) == len(group.bands) > 1
            for place, band in enumerate(group.bands):
                inside = [query.known[key] for key in by_band[place]]
                assert band.count == len(inside)
                assert sum(not one.public for one in inside) >= FLOOR
                assert all(one.last for one in inside)
                assert all(
                    (band.low or 0) <= one.fen and (band.high is None or one.fen < band.high)
                    for one in inside
                )
                bands += 1
    chance = random.Random(seed + 1)
    telling = [told(query.answer, behind) for query in queries]
    for _ in range(pairs):
        first, second = chance.randrange(len(queries)), chance.randrange(len(queries))
        first, second = sorted((first, second))
        private = private_when_told(queries, telling, first, second)
        assert wrong(telling[first], telling[second], private) == []
    return len(queries), bands, seed


def test_1000_pairs_of_queries_single_out_no_price(parts: Parts, clock: FakeClock) -> None:
    answers, bands, _ = check(parts, clock, pairs=1_000, per_quarter=30)
    assert answers == 30 * len(QUARTERS)
    assert bands > answers  # there was something to find out


@pytest.mark.full
def test_10000_pairs_of_queries_single_out_no_price(
    parts: Parts, clock: FakeClock, verified: Callable[..., None]
) -> None:
    answers, bands, seed = check(parts, clock, pairs=10_000, per_quarter=120)
    assert answers == 120 * len(QUARTERS)
    assert bands > answers
    verified(
        "可比交易：每档不少于5件，两次回答之差不显出任何一件的价格",
        how_many=f"10,000对回答，出自{answers}次查询、{bands}个价格档",
        result="没有一档少于5件，没有一对显出少于5件",
        seed=seed,
    )


def test_the_check_finds_answers_made_of_nearest_neighbours() -> None:
    """What this is not: bands of five and more over the contracts nearest to each listing."""
    private = range(1, 14)

    def nearest(these: range) -> dict[int, Signature]:
        return {n: ("低" if n < 7 else "高", len(these)) for n in these}

    assert wrong(nearest(range(2, 12)), nearest(range(2, 13)), private)
    assert not wrong(nearest(range(2, 12)), nearest(range(2, 12)), private)


def test_a_group_is_not_shown_once_a_contract_of_it_is_taken_out(
    parts: Parts, clock: FakeClock
) -> None:
    chance = random.Random(7)
    officer = factories.actor(parts, Role.OFFICER)
    owner = factories.actor(parts, Role.MANAGER, factories.organisation(parts, self_publish=True))
    clock.set_local("2026-01-25 09:00")
    rows = [
        history.row(
            project_name=f"焊缝检测装置{n}",
            contract_type="技术许可",
            total=str(price),
            technical=str(price),
            registered_on="2026-01-20",
            signed_on="2026-01-10",
        )
        for n, price in enumerate(chance.sample(range(3, 400), 15))
    ]
    outcomes = history.bring_in(parts, officer, rows)
    listing = welding(parts, owner)

    def shown() -> int:
        with read_for(parts, owner) as work:
            return len(comparables.of_listing(work, listing.public_id).groups)

    assert form(parts) == 0  # the quarter is not over
    clock.set_local("2026-04-01 03:00")
    assert form(parts) == 1
    assert form(parts) == 0
    assert shown() == 1
    with parts.database.read() as session:
        before = [row.bands for row in session.exec(select(ComparableGroup))]
    history.undo(parts, officer, outcomes[:1])
    assert shown() == 0
    clock.set_local("2026-07-01 03:00")
    assert form(parts) == 0
    with parts.database.read() as session:
        assert [row.bands for row in session.exec(select(ComparableGroup))] == before


def welding(parts: Parts, owner: Actor) -> Listing:
    return published(
        parts,
        owner,
        AchievementIn.model_validate(
            {"title": "焊缝检测装置", "field": 3, "modes": ["普通许可", "专利转让"]}
        ),
    )


def test_bands_are_the_same_edges_for_everyone_and_open_at_the_ends() -> None:
    def of(*wan: float) -> list[tuple[int | None, int | None, int]]:
        found = comparables.bands_of(
            comparables.Candidate(n, "", int(one * WAN))  # type: ignore[arg-type]
            for n, one in enumerate(wan)
        )
        return [(one.low, one.high, one.count) for one in found]

    assert of(3, 4, 12, 13) == []
    assert of(*[12] * 5, *[80] * 5) == [(None, 20 * WAN, 5), (20 * WAN, None, 5)]
    assert of(*[12] * 5, 80, 80, 300, 300, 900) == [(None, 20 * WAN, 5), (20 * WAN, None, 5)]
    assert of(*[12] * 5, 80, 300) == [(None, None, 7)]
    # A price within its band may be any other of it without changing anything.
    assert of(*[12] * 4, 19.99, *[80] * 5) == of(*[12] * 5, *[80] * 5)
