"""Comparable deals of contracts that are changed, published, or registered for a closed month."""

from collections.abc import Sequence
from datetime import date

from sqlmodel import select

from market import jobs, retention
from market.accounts.policy import Role
from market.accounts.work import Actor, Parts
from market.catalog.models import Listing
from market.deals.vocabulary import ContractType
from market.kit.clock import local_date
from market.kit.jobs import Job, JobState, Runner
from market.ledger.tasks import close
from market.operations import marks
from market.registry import comparables
from market.registry.comparables import Comparables
from market.registry.models_comparables import ComparableGroup
from market.registry.repository import Filed
from market.registry.tasks import COMPARABLES
from tests import factories
from tests.market.registry.test_comparables import change, form, make_public, welding
from tests.support import papers
from tests.support.clock import FakeClock
from tests.support.market import read_for
from tests.support.trade import WAN


def seller_with_listing(parts: Parts) -> tuple[Actor, Listing]:
    owner = factories.actor(parts, Role.MANAGER, factories.organisation(parts, self_publish=True))
    return owner, welding(parts, owner)


def contracts_of(parts: Parts, pair: papers.Sides, prices: Sequence[int]) -> list[Filed]:
    """Return contracts of one field registered today, at so many 万元 each."""
    today = local_date(parts.clock.now())
    return [
        papers.registered(
            parts,
            pair,
            project=f"焊缝检测装置{n}",
            kind=ContractType.LIC,
            sub_type="发明专利实施许可",
            total=price * WAN,
            technical=price * WAN,
            on=today,
        )
        for n, price in enumerate(prices)
    ]


def answer(parts: Parts, owner: Actor, listing: Listing) -> Comparables:
    with read_for(parts, owner) as work:
        return comparables.of_listing(work, listing.public_id)


def told_bands(found: Comparables) -> list[list[tuple[int | None, int | None, int]]]:
    return [[(one.low, one.high, one.count) for one in group.bands] for group in found.groups]


LOW_AND_HIGH = [[(None, 20 * WAN, 5), (20 * WAN, None, 5)]]


def test_a_contract_changed_before_its_group_is_grouped_as_it_is_now(
    parts: Parts, clock: FakeClock
) -> None:
    clock.set_local("2026-02-10 09:00")
    pair, (owner, listing) = papers.sides(parts), seller_with_listing(parts)
    filed = contracts_of(parts, pair, [12, 12, 12, 12, 80, 80, 80, 80, 80, 80])
    change(parts, pair, filed[4], 12 * WAN)
    clock.set_local("2026-04-01 03:00")
    assert form(parts) == 1
    assert told_bands(answer(parts, owner, listing)) == LOW_AND_HIGH


def test_a_contract_changed_when_its_quarter_was_over_waits_for_the_next(
    parts: Parts, clock: FakeClock
) -> None:
    clock.set_local("2026-02-10 09:00")
    pair, (owner, listing) = papers.sides(parts), seller_with_listing(parts)
    filed = contracts_of(parts, pair, [12, 12, 12, 12, 12, 80, 80, 80, 80, 300])
    clock.set_local("2026-04-01 02:00")
    change(parts, pair, filed[9], 80 * WAN)
    assert form(parts) == 0
    clock.set_local("2026-07-01 03:00")
    assert form(parts) == 1
    assert told_bands(answer(parts, owner, listing)) == LOW_AND_HIGH


def test_a_group_is_not_shown_once_a_contract_of_it_was_changed(
    parts: Parts, clock: FakeClock
) -> None:
    clock.set_local("2026-02-10 09:00")
    pair, (owner, listing) = papers.sides(parts), seller_with_listing(parts)
    filed = contracts_of(parts, pair, [12] * 5 + [80] * 5)
    change(parts, pair, filed[0], 13 * WAN)
    clock.set_local("2026-04-01 03:00")
    assert form(parts) == 1
    assert told_bands(answer(parts, owner, listing)) == LOW_AND_HIGH
    change(parts, pair, filed[0], 300 * WAN)
    assert told_bands(answer(parts, owner, listing)) == []
    # Nor does any of its contracts enter another group, as it was or as it is.
    contracts_of(parts, papers.sides(parts), [12] * 5 + [80] * 4)
    clock.set_local("2026-07-01 03:00")
    assert form(parts) == 0


def test_a_group_is_not_shown_once_a_band_has_four_private_sums(
    parts: Parts, clock: FakeClock
) -> None:
    clock.set_local("2026-02-10 09:00")
    pair, (owner, listing) = papers.sides(parts), seller_with_listing(parts)
    filed = contracts_of(parts, pair, [12] * 6 + [80] * 5)
    change(parts, pair, filed[0], 13 * WAN)
    clock.set_local("2026-04-01 03:00")
    assert form(parts) == 1
    make_public(parts, filed[0])
    found = answer(parts, owner, listing)
    assert told_bands(found) == [[(None, 20 * WAN, 6), (20 * WAN, None, 5)]]
    assert [one.total_fen for one in found.public] == [13 * WAN]
    make_public(parts, filed[1])
    found = answer(parts, owner, listing)
    assert told_bands(found) == []
    assert sorted(one.total_fen for one in found.public) == [12 * WAN, 13 * WAN]


def test_a_public_contract_is_shown_as_it_is_and_with_the_day_of_its_registration(
    parts: Parts, clock: FakeClock
) -> None:
    clock.set_local("2026-02-10 09:00")
    pair, (owner, listing) = papers.sides(parts), seller_with_listing(parts)
    contracts_of(parts, pair, [900])
    clock.set_local("2026-03-10 09:00")
    with parts.database.write() as session:
        close(session, "2026-02", by=pair.officer.person, at=clock.now())
    paper = papers.signed_contract(
        parts, pair, project="焊缝检测装置", kind=ContractType.LIC, public=True
    )
    filed = papers.decided(
        parts, pair, papers.submitted(parts, pair, paper), decided_on=date(2026, 2, 26)
    )
    change(parts, pair, filed, 60 * WAN)
    (shown,) = answer(parts, owner, listing).public
    assert (shown.total_fen, shown.registered_on) == (60 * WAN, date(2026, 2, 26))


def test_the_groups_are_formed_at_night_by_a_job_of_their_own(
    parts: Parts, clock: FakeClock
) -> None:
    clock.set_local("2026-02-10 09:00")
    contracts_of(parts, papers.sides(parts), [12] * 5 + [80] * 5)
    clock.set_local("2026-04-01 03:05")
    retention.Nightly(parts).owe()
    runner = Runner(parts.database, clock, jobs.handlers(parts))
    while runner.run_one():
        pass
    with parts.database.read() as session:
        assert len(session.exec(select(ComparableGroup)).all()) == 1
        assert "删除0行" in marks.newest(session)[marks.RETENTION].detail
        job = session.exec(select(Job).where(Job.kind == COMPARABLES)).one()
        assert (job.key, job.state) == ("registry.comparables:2026-04-01", JobState.DONE)
