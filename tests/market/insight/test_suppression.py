"""Public totals: neither one nor a difference of two tells of one to four contracts."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from market.insight.suppression import FLOOR, Table, Weight, publishable

Contract = tuple[int, str, int, bool]  # month, type, field, whether its sum is public


def publish(contracts: list[Contract]) -> tuple[dict[str, set[int]], list[Table], frozenset[str]]:
    """Run the function as the board does: return each total's contracts, the tables, the shown."""
    kinds = sorted({one[:3] for one in contracts})
    members = {kind: [n for n, one in enumerate(contracts) if one[:3] == kind] for kind in kinds}
    weights = [
        Weight(len(members[kind]), sum(not contracts[n][3] for n in members[kind]))
        for kind in kinds
    ]
    bits: dict[str, int] = {"out": 0}
    for place, (month, kind, field) in enumerate(kinds):
        year = (month - 1) // 12
        for name in (
            "out",
            f"year:{year}",
            f"month:{month}",
            f"type:{kind}",
            f"field:{field}",
        ):
            bits[name] = bits.get(name, 0) | 1 << place
    years = sorted(name for name in bits if name.startswith("year:"))
    tables = [
        Table("out", tuple(years)),
        Table("out", tuple(name for name in bits if name.startswith("type:"))),
        Table("out", tuple(name for name in bits if name.startswith("field:"))),
        *(
            Table(
                year,
                tuple(
                    name
                    for name in bits
                    if name.startswith("month:") and f"year:{(int(name[6:]) - 1) // 12}" == year
                ),
            )
            for year in years
        ),
    ]
    shown = publishable(weights, bits, tables, headline="out")
    sets = {
        name: {n for place, kind in enumerate(kinds) if mask >> place & 1 for n in members[kind]}
        for name, mask in bits.items()
    }
    return sets, tables, shown


def known(sets: dict[str, set[int]], tables: list[Table], shown: frozenset[str]) -> list[set[int]]:
    """Return the contracts of every sum a reader has, worked out anew contract by contract."""
    found = [sets[name] for name in shown]
    for table in tables:
        cells = [name for name in table.cells if name in shown]
        if table.whole in shown and cells:
            found.append(sets[table.whole] - set().union(*(sets[name] for name in cells)))
        elif cells and set(cells) == set(table.cells):
            found.append(set().union(*(sets[name] for name in cells)))
    return found


def few(contracts: list[Contract], chosen: set[int]) -> bool:
    return 0 < sum(not contracts[n][3] for n in chosen) < FLOOR


contract = st.tuples(
    st.integers(1, 26), st.sampled_from(["DEV", "LIC", "SRV"]), st.integers(1, 4), st.booleans()
)


@settings(max_examples=300, deadline=None)
@given(st.lists(contract, max_size=60))
def test_no_total_and_no_difference_of_two_tells_of_few(contracts: list[Contract]) -> None:
    sets, tables, shown = publish(contracts)
    assert all(len(sets[name]) == 0 or len(sets[name]) >= FLOOR for name in shown)
    sums = known(sets, tables, shown)
    assert not any(few(contracts, one) for one in sums)
    assert not any(few(contracts, one ^ other) for one, other in combinations(sums, 2))


def of(*cells: tuple[int, str, int, int], public: int = 0) -> list[Contract]:
    """Return contracts by (month, type, field, how many), the first `public` of them public."""
    found = [(m, t, f) for m, t, f, n in cells for _ in range(n)]
    return [(*one, place < public) for place, one in enumerate(found)]


def test_a_table_of_large_cells_is_shown_whole() -> None:
    sets, _, shown = publish(of((1, "DEV", 1, 6), (2, "DEV", 1, 7), (3, "DEV", 1, 8)))
    assert shown == set(sets)


def test_fewer_than_five_contracts_show_nothing() -> None:
    assert publish(of((1, "DEV", 1, 4)))[2] == frozenset()


def test_a_second_cell_goes_with_the_small_one() -> None:
    _, _, shown = publish(of((1, "DEV", 1, 3), (2, "DEV", 1, 9), (3, "DEV", 1, 7)))
    assert {"month:1", "month:3"}.isdisjoint(shown)
    assert {"out", "year:0", "month:2", "type:DEV"} <= shown


def test_two_small_cells_that_are_few_together_take_a_third() -> None:
    _, _, shown = publish(
        of((1, "DEV", 1, 2), (2, "DEV", 1, 1), (3, "DEV", 1, 9), (4, "DEV", 1, 7))
    )
    assert {"month:1", "month:2", "month:4"}.isdisjoint(shown)
    assert "month:3" in shown


def test_two_small_cells_that_are_enough_together_take_no_third() -> None:
    _, _, shown = publish(of((1, "DEV", 1, 2), (2, "DEV", 1, 3), (3, "DEV", 1, 9)))
    assert "month:3" in shown


def test_a_hidden_year_hides_its_months() -> None:
    _, _, shown = publish(of((1, "DEV", 1, 3), (13, "DEV", 1, 9), (25, "DEV", 1, 8)))
    assert {"year:0", "month:1", "year:2", "month:25"}.isdisjoint(shown)
    assert {"out", "year:1", "month:13"} <= shown


def test_two_tables_that_differ_by_one_contract_are_not_both_shown() -> None:
    """All of field 1 is DEV, and DEV has one contract of another field: 9 less 8 tells it."""
    _, _, shown = publish(of((1, "DEV", 1, 8), (1, "DEV", 2, 1), (1, "SRV", 2, 8)))
    assert not {"type:DEV", "field:1"} <= shown
    assert "out" in shown


def test_contracts_whose_sums_are_public_hide_nobody() -> None:
    """Of five, four agreed: the total would tell the fifth."""
    assert "out" not in publish(of((1, "DEV", 1, 5), public=4))[2]
    assert "out" in publish(of((1, "DEV", 1, 5), public=5))[2]


def test_the_headline_goes_last() -> None:
    """输出 and 吸纳 differ by four contracts: the headline stays, though it is the smaller."""
    weights = [Weight(9, 9), Weight(1, 1), Weight(3, 3)]
    shown = publishable(weights, {"out": 0b011, "in": 0b101}, [], headline="out")
    assert shown == {"out"}
