"""Which achievements fit a demand: both directions, what changes, what was decided, who is found
when two come at the same moment.
"""

import random
import threading
from collections.abc import Callable
from datetime import date

import pytest

from market.accounts.policy import OrganisationKind
from market.accounts.work import Parts
from market.catalog.models import Listing, ListingRevision
from market.catalog.schemas import Price
from market.catalog.vocabulary import Mode, PriceBasis, PriceForm
from market.discovery import repository
from market.discovery.drain import drain_index, drain_matches
from market.discovery.matches import compared_with
from market.discovery.matching import MOST, Matcher
from market.discovery.models import Match, MatchChoice, MatchState
from market.discovery.reasons import Reasons
from market.discovery.tasks import rematch
from market.kit.changes import Consumer
from market.kit.ids import ListingId
from market.kit.money import FEN_PER_WAN
from search.engines.tantivy import TantivyEngine
from tests.market.discovery.conftest import FLOOR, Market

SEAM = "车架焊缝内部气孔在线检测，漏检率低于0.5%"
SEAM_BODY = "车架焊缝靠下线后抽检，内部气孔常到客户处才发现，希望在线检测气孔与未熔合。"
CAMERA = "焊缝内部气孔在线视觉检测装置"
CAMERA_BODY = "在焊枪后方用双波段相机实时识别焊缝气孔与未熔合，漏检率0.4%。"
SEED = 20261120
OTHERS = (
    "镁合金薄壁件低温快速成形工艺",
    "山区公路边坡毫米波位移监测",
    "骨科术后负重恢复评估鞋垫",
    "小型污水站污泥原位减量菌剂",
    "柑橘采后霉变近红外早期识别",
    "低温甲醇重整制氢催化剂",
)


def price(form: PriceForm, low: int | None, high: int | None) -> Price:
    low_fen, high_fen = (None if wan is None else wan * FEN_PER_WAN for wan in (low, high))
    return Price(form=form, basis=PriceBasis.TOTAL, low_fen=low_fen, high_fen=high_fen)


def pairs(market: Market, demand: Listing) -> dict[ListingId, Match]:
    with market.parts.database.read() as session:
        rows = repository.matches_of_demand(session, demand.id)
    return {row.achievement_id: row for row in rows}


def state(market: Market, demand: Listing) -> MatchState | None:
    with market.parts.database.read() as session:
        return repository.match_state(session, demand.id)


def decide(market: Market, match: Match, to: MatchChoice) -> None:
    with market.parts.database.write() as session:
        row = repository.match_by_public_id(session, match.public_id)
        assert row is not None
        repository.move_match(session, row, to)


@pytest.fixture
def peopled(market: Market) -> Market:
    school = market.organisation()
    for title in OTHERS:
        market.achievement(school, title)
    market.settle()
    return market


@pytest.mark.parametrize("first", ["demand", "achievement"])
def test_found_whichever_comes_first(peopled: Market, first: str, both_databases: str) -> None:
    school = peopled.organisation()
    firm = peopled.organisation(OrganisationKind.COMPANY)
    made: dict[str, Listing] = {}
    for kind in ("demand", "achievement") if first == "demand" else ("achievement", "demand"):
        if kind == "demand":
            made[kind] = peopled.demand(firm, SEAM, body=SEAM_BODY)
        else:
            made[kind] = peopled.achievement(school, CAMERA, body=CAMERA_BODY)
        peopled.settle()
    found = pairs(peopled, made["demand"])
    assert list(found) == [made["achievement"].id]
    reasons = Reasons.from_json(found[made["achievement"].id].explanation)
    assert "气孔" in "".join(reasons.shared)
    assert reasons.why[0].verdict in ("yes", "part")
    there = state(peopled, made["demand"])
    assert there is not None
    with peopled.parts.database.read() as session:
        assert compared_with(session, there)[0] == len(OTHERS) + 1


def test_what_changes_no_list_is_known_to_have_been_compared(peopled: Market) -> None:
    demand = peopled.demand(peopled.organisation(OrganisationKind.COMPANY), SEAM, body=SEAM_BODY)
    peopled.settle()
    before = state(peopled, demand)
    peopled.achievement(peopled.organisation(), "海水淡化反渗透膜清洗")
    peopled.settle()
    with peopled.parts.database.read() as session:
        assert repository.match_state(session, demand.id) == before
        assert compared_with(session, before)[0] == len(OTHERS) + 1


def test_where_nothing_fits_the_nearest_is_told_with_what_it_lacks(peopled: Market) -> None:
    demand = peopled.demand(
        peopled.organisation(OrganisationKind.COMPANY), "边坡上的野猪声光驱离装置"
    )
    peopled.settle()
    assert pairs(peopled, demand) == {}
    there = state(peopled, demand)
    assert there is not None
    assert there.compared == len(OTHERS)
    assert any("野猪" in "".join(one["missing"]) for one in there.nearest)


def test_stated_facts_are_reasons_and_missing_ones_are_not(market: Market) -> None:
    firm = market.organisation(OrganisationKind.COMPANY, region="500103")
    demand = market.demand(
        firm,
        SEAM,
        body=SEAM_BODY,
        field=3,
        need_maturity=7,
        modes=[Mode.PLAIN, Mode.JOINT],
        price=price(PriceForm.RANGE, 60, 90),
        deadline=date(2027, 1, 1),
    )
    full = market.achievement(
        market.organisation(region="500106"),
        CAMERA,
        body=CAMERA_BODY,
        field=3,
        maturity_level=5,
        modes=[Mode.PLAIN],
        price=price(PriceForm.FROM, 120, None),
    )
    bare = market.achievement(market.organisation(region="110101"), CAMERA, body=CAMERA_BODY)
    market.settle()
    found = pairs(market, demand)
    told = Reasons.from_json(found[full.id].explanation)
    verdicts = {reason.subject: reason.verdict for reason in told.why[1:]}
    assert verdicts == {
        "领域": "yes",
        "成熟度": "no",
        "价格": "no",
        "方式": "yes",
        "地区": "part",
    }
    assert told.against == (
        "成熟度5级，比要求的7级低2级",
        "价格最低120万元，比预算上限高30万元",
    )
    silent = Reasons.from_json(found[bare.id].explanation)
    assert [(one.subject, one.verdict) for one in silent.why[1:]] == [("地区", "none")]
    assert silent.against == ()
    # What contradicts stands behind; what is not stated costs nothing.
    assert list(found) == [bare.id, full.id]


@pytest.mark.parametrize(
    ("budget", "asked", "verdict"),
    [
        (price(PriceForm.UP_TO, None, 80), price(PriceForm.FIXED, 80, 80), "yes"),
        (price(PriceForm.FIXED, 80, 80), price(PriceForm.UP_TO, None, 60), "yes"),
        (price(PriceForm.RANGE, 50, 80), price(PriceForm.RANGE, 60, 100), "part"),
        (price(PriceForm.RANGE, 50, 80), price(PriceForm.FROM, 60, None), "part"),
        (price(PriceForm.RANGE, 50, 80), price(PriceForm.FIXED, 81, 81), "no"),
        (price(PriceForm.FROM, 50, None), price(PriceForm.FIXED, 81, 81), None),
        (price(PriceForm.NONE, None, None), price(PriceForm.FIXED, 81, 81), None),
        (price(PriceForm.RANGE, 50, 80), price(PriceForm.NONE, None, None), None),
        (
            price(PriceForm.RANGE, 50, 80),
            Price(form=PriceForm.FIXED, basis=PriceBasis.YEAR, low_fen=1, high_fen=1),
            None,
        ),
    ],
)
def test_price_against_budget(
    market: Market, budget: Price, asked: Price, verdict: str | None
) -> None:
    demand = market.demand(
        market.organisation(OrganisationKind.COMPANY), SEAM, body=SEAM_BODY, price=budget
    )
    achievement = market.achievement(market.organisation(), CAMERA, body=CAMERA_BODY, price=asked)
    market.settle()
    told = Reasons.from_json(pairs(market, demand)[achievement.id].explanation)
    found = [reason.verdict for reason in told.why if reason.subject == "价格"]
    assert found == ([] if verdict is None else [verdict])


def test_an_edit_that_no_longer_fits_takes_the_pair_away(peopled: Market) -> None:
    school = peopled.organisation()
    achievement = peopled.achievement(school, CAMERA, body=CAMERA_BODY)
    demand = peopled.demand(peopled.organisation(OrganisationKind.COMPANY), SEAM, body=SEAM_BODY)
    peopled.settle()
    assert list(pairs(peopled, demand)) == [achievement.id]
    peopled.edit(school, achievement, "茶叶外观分级相机", 1, body="按外形与色泽分级")
    peopled.settle()
    assert pairs(peopled, demand) == {}


def test_withdrawn_matches_go_and_come_back_and_decisions_stay(peopled: Market) -> None:
    school = peopled.organisation()
    firm = peopled.organisation(OrganisationKind.COMPANY)
    kept = peopled.achievement(school, CAMERA, body=CAMERA_BODY)
    other = peopled.achievement(school, "焊缝气孔在线检测仪", body=CAMERA_BODY)
    demand = peopled.demand(firm, SEAM, body=SEAM_BODY)
    peopled.settle()
    decide(peopled, pairs(peopled, demand)[kept.id], MatchChoice.SUITABLE)
    peopled.withdraw(school, kept)
    peopled.withdraw(school, other)
    peopled.settle()
    assert {key: row.state for key, row in pairs(peopled, demand).items()} == {
        kept.id: MatchChoice.SUITABLE
    }
    peopled.edit(school, kept, CAMERA, 1, body=CAMERA_BODY + "已在产线试用。")
    peopled.edit(school, other, "焊缝气孔在线检测仪", 1, body=CAMERA_BODY + "改进。")
    peopled.settle()
    found = pairs(peopled, demand)
    assert found[kept.id].state == MatchChoice.SUITABLE
    assert found[kept.id].achievement_version == 3
    assert found[other.id].state == MatchChoice.NEW
    assert next(iter(found)) == kept.id


def test_the_list_is_capped_and_filled_up_again(market: Market) -> None:
    school = market.organisation()
    demand = market.demand(market.organisation(OrganisationKind.COMPANY), SEAM, body=SEAM_BODY)
    made = [
        market.achievement(school, f"{CAMERA}第{n}型", body=CAMERA_BODY) for n in range(MOST + 3)
    ]
    market.settle()
    found = pairs(market, demand)
    assert len(found) == MOST
    left_out = {one.id for one in made} - found.keys()
    unsuitable = next(iter(found))
    decide(market, found[unsuitable], MatchChoice.UNSUITABLE)
    gone = next(one for one in made if one.id in found and one.id != unsuitable)
    market.withdraw(school, gone)
    market.settle()
    again = pairs(market, demand)
    assert len([row for row in again.values() if row.state == MatchChoice.NEW]) == MOST
    assert gone.id not in again
    assert left_out & again.keys()


def test_one_by_one_makes_the_lists_that_all_at_once_make(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newcomer is compared with what stands in the lists it may enter, not with all."""
    monkeypatch.setattr("market.discovery.matching.MOST", 5)
    monkeypatch.setattr("market.discovery.matching.GROWTH", 10**9)  # one count of the terms for all
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    school, firm = market.organisation(), market.organisation(OrganisationKind.COMPANY)
    parts = [part for title in (CAMERA, *OTHERS) for part in (title[:4], title[4:8], title[8:])]
    demands = [
        market.demand(firm, "".join(chance.sample(parts, 3)), body=SEAM_BODY) for _ in range(8)
    ]
    market.settle()
    offered: list[Listing] = []
    for number in range(36):
        fields = chance.sample(range(1, 12), 1)[0]
        title = "".join(chance.sample(parts, 3)) + f"{number}型"
        offered.append(market.achievement(school, title, field=fields, body=CAMERA_BODY[:number]))
        if chance.random() < 0.1:
            market.withdraw(school, offered.pop(chance.randrange(len(offered))))
        if chance.random() < 0.4:
            market.settle()
    market.settle()

    def lists() -> list[list[tuple[ListingId, float]]]:
        return [
            [(one, round(row.score, 9)) for one, row in pairs(market, demand).items()]
            for demand in demands
        ]

    found = lists()
    assert max(map(len, found)) == 5
    with market.parts.database.write() as session:
        rematch(session, at=market.parts.clock.now())
    market.settle()
    assert found == lists()


def test_a_broken_row_holds_up_no_other(peopled: Market) -> None:
    """A price that starts nowhere: no form lets it in, so it is written past them."""
    firm = peopled.organisation(OrganisationKind.COMPANY)
    broken = peopled.achievement(
        peopled.organisation(), CAMERA, body=CAMERA_BODY, price=price(PriceForm.FROM, 9, None)
    )
    with peopled.parts.database.write() as session:
        row = session.get_one(ListingRevision, broken.public_revision_id)
        row.price_low_fen = None
        session.add(row)
    budget = price(PriceForm.UP_TO, None, 50)
    peopled.demand(firm, SEAM, body=SEAM_BODY, price=budget)
    other = peopled.demand(firm, "柑橘采后霉变早期识别", price=budget)
    peopled.settle()
    assert len(pairs(peopled, other)) == 1
    with peopled.parts.database.read() as session:
        assert repository.owed(session, Consumer.MATCH, up_to_change=10_000) == 2


@pytest.mark.parametrize("rounds", [20, pytest.param(200, marks=pytest.mark.full)])
def test_published_at_the_same_moment_the_pair_is_found_each_time(
    parts: Parts,
    open_engine: Callable[..., TantivyEngine],
    market: Market,
    both_databases: str,
    rounds: int,
    verified: Callable[..., None],
) -> None:
    """Two publishers, an indexer and a matcher, all at once; each pair on a subject of its own."""
    chance = random.Random(SEED)
    subjects = [
        "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in "六个随机的字")
        for _ in range(rounds)
    ]
    school = market.organisation()
    firm = market.organisation(OrganisationKind.COMPANY)
    market.person_of(school), market.person_of(firm)
    reader, matcher = open_engine(read_only=True), Matcher(FLOOR)
    start, stop = threading.Barrier(2), threading.Event()
    made: dict[str, list[Listing]] = {"demand": [], "achievement": []}
    failures: list[BaseException] = []

    def guarded(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)
            start.abort()
            raise

    def publish(kind: str) -> None:
        post = market.demand if kind == "demand" else market.achievement
        at = firm if kind == "demand" else school
        for n in range(rounds):
            start.wait(60)
            made[kind].append(post(at, f"{subjects[n]}在线检测", body=f"针对{subjects[n]}。"))

    def until_stopped(drain: Callable[[], int]) -> None:
        while not stop.is_set():
            if not drain():
                stop.wait(0.005)

    background = [
        lambda: until_stopped(lambda: drain_index(parts, market.engine)),
        lambda: until_stopped(lambda: drain_matches(parts, reader, matcher)),
    ]
    publishers = [
        threading.Thread(target=guarded, args=(lambda kind=kind: publish(kind),)) for kind in made
    ]
    helpers = [threading.Thread(target=guarded, args=(work,)) for work in background]
    for thread in (*helpers, *publishers):
        thread.start()
    for thread in publishers:
        thread.join()
    stop.set()
    for thread in helpers:
        thread.join()
    assert failures == []
    market.settle()
    missed = sum(
        achievement.id not in pairs(market, demand)
        for demand, achievement in zip(made["demand"], made["achievement"], strict=True)
    )
    assert missed == 0
    verified(
        "成果和需求同时发布，配对每次都找到",
        how_many=f"{rounds} 次，{both_databases}",
        result="遗漏0次",
        seed=SEED,
    )
