"""Decisions on matches move the others, what was shown is counted, and the whole market is matched
anew.
"""

from datetime import timedelta

import pytest
from sqlmodel import select

from market.accounts.models import Organisation
from market.accounts.policy import OrganisationKind
from market.catalog.models import Listing
from market.deals import contracts
from market.deals.schemas import SignIn
from market.discovery import bands, matches, quality, repository, retention, tasks
from market.discovery import repository_judged as judged
from market.discovery.drain import DUE, drain_matches, left_to_do
from market.discovery.matching import Matcher
from market.discovery.models import Match, MatchChoice, MatchShown, UnsuitableReason
from market.discovery.reasons import Reasons
from market.discovery.schemas import DecisionIn
from market.kit.errors import Forbidden
from market.kit.ids import ListingId
from market.kit.jobs import Runner
from search.feedback import Feedback
from tests.market.discovery.conftest import FLOOR, Market
from tests.support.market import read_for, work_for
from tests.support.trade import agreed, drafted, trade

WANTED = "车架焊缝气孔在线检测"
BODY = "下线后抽检，希望在线识别气孔与未熔合，漏检率低于0.5%。"
CAMERAS = [f"焊缝气孔在线检测的双波段相机视觉识别{end}" for end in ("装置", "方法", "系统")]
SOUNDS = [f"焊缝气孔在线检测的超声波相控阵探伤{end}" for end in ("装置", "方法", "系统")]
OTHERS = ("镁合金薄壁件成形", "柑橘霉变早期识别", "低温甲醇制氢催化剂", "污泥原位减量菌剂")


class Judging:
    """A demand that two families of achievements fit, the cameras better."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.school = market.organisation()
        self.firm = market.organisation(OrganisationKind.COMPANY)
        for title in OTHERS:
            market.achievement(self.school, title)
        self.cameras = [market.achievement(self.school, title).id for title in CAMERAS]
        self.sounds = [market.achievement(self.school, title).id for title in SOUNDS]
        self.demand = market.demand(self.firm, WANTED, body=BODY)
        market.settle()

    def rows(self, demand: Listing | None = None) -> dict[ListingId, Match]:
        with self.market.parts.database.read() as session:
            found = repository.matches_of_demand(session, (demand or self.demand).id)
        return {row.achievement_id: row for row in found}

    def order(self, demand: Listing | None = None) -> list[str]:
        """Of those that wait, c for a camera and s for a sound, the best first."""
        rows = self.rows(demand).values()
        waiting = [row for row in rows if row.state == MatchChoice.NEW]
        return ["c" if row.achievement_id in self.cameras else "s" for row in waiting]

    def decide(self, achievement: ListingId, decision: str, at: Organisation | None = None) -> None:
        reason = UnsuitableReason.ROUTE if decision == "unsuitable" else None
        with work_for(self.market.parts, self.market.person_of(at or self.firm)) as work:
            match = self.rows()[achievement]
            form = DecisionIn.model_validate({"decision": decision, "reason": reason})
            matches.decide(work, match.public_id, form)


@pytest.fixture
def judging(market: Market) -> Judging:
    return Judging(market)


def test_a_decline_moves_what_is_like_it_behind(judging: Judging, both_databases: str) -> None:
    assert judging.order() == ["c", "c", "c", "s", "s", "s"]
    judging.decide(judging.cameras[0], "unsuitable")
    judging.market.match()
    assert judging.order()[:2] == ["s", "s"]
    # Taken back, all is as before: nothing was learnt for good.
    judging.decide(judging.cameras[0], "undecided")
    judging.market.match()
    assert judging.order() == ["c", "c", "c", "s", "s", "s"]


def test_what_was_taken_brings_its_like_forward(judging: Judging) -> None:
    def lead(rows: dict[ListingId, Match]) -> float:
        return rows[judging.sounds[1]].score - rows[judging.cameras[1]].score

    before = lead(judging.rows())
    judging.decide(judging.sounds[0], "suitable")
    judging.market.match()
    assert lead(judging.rows()) > before
    bands_before = {key: row.band for key, row in judging.rows().items()}
    judging.decide(judging.cameras[0], "unsuitable")
    judging.market.match()
    after = {key: row.band for key, row in judging.rows().items()}
    assert after == bands_before, "decisions move the order and not the band"


def test_it_can_be_turned_off(judging: Judging) -> None:
    judging.market.matcher = Matcher(FLOOR, feedback=False)
    judging.decide(judging.cameras[0], "unsuitable")
    judging.market.match()
    assert judging.order() == ["c", "c", "s", "s", "s"]


def test_an_equal_demand_learns_and_another_does_not(judging: Judging) -> None:
    other_firm = judging.market.organisation(OrganisationKind.COMPANY)
    equal = judging.market.demand(other_firm, WANTED, body=BODY + "请与我们联系。")
    apart = judging.market.demand(other_firm, "焊缝相机在线检测", body="锅炉厂的管道焊缝。")
    judging.market.settle()
    before = {key: row.score for key, row in judging.rows(apart).items()}
    assert before
    assert judging.order(equal)[0] == "c"
    for camera in judging.cameras:
        judging.decide(camera, "unsuitable")
    for sound in judging.sounds:
        judging.decide(sound, "suitable")
    judging.market.match()
    assert judging.order(equal)[:3] == ["s", "s", "s"]
    assert all(row.state == MatchChoice.NEW for row in judging.rows(equal).values())
    assert {key: row.score for key, row in judging.rows(apart).items()} == before


def test_a_newcomer_is_ranked_by_what_is_known(judging: Judging) -> None:
    for camera in judging.cameras:
        judging.decide(camera, "unsuitable")
    judging.market.match()
    new = judging.market.achievement(judging.school, "焊缝气孔在线检测的双波段相机视觉识别终端")
    judging.cameras.append(new.id)
    judging.market.settle()
    assert judging.order() == ["s", "s", "s", "c"]


def test_what_nobody_sees_any_more_says_nothing(judging: Judging) -> None:
    judging.decide(judging.cameras[0], "unsuitable")
    judging.market.match()
    gone = listing_of(judging, judging.cameras[0])
    judging.market.withdraw(judging.school, gone)
    judging.market.settle()
    assert judging.order() == ["c", "c", "s", "s", "s"]


def listing_of(judging: Judging, listing_id: ListingId) -> Listing:
    with judging.market.parts.database.read() as session:
        return session.get_one(Listing, listing_id)


def test_asking_and_a_contract_count_more(judging: Judging) -> None:
    sound = judging.sounds[0]
    with work_for(judging.market.parts, judging.market.person_of(judging.firm)) as work:
        matches.note_asked(work, sound, judging.firm.id)
    judging.market.match()
    asked = judging.rows()
    assert asked[sound].state == MatchChoice.ASKED
    with work_for(judging.market.parts, judging.market.person_of(judging.firm)) as work:
        matches.note_dealt(work, sound, None, judging.firm.id)
        matches.note_dealt(work, judging.cameras[0], judging.demand.id, judging.firm.id)
        matches.note_dealt(work, None, judging.demand.id, judging.firm.id)
    judging.market.match()
    dealt = judging.rows()
    assert dealt[sound].dealt_at is not None
    assert dealt[sound].state == MatchChoice.ASKED
    # A broker had brought them together: it waits for no decision any more.
    assert dealt[judging.cameras[0]].state == MatchChoice.ASKED
    like = judging.sounds[1]
    assert dealt[like].score > asked[like].score


def test_signing_a_contract_is_noted_on_the_match(market: Market) -> None:
    world = trade(market.parts, state_founded=False)
    market.settle()
    deal = agreed(world)
    form = SignIn(contract=drafted(world, deal).public_id, differences_known=True)
    for side in (world.seller, world.buyer):
        with work_for(market.parts, side) as work:
            contracts.sign(work, deal.public_id, form)
    with market.parts.database.read() as session:
        (row,) = repository.matches_of_demand(session, world.demand.id)
        assert row.dealt_at is not None
        assert [one.judged for one in judged.due(session, DUE)] == [True]


def test_a_demand_that_cannot_be_compared_holds_up_no_other(
    judging: Judging, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = judging.market.demand(judging.firm, "柑橘采后霉变早期识别")
    judging.market.settle()
    judging.decide(judging.cameras[0], "unsuitable")
    whole = Feedback.change
    monkeypatch.setattr(Feedback, "change", lambda *_: 1 / 0)
    with judging.market.parts.database.write() as session:
        judged.owe(session, [other.id], judged=False, since=judging.market.parts.clock.now())
    judging.market.match()
    monkeypatch.setattr(Feedback, "change", whole)
    assert "cannot be compared" in caplog.text
    assert left_to_do(judging.market.parts).match == 0
    assert judging.rows(other)


# --------------------------------------------------------------------------------- the whole market


def test_the_whole_market_is_matched_anew(judging: Judging, both_databases: str) -> None:
    """In chunks, cut off in between, asked for twice; the reasons are told anew as well."""
    parts, market = judging.market.parts, judging.market
    with parts.database.write() as session:
        row = repository.match_by_public_id(session, judging.rows()[judging.sounds[0]].public_id)
        assert row is not None
        row.explanation = Reasons((), (), (), ()).to_json()
        row.score = 0.9
        session.add(row)
    judging.decide(judging.cameras[0], "suitable")
    market.match()
    assert judging.rows()[judging.sounds[0]].explanation["shared"] == []
    with parts.database.write() as session:
        assert tasks.rematch(session, at=parts.clock.now())
        assert not tasks.rematch(session, at=parts.clock.now())
    assert left_to_do(parts).jobs == 1
    Runner(parts.database, parts.clock, tasks.handlers(parts)).run_one()
    assert left_to_do(parts).match == 1
    market.matcher = Matcher(FLOOR)  # a worker that was killed, and the next
    market.match()
    assert left_to_do(parts).total == 0
    told = judging.rows()
    assert "气孔" in "".join(told[judging.sounds[0]].explanation["shared"])
    assert told[judging.sounds[0]].score < 0.9
    assert told[judging.cameras[0]].state == MatchChoice.SUITABLE


def test_it_goes_on_where_it_was_cut_off(judging: Judging, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = judging.market.parts
    more = [judging.market.demand(judging.firm, f"{WANTED}第{n}线") for n in range(4)]
    demands = [judging.demand.id, *(one.id for one in more)]
    judging.market.settle()
    monkeypatch.setattr(tasks, "CHUNK", 2)
    with parts.database.write() as session:
        tasks.rematch(session, at=parts.clock.now())
    stopped = Runner(parts.database, parts.clock, tasks.handlers(parts), stopping=lambda: True)
    stopped.run_one()
    with parts.database.read() as session:
        assert [row.demand_id for row in judged.due(session, DUE)] == demands[:2]
    judging.market.match()
    runner = Runner(parts.database, parts.clock, tasks.handlers(parts))
    while runner.run_one():
        pass
    with parts.database.read() as session:
        assert [row.demand_id for row in judged.due(session, DUE)] == demands[2:]


def test_what_comes_while_a_demand_is_compared_is_not_lost(judging: Judging) -> None:
    parts = judging.market.parts
    now = parts.clock.now()
    with parts.database.write() as session:
        judged.owe(session, [judging.demand.id], judged=False, since=now)
    with parts.database.read() as session:
        read = [(row.demand_id, row.since) for row in judged.due(session, DUE)]
    with parts.database.write() as session:
        judged.owe(session, [judging.demand.id], judged=True, since=now + timedelta(microseconds=1))
        judged.done(session, read)
    with parts.database.read() as session:
        assert [row.judged for row in judged.due(session, DUE)] == [True]


def test_only_operators_ask_for_it(judging: Judging) -> None:
    with (
        pytest.raises(Forbidden),
        work_for(judging.market.parts, judging.market.person_of(judging.firm)) as work,
    ):
        tasks.ask_rematch(work)


# ----------------------------------------------------------------------------------- what was shown


def look(judging: Judging, at: Organisation | None = None) -> None:
    parts = judging.market.parts
    with read_for(parts, judging.market.person_of(at or judging.firm)) as work:
        matches.note_shown(work, matches.matches_of(work, judging.demand.public_id))
    parts.journal.flush()


def shown(judging: Judging) -> dict[ListingId, MatchShown]:
    with judging.market.parts.database.read() as session:
        rows = session.exec(select(MatchShown)).all()
    return {row.achievement_id: row for row in rows}


def test_the_log_keeps_ranks_and_nobody_s_name(judging: Judging, both_databases: str) -> None:
    look(judging)
    first = shown(judging)
    order = list(judging.rows())
    assert [first[one].rank for one in order] == list(range(1, 7))
    assert not [name for name in MatchShown.model_fields if "person" in name or "by" in name]
    judging.decide(order[0], "unsuitable")
    judging.decide(order[3], "suitable")
    judging.market.match()
    look(judging)
    again = shown(judging)
    assert again[order[0]].rank == 1, "where it stood when it was decided on"
    assert sorted(row.rank for key, row in again.items() if key not in (order[0], order[3])) == [
        *range(1, 5)
    ]
    with judging.market.parts.database.read() as session:
        found = quality.quality(session)
    assert (found.whole.shown, found.whole.accepted, found.whole.declined) == (6, 1, 1)
    by_rank = {row.label: row for row in found.ranks}
    assert by_rank["第1项"].declined == 1
    assert by_rank["第4至10项"].accepted == 1
    assert by_rank["第4至10项"].rate == 1.0
    assert sum(row.shown for row in found.bands) == 6


def test_what_was_shown_is_forgotten_in_time(judging: Judging) -> None:
    look(judging)
    now = judging.market.parts.clock.now()
    keep = next(one for one in retention.KEEPS if "匹配页" in one.what)
    with judging.market.parts.database.write() as session:
        assert keep.expire(session, now + retention.SHOWN, 4) == 0
        late = now + retention.SHOWN + timedelta(seconds=1)
        assert [keep.expire(session, late, 4) for _ in range(3)] == [4, 2, 0]
    assert shown(judging) == {}


def test_live_figures_wait_for_200_decisions_and_are_rounded(
    judging: Judging, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(band: str, accepted: int, declined: int) -> judged.Acceptance:
        return judged.Acceptance(1, band, accepted + declined, accepted, declined)

    rows = [found("likely", 100, 99)]
    monkeypatch.setattr(judged, "acceptance", lambda _: rows)
    with judging.market.parts.database.read() as session:
        assert quality.live(session) == ()
        rows[:] = [found("likely", 100, 104), found("", 10, 30)]
        (row,) = quality.live(session)
    assert (row.label, row.decided) == ("可能", 240 - 40)
    assert row.rate == 0.49


# ------------------------------------------------------------------------------------------- bands


def test_bands_stand_as_they_were_measured() -> None:
    found = bands.measured().calibration
    likely = next(one for one in found.bands if one.name == "likely")
    assert likely.least is not None
    assert bands.band(likely.least) == "likely"
    assert bands.band(likely.least - 0.0001) == ""
    for one in found.bands:
        if one.least is not None:
            assert one.pairs >= 50
            assert one.rate >= one.asked
        assert one.low <= one.rate <= one.high


def test_drain_says_when_there_is_nothing_to_do(judging: Judging) -> None:
    market = judging.market
    assert drain_matches(market.parts, market.engine, market.matcher) == 0
