"""What is folded and gone on with is what the entries come to, in one statement each."""

import random
from datetime import date, timedelta

import pytest

from market.accounts.work import Parts
from market.kit.ids import OrganisationId
from market.ledger import service, tally
from market.ledger.schemas import OUTSIDE, By, Slice
from market.ledger.tally import Part, Tally
from tests.market.ledger.test_ledger import HERE, THERE, WAN, register, reverse, subject

pytestmark = pytest.mark.usefixtures("both_databases")
PART = Part(HERE, date(2026, 1, 1), date(2026, 12, 31))
PLAN = Slice(PART.since, PART.until, seller_region=HERE)


def some(parts: Parts, dice: random.Random, first: int, count: int) -> None:
    """Count contracts of every shape, change some and take some out."""
    with parts.database.write() as session:
        for number in range(first, first + count):
            total = dice.randrange(2, 900 * WAN)
            about: dict[str, object] = {
                "contract_type": dice.choice(["DEV", "LIC", "SRV"]),
                "field": dice.randrange(1, 12),
                "seller_id": dice.choice([OUTSIDE, OrganisationId(1), OrganisationId(2)]),
                "buyer_id": dice.choice([OUTSIDE, OrganisationId(3)]),
                "seller_name": dice.choice(["示范大学一", "示范大学二", "示范研究所"]),
                "buyer_name": dice.choice(["示例公司一", "示例公司二"]),
                "seller_region": dice.choice([HERE, THERE]),
                "buyer_region": dice.choice([HERE, THERE]),
                "total_fen": total,
                "technical_fen": dice.randrange(1, total),
            }
            on = date(2025, 6, 1) + timedelta(days=dice.randrange(520))
            made = register(session, parts, number, on=on, **about)
            if dice.random() < 0.3:
                moved = about | {"field": 11, "technical_fen": 1, "seller_region": HERE}
                service.post_change(
                    session,
                    made.id,
                    subject(number, digest=f"{number:063x}c", **moved),
                    key=f"change:{number}",
                    effective_on=on + timedelta(days=dice.randrange(60)),
                    at=parts.clock.now(),
                )
            if dice.random() < 0.2:
                reverse(session, parts, made)


def agrees(parts: Parts, kept: Tally | None) -> Tally:
    """Hold a tally against the sums of the entries; return it."""
    with parts.database.read() as session:
        found = tally.at_head(session, PART, kept)
        incoming = Slice(PART.since, PART.until, buyer_region=HERE)
        both = Slice(PART.since, PART.until, seller_region=HERE, buyer_region=HERE)
        assert found.total() == service.total(session, PLAN)
        assert found.total_incoming() == service.total(session, incoming)
        assert found.total_both() == service.total(session, both)
        half = Slice(date(2025, 9, 1), date(2026, 3, 15), seller_region=HERE)
        assert found.total_between(half.since, half.until) == service.total(session, half)  # type: ignore[arg-type]
        for by in By:
            if by in (By.SELLER, By.BUYER):  # two of one amount may stand in either order
                assert sorted(map(str, found.sums(by))) == sorted(
                    map(str, service.sums(session, by, PLAN))
                )
            else:
                assert _without_labels(found.sums(by)) == _without_labels(
                    service.sums(session, by, PLAN)
                )
        early = Slice(until=date(2025, 12, 31), seller_region=HERE)
        assert found.years_before() == service.sums(session, By.YEAR, early)
    return found


def _without_labels(rows: list[service.Sum]) -> list[tuple[str, int, int, int]]:
    return [(row.key, row.count, row.technical_fen, row.total_fen) for row in rows]


def test_a_tally_is_the_sum_of_the_entries_and_goes_on_as_they_do(parts: Parts) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    kept = agrees(parts, None)
    assert kept.at == (0, "")
    for turn in range(5):
        some(parts, dice, 1 + turn * 12, 12)
        before, stood = kept, kept.total()
        kept = agrees(parts, kept)
        assert kept.at[0] > before.at[0]
        assert before.total() == stood, "the one before stays as it was"
    assert agrees(parts, None) == kept


def test_a_tally_of_another_book_or_part_is_not_gone_on_with(parts: Parts) -> None:
    dice = random.Random(1)
    some(parts, dice, 1, 12)
    kept = agrees(parts, None)
    other = Tally(PART, (kept.at[0], "another"), outgoing={date(2026, 1, 1): (1, 1, 1)})
    later = Tally(PART, (kept.at[0] + 1, "x"), outgoing={date(2026, 1, 1): (1, 1, 1)})
    elsewhere = Tally(Part(THERE, PART.since, PART.until), kept.at, kept.outgoing)
    for one in (other, later, elsewhere):
        assert agrees(parts, one) == kept
