"""The ledger: balanced, gapless, idempotent, append-only, on both databases."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from market.accounts.work import Parts
from market.kit import triggers
from market.kit.errors import Conflict
from market.kit.ids import OrganisationId
from market.ledger import service
from market.ledger.schemas import By, Slice, Subject

pytestmark = pytest.mark.usefixtures("both_databases")
WAN = 1_000_000
HERE, THERE = "500106", "500103"


def subject(number: int = 1, **changes: object) -> Subject:
    values: dict[str, object] = {
        "key": f"default:{number:016d}",
        "digest": f"{number:064x}",
        "contract_type": "DEV",
        "sub_type": "委托开发",
        "field": 3,
        "project_name": f"示范项目{number}",
        "seller_id": OrganisationId(1),
        "buyer_id": OrganisationId(2),
        "seller_name": "示范大学一",
        "buyer_name": "示例公司一",
        "seller_region": HERE,
        "buyer_region": THERE,
        "total_fen": 120 * WAN,
        "technical_fen": 100 * WAN,
    }
    return Subject(**(values | changes))


def register(session: Session, parts: Parts, number: int = 1, *, key: str = "", **changes: object):
    on = changes.pop("on", date(2026, 11, 2))
    return service.post_register(
        session,
        subject(number, **changes),
        key=key or f"register:{number}",
        effective_on=on,
        at=parts.clock.now(),
    )


def reverse(session: Session, parts: Parts, original, on: date = date(2026, 11, 20)):
    return service.post_reversal(
        session,
        original.id,
        key=f"reverse:{original.seq}",
        digest="f" * 64,
        effective_on=on,
        at=parts.clock.now(),
    )


@contextmanager
def sound(parts: Parts) -> Iterator[Session]:
    """A transaction after which the ledger must verify."""
    with parts.database.write() as session:
        yield session
    with parts.database.read() as session:
        assert service.verify(session) == []


def test_a_registration_counts_and_its_reversal_takes_it_out(parts: Parts) -> None:
    with sound(parts) as session:
        first = register(session, parts, on=date(2026, 10, 9))
        register(session, parts, 2, technical_fen=50 * WAN)
        back = reverse(session, parts, first)
        assert (back.seq, back.original_on) == (3, date(2026, 10, 9))
    with parts.database.read() as session:
        assert service.total(session, Slice()).technical_fen == 50 * WAN
        october = Slice(since=date(2026, 10, 1), until=date(2026, 10, 31))
        assert service.total(session, october).technical_fen == 100 * WAN
        months = service.sums(session, By.MONTH, Slice())
        assert [(row.key, row.count, row.technical_fen) for row in months] == [
            ("2026-10", 1, 100 * WAN),
            ("2026-11", 0, -50 * WAN),
        ]


def test_the_same_key_with_the_same_document_is_the_same_transaction(parts: Parts) -> None:
    with sound(parts) as session:
        first = register(session, parts)
        assert register(session, parts).id == first.id
        back = reverse(session, parts, first)
        assert reverse(session, parts, first).id == back.id
        assert service.count_lines(session, Slice()) == 2


def test_the_same_key_with_another_document_is_refused(parts: Parts) -> None:
    with sound(parts) as session:
        register(session, parts)
        with pytest.raises(Conflict, match="内容与这次不同"):
            register(session, parts, digest="e" * 64)


def test_a_number_counts_once_and_again_only_after_it_was_taken_out(parts: Parts) -> None:
    with sound(parts) as session:
        first = register(session, parts)
        with pytest.raises(Conflict, match="只计一次"):
            register(session, parts, key="another")
        reverse(session, parts, first)
        again = register(session, parts, key="another")
        assert (first.generation, again.generation) == (0, 1)


def test_a_transaction_is_taken_out_once(parts: Parts) -> None:
    with sound(parts) as session:
        first = register(session, parts)
        back = reverse(session, parts, first)
        for wrong in (first, back):
            with pytest.raises(Conflict, match="已经冲回"):
                service.post_reversal(
                    session,
                    wrong.id,
                    key="second",
                    digest="d" * 64,
                    effective_on=date(2026, 11, 21),
                    at=parts.clock.now(),
                )


def test_what_fails_leaves_no_gap(parts: Parts) -> None:
    with sound(parts) as session:
        register(session, parts)

    def fail() -> None:
        with parts.database.write() as session:
            register(session, parts, 2)
            register(session, parts, 2, digest="e" * 64)

    with pytest.raises(Conflict):
        fail()
    with sound(parts) as session:
        assert register(session, parts, 3).seq == 2


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_transaction SET total_fen = total_fen",
        "UPDATE ledger_entry SET amount_fen = amount_fen",
        "DELETE FROM ledger_entry",
        "DELETE FROM ledger_transaction",
    ],
)
def test_nothing_posted_can_be_changed(parts: Parts, change: str) -> None:
    with sound(parts) as session:
        register(session, parts)
    with pytest.raises(DBAPIError, match="append-only"), parts.database.write() as session:
        session.execute(text(change))


def test_the_triggers_stand(parts: Parts, both_databases: str) -> None:
    with parts.database.writer.connect() as connection:
        found = triggers.installed(connection)
    expected = {
        triggers.trigger_name(table, operation)
        for table in triggers.APPEND_ONLY
        for operation in ("UPDATE", "DELETE")
    }
    if both_databases == "postgres":
        expected |= {f"balanced_{table}" for table in triggers.LEDGER}
    assert expected <= found


def test_an_unbalanced_transaction_does_not_stay(parts: Parts, both_databases: str) -> None:
    """PostgreSQL refuses it at commit; on SQLite the ledger's own audit finds it."""
    with sound(parts) as session:
        first = register(session, parts)
    extra = text(
        "INSERT INTO ledger_entry (book, transaction_id, snapshot_id, account, amount_fen)"
        " VALUES ('statistics', :id, :id, 'counted:x', 1)"
    )

    def write() -> None:
        with parts.database.write() as session:
            session.execute(extra, {"id": first.id})

    if both_databases == "postgres":
        with pytest.raises(DBAPIError, match="does not balance"):
            write()
        return
    write()
    with parts.database.read() as session:
        found = service.verify(session)
    assert "第1号：3条分录，合计1分，应至少两条且合计为0" in found


def test_verification_finds_a_head_that_moved_alone(parts: Parts) -> None:
    with sound(parts) as session:
        register(session, parts)
    with parts.database.write() as session:
        session.execute(text("UPDATE ledger_head SET seq = 7"))
    with parts.database.read() as session:
        assert service.verify(session) == ["账册statistics：1笔，序号从1到1，账头为7，应连续无缺"]


def test_sums_go_by_type_field_seller_and_region(parts: Parts) -> None:
    with sound(parts) as session:
        register(session, parts, 1)
        register(session, parts, 2, contract_type="LIC", technical_fen=30 * WAN, field=5)
        register(session, parts, 3, seller_region=THERE, buyer_region=HERE, technical_fen=7 * WAN)
        register(session, parts, 4, seller_id=OrganisationId(9), seller_name="示范大学九")
    with parts.database.read() as session:
        here = Slice(seller_region=HERE)
        assert service.total(session, here).technical_fen == 230 * WAN
        assert service.total(session, Slice(buyer_region=HERE)).technical_fen == 7 * WAN
        assert service.total(session, Slice(seller_region="500100")).technical_fen == 237 * WAN
        types = {row.key: row.technical_fen for row in service.sums(session, By.TYPE, here)}
        assert types == {"DEV": 200 * WAN, "LIC": 30 * WAN}
        fields = {row.key: row.count for row in service.sums(session, By.FIELD, here)}
        assert fields == {"3": 2, "5": 1}
        sellers = service.sums(session, By.SELLER, here)
        assert [(row.label, row.technical_fen) for row in sellers] == [
            ("示范大学一", 130 * WAN),
            ("示范大学九", 100 * WAN),
        ]
        found = service.lines(session, Slice(party_id=OrganisationId(9)), limit=10)
        number = service.count_lines(session, Slice(party_id=OrganisationId(9)))
        assert (number, found[0].seller_name) == (1, "示范大学九")


def test_fifty_at_once_post_one_registration(parts: Parts) -> None:
    """Different keys, one number: one transaction stands, the others are told so."""
    for round_ in range(5):
        answers = at_once(parts, 50, number=round_ + 1)
        assert sorted(answers) == ["conflict"] * 49 + ["posted"]
    with parts.database.read() as session:
        assert service.verify(session) == []
        assert service.total(session, Slice()).count == 5


def test_fifty_at_once_with_different_numbers_are_numbered_without_gap(parts: Parts) -> None:
    assert at_once(parts, 50, number=None) == ["posted"] * 50
    with parts.database.read() as session:
        assert service.verify(session) == []
        found = service.lines(session, Slice(), limit=100)
        assert sorted(row.seq for row in found) == list(range(1, 51))


def at_once(parts: Parts, clients: int, *, number: int | None) -> list[str]:
    gate = threading.Barrier(clients)
    answers: list[str] = []

    def post(client: int) -> None:
        gate.wait()
        try:
            with parts.database.write() as session:
                own = 1000 + client if number is None else number
                register(session, parts, own, key=f"{number}:{client}")
        except Conflict:
            answers.append("conflict")
        else:
            answers.append("posted")

    threads = [threading.Thread(target=post, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
