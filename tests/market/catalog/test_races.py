"""Two people at once: one goes through, the other is told; on both databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier

import pytest
from sqlalchemy import func
from sqlmodel import select

from market.accounts.policy import Role
from market.accounts.work import Parts, Work
from market.catalog import drafts, publishing, waiting
from market.catalog.models import Listing, ListingRevision, ListingState, Review
from market.catalog.schemas import ReviewIn
from market.kit import notify
from market.kit.errors import Conflict, Invalid
from tests import factories
from tests.market.catalog.texts import ACHIEVEMENT, draft, edited, editor, reread, submitted
from tests.support.market import work_for

pytestmark = pytest.mark.usefixtures("both_databases")
ROUNDS = 4


def at_once(parts: Parts, *steps: tuple[object, Callable[[Work], object]]) -> list[str]:
    """Run each step in a transaction of its own, all at the same moment; return the outcomes."""
    barrier = Barrier(len(steps))

    def run(step: tuple[object, Callable[[Work], object]]) -> str:
        who, act = step
        barrier.wait(timeout=30)
        try:
            with work_for(parts, who) as work:  # type: ignore[arg-type]
                act(work)
        except (Conflict, Invalid) as error:
            return type(error).__name__
        return "done"

    with ThreadPoolExecutor(len(steps)) as pool:
        return list(pool.map(run, steps))


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_of_two_edits_of_one_text_one_is_stale(parts: Parts, _round: int) -> None:
    home = factories.organisation(parts)
    one, two = editor(parts, home), editor(parts, home)
    listing = draft(parts, one)

    def save(title: str) -> Callable[[Work], object]:
        form = edited(ACHIEVEMENT, 1, title=title)
        return lambda work: drafts.edit(work, listing.public_id, form)

    outcomes = at_once(parts, (one, save("甲改的")), (two, save("乙改的")))
    assert sorted(outcomes) == ["Overtaken", "done"]
    with parts.database.read() as session:
        query = select(ListingRevision).where(ListingRevision.listing_id == listing.id)
        assert sorted(row.seq for row in session.exec(query)) == [1, 2]


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_approval_and_taking_back_do_not_both_happen(parts: Parts, _round: int) -> None:
    who, officer = editor(parts), factories.actor(parts, Role.OFFICER)
    approve = ReviewIn(revision=1, decision="approve")
    listing = submitted(parts, who)
    outcomes = at_once(
        parts,
        (officer, lambda work: publishing.decide(work, listing.public_id, approve)),
        (who, lambda work: publishing.take_back(work, listing.public_id)),
    )
    assert sorted(outcomes) == ["Conflict", "done"]
    now = reread(parts, listing.public_id)
    assert (now.state == ListingState.PUBLISHED) == (outcomes[0] == "done")
    assert (now.number is not None) == (outcomes[0] == "done")


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_the_bureau_s_task_follows_what_moves_at_once(parts: Parts, _round: int) -> None:
    """One task stands for all that an organisation hands in: the later sees the earlier."""
    who, officer = editor(parts), factories.actor(parts, Role.OFFICER)
    first, second = submitted(parts, who), submitted(parts, who)
    third = draft(parts, who)
    approve = ReviewIn(revision=1, decision="approve")

    def decide(listing: Listing) -> Callable[[Work], object]:
        return lambda work: publishing.decide(work, listing.public_id, approve)

    assert at_once(parts, (officer, decide(first)), (officer, decide(second))) == ["done"] * 2
    assert out_of_step(parts) == []
    with work_for(parts, who) as work:
        publishing.submit(work, third.public_id)
    fourth = draft(parts, who)
    outcomes = at_once(
        parts,
        (officer, decide(third)),
        (who, lambda work: publishing.submit(work, fourth.public_id)),
    )
    assert outcomes == ["done"] * 2
    assert out_of_step(parts) == []


def test_what_is_handed_in_while_the_last_is_answered_waits(parts: Parts) -> None:
    who, officer = editor(parts), factories.actor(parts, Role.OFFICER)
    first, second = submitted(parts, who), draft(parts, who)

    def approve() -> None:
        with work_for(parts, officer) as work:
            form = ReviewIn(revision=1, decision="approve")
            publishing.decide(work, first.public_id, form)

    with ThreadPoolExecutor(1) as pool:
        with work_for(parts, who) as work:
            publishing.submit(work, second.public_id)
            answered = pool.submit(approve)
            wait([answered], timeout=0.5)  # it stands behind this transaction
        answered.result(timeout=30)
    assert out_of_step(parts) == []


def out_of_step(parts: Parts) -> list[str]:
    with parts.database.read() as session:
        found = notify.differences(session, waiting.KINDS, waiting.tasks(session))
        return [one.what for one in found]


def test_handing_in_twice_is_one_review(parts: Parts) -> None:
    who = editor(parts)
    listing = draft(parts, who)
    outcomes = at_once(
        parts, *((who, lambda work: publishing.submit(work, listing.public_id)) for _ in range(4))
    )
    assert sorted(outcomes) == ["Conflict"] * 3 + ["done"]
    with parts.database.read() as session:
        assert session.exec(select(func.count()).select_from(Review)).one() == 1


def test_numbers_given_at_once_are_gapless(parts: Parts) -> None:
    who = editor(parts, factories.organisation(parts, self_publish=True))
    listings = [draft(parts, who) for _ in range(8)]
    at_once(
        parts,
        *((who, lambda work, one=one: publishing.submit(work, one.public_id)) for one in listings),
    )
    numbers = sorted(reread(parts, one.public_id).number or "" for one in listings)
    assert numbers == [f"A-2026-{n:05d}" for n in range(1, 9)]


def test_an_own_number_used_twice_at_once_is_taken_once(parts: Parts) -> None:
    who = editor(parts)
    form = ACHIEVEMENT.model_copy(update={"own_number": "K-7"})
    outcomes = at_once(parts, *((who, lambda work: drafts.create(work, form)) for _ in range(4)))
    assert sorted(outcomes) == ["Invalid"] * 3 + ["done"]
