"""A change moves what a counted subject is, from its day on: amounts, region, type, field, parties."""

from datetime import date

import pytest
from sqlmodel import Session

from market.accounts.work import Parts
from market.kit.errors import Conflict
from market.kit.ids import OrganisationId
from market.ledger import service, verify
from market.ledger.schemas import By, Reversal, Slice
from tests.market.ledger.test_ledger import HERE, THERE, WAN, register, reverse, sound, subject

pytestmark = pytest.mark.usefixtures("both_databases")
OCTOBER = Slice(since=date(2026, 10, 1), until=date(2026, 10, 31))
NOVEMBER = Slice(since=date(2026, 11, 1), until=date(2026, 11, 30))


def change(session: Session, parts: Parts, original, number: int = 1, *, key: str = "", **changes):
    return service.post_change(
        session,
        original.id,
        subject(number, **({"digest": "c" * 64} | changes)),
        key=key or f"change:{original.seq}",
        effective_on=date(2026, 11, 5),
        at=parts.clock.now(),
    )


def figures(session: Session, part: Slice = Slice()) -> tuple[int, int, int]:  # noqa: B008
    found = service.total(session, part)
    return found.count, found.technical_fen, found.total_fen


def test_other_amounts_move_the_difference_on_their_own_day(parts: Parts) -> None:
    with sound(parts) as session:
        first = register(session, parts, on=date(2026, 10, 9))
        done = change(session, parts, first, technical_fen=70 * WAN, total_fen=130 * WAN)
        assert (done.kind, done.original_on) == ("change", date(2026, 10, 9))
        assert change(session, parts, first, technical_fen=70 * WAN, total_fen=130 * WAN) == done
    with parts.database.read() as session:
        assert list(verify.links(session)) == []
        assert figures(session) == (1, 70 * WAN, 130 * WAN)
        assert figures(session, OCTOBER) == (1, 100 * WAN, 120 * WAN)
        assert figures(session, NOVEMBER) == (0, -30 * WAN, 10 * WAN)


def test_another_type_field_region_and_seller_move_all_of_it(parts: Parts) -> None:
    with sound(parts) as session:
        first = register(session, parts)
        done = change(
            session,
            parts,
            first,
            contract_type="LIC",
            field=7,
            seller_region=THERE,
            seller_id=OrganisationId(9),
            seller_name="示范大学九",
        )
    with parts.database.read() as session:
        assert figures(session, Slice(seller_region=HERE)) == (0, 0, 0)
        assert figures(session, Slice(seller_region=THERE)) == (1, 100 * WAN, 120 * WAN)
        for by, gone, come in (
            (By.TYPE, "DEV", "LIC"),
            (By.FIELD, "3", "7"),
            (By.SELLER, "1", "9"),
        ):
            rows = {row.key: row for row in service.sums(session, by, Slice())}
            assert (rows[gone].count, rows[gone].technical_fen) == (0, 0)
            assert (rows[come].count, rows[come].technical_fen) == (1, 100 * WAN)
        found = service.lines(session, Slice(contract_type="DEV"), limit=9)
        number = service.count_lines(session, Slice(contract_type="DEV"))
        assert number == 2
        moved = service.moved(session, Slice(contract_type="DEV"), [row.id for row in found])
        assert moved[done.id].technical_fen == -100 * WAN
        assert sum(one.technical_fen for one in moved.values()) == 0


def test_a_reversal_takes_out_what_was_said_last(parts: Parts) -> None:
    with sound(parts) as session:
        first = register(session, parts)
        change(session, parts, first, technical_fen=70 * WAN)
        change(
            session, parts, first, technical_fen=20 * WAN, field=9, key="second", digest="b" * 64
        )
        back = reverse(session, parts, first)
        assert (back.technical_fen, back.field, back.reverses_id) == (20 * WAN, 9, first.id)
        with pytest.raises(Conflict, match="已经冲回"):
            change(session, parts, first, key="third", digest="a" * 64)
        assert register(session, parts, key="anew").generation == 1
    with parts.database.read() as session:
        assert list(verify.links(session)) == []
        assert figures(session) == (1, 100 * WAN, 120 * WAN)
        assert service.newest(session, first.id).id == back.id


def test_many_reversals_take_out_what_was_said_last(parts: Parts) -> None:
    with sound(parts) as session:
        rows = [register(session, parts, number) for number in (1, 2, 3)]
        change(session, parts, rows[1], 2, technical_fen=5 * WAN)
        reversals = [Reversal(row.id, f"back:{row.id}", "f" * 64, None) for row in rows]
        service.reverse_many(session, reversals, at=parts.clock.now())
    with parts.database.read() as session:
        assert figures(session) == (0, 0, 0)
        assert figures(session, NOVEMBER) == (0, 0, 0)


def test_a_change_of_another_number_or_with_another_document_is_refused(parts: Parts) -> None:
    with sound(parts) as session:
        first = register(session, parts)
        with pytest.raises(Conflict, match="登记编号"):
            change(session, parts, first, 2)
        change(session, parts, first)
        with pytest.raises(Conflict, match="内容与这次不同"):
            change(session, parts, first, digest="d" * 64)
