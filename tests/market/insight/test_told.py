"""Whoever keeps every state of the public's board never learns the sum of one to four contracts."""

import random
from collections.abc import Iterator
from datetime import date
from itertools import combinations, pairwise

import pytest

from market.insight.pace import month_end
from market.insight.public import OUT, names_of
from market.insight.repository import Alike, Span
from market.insight.suppression import FLOOR
from market.insight.told import State, Told, states

FIRST = date(2026, 1, 1)
MONTHS = [f"2026-{n:02d}" for n in range(1, 13)] + [f"2027-{n:02d}" for n in range(1, 7)]
Version = tuple[str, str | None, Alike]


def said(rng: random.Random, month: str) -> Alike:
    """Return what is public of one contract, and its sum."""
    return Alike(
        year=int(month[:4]),
        month=int(month[5:]),
        earlier=False,
        contract_type=rng.choice(["DEV", "DEV", "DEV", "LIC", "SRV"]),
        field=rng.choice([1, 1, 1, 2, 3]),
        seller_here=rng.random() < 0.9,
        buyer_here=rng.random() < 0.5,
        public=rng.random() < 0.2,
        count=1,
        technical_fen=rng.randrange(1, 10**9),
        total_fen=10**9,
    )


def market(rng: random.Random) -> list[list[Version]]:
    """Return contracts, each with what it said of itself from month to month."""
    found = []
    for place, month in enumerate(MONTHS):
        for _ in range(rng.choice([0, 1, 2, 4, 6, 9])):
            row, since, versions = said(rng, month), month, []
            for later in MONTHS[place + 1 :]:
                if rng.random() < 0.01:
                    versions.append((since, later, row))
                    if rng.random() < 0.5:
                        break
                    other = said(rng, month)
                    row = Alike(
                        **{name: getattr(other, name) for name in other.__slots__}
                        | {"public": row.public}
                    )
                    since = later
            else:
                versions.append((since, None, row))
            found.append(versions)
    return found


def spans(contracts: list[list[Version]]) -> Iterator[Span]:
    for number, versions in enumerate(contracts):
        alone = len(versions) == 1 and versions[0][1] is None
        for entered, left, row in versions:
            yield Span(row, entered, left, None if alone else number)


def added(versions: list[Version], month: str, names: frozenset[str]) -> int | None:
    """Return what a private contract adds to the sum of some figures, by its own record."""
    for entered, left, row in versions:
        if entered <= month and (left is None or month < left):
            mine = not row.public and names & set(names_of(row))
            return row.technical_fen if mine else None
    return None


def moved(contracts: list[list[Version]], names: frozenset[str], one: str, other: str) -> int:
    return sum(added(each, one, names) != added(each, other, names) for each in contracts)


def left_over(state: State, cells: set[str]) -> frozenset[str]:
    """Return the cells that the total of a state leaves over, told together."""
    return frozenset(cells & state.hidden) if OUT not in state.hidden else frozenset()


def test_no_two_states_differ_by_few_private_contracts() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    compared = held = 0
    for _ in range(25):
        contracts = market(rng)
        made = list(states(list(spans(contracts)), FIRST, month_end(MONTHS[-1])))
        names = {name for each in contracts for _, _, row in each for name in names_of(row)}
        for earlier, newer in combinations(made, 2):
            told_by_both = names - earlier.hidden - newer.hidden
            asked = {frozenset({name}) for name in told_by_both}
            for prefix in ("type:", "field:", "year:"):
                cells = {name for name in names if name.startswith(prefix)}
                rest = left_over(earlier, cells), left_over(newer, cells)
                if rest[0] == rest[1]:
                    asked.add(rest[0])
            for one in asked:
                compared += 1
                assert not 0 < moved(contracts, one, earlier.month, newer.month) < FLOOR, one
        board = Told(made)
        held += sum(board.figure(name).as_of is not None for name in names)
    assert compared > 1_000
    assert held > 20


def test_a_market_without_the_rule_would_tell() -> None:
    """The generated markets have what the rule is for: a figure that moves by one contract."""
    rng = random.Random(7)
    contracts = market(rng)
    names = {name for each in contracts for _, _, row in each for name in names_of(row)}
    assert any(
        moved(contracts, frozenset({name}), one, other) == 1
        for name in names
        for one, other in pairwise(MONTHS)
    )


@pytest.mark.parametrize("number", [1, 4])
def test_a_figure_keeps_its_last_state_until_five_have_come(number: int) -> None:
    """One licence among many developments: the licences stay, and with them what would tell them."""
    rng = random.Random(1)

    def rows(kind: str, month: str, times: int) -> Iterator[Span]:
        for _ in range(times):
            row = said(rng, month)
            values = {name: getattr(row, name) for name in row.__slots__}
            yield Span(
                Alike(
                    **values
                    | {"contract_type": kind, "public": False, "seller_here": True, "field": 1}
                ),
                month,
                None,
                None,
            )

    before = [*rows("DEV", "2026-03", 6), *rows("LIC", "2026-03", 6)]
    april = [*rows("DEV", "2026-04", 5), *rows("LIC", "2026-04", number)]
    one = Told(list(states(before, FIRST, date(2026, 4, 30))))
    two = Told(list(states([*before, *april], FIRST, date(2026, 4, 30))))
    assert two.figure(OUT).count == 17 + number
    for name in ("type:LIC", "type:DEV"):
        assert two.figure(name).count == one.figure(name).count == 6
        assert two.figure(name).as_of == date(2026, 3, 31)
    more = [*before, *april, *rows("LIC", "2026-05", 5)]
    three = Told(list(states(more, FIRST, date(2026, 5, 31))))
    found = three.figure("type:LIC")
    assert (found.count, found.as_of) == (11 + number, None)
    assert three.figure("type:DEV").count == 11
