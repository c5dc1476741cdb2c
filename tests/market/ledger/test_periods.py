"""Months close and stay as they were; what comes later falls in the open one. Heads stand outside."""

import json
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from market import chaining
from market.accounts.policy import Role
from market.accounts.work import Parts
from market.kit import jobs, triggers
from market.kit.clock import local_date
from market.kit.errors import Conflict, Forbidden, NotFound
from market.ledger import audit, desk, heads, periods, service, tasks, verify
from market.ledger.chain import KEEPING, Keeping, Key, keeping
from market.ledger.models import Book
from market.ledger.schemas import Posting, Reversal, Slice
from tests import factories
from tests.market.ledger.test_ledger import WAN, register, reverse, sound, subject
from tests.market.ledger.test_tampering import settle
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for
from tests.support.tampering import unguard

pytestmark = pytest.mark.usefixtures("both_databases")
SEPTEMBER = Slice(since=date(2026, 9, 1), until=date(2026, 9, 30))


@pytest.fixture
def closed(parts: Parts) -> Parts:
    """September closed with one contract, October open with another."""
    with sound(parts) as session:
        register(session, parts, 1, on=date(2026, 9, 9))
        register(session, parts, 2, on=date(2026, 10, 9))
    officer = factories.actor(parts, Role.OFFICER)
    with work_for(parts, officer) as work:
        desk.close(work, "2026-09")
    settle(parts)
    return parts


def problems(parts: Parts) -> list[str]:
    with parts.database.read() as session:
        return [*service.verify(session), *verify.links(session)]


def test_what_is_for_a_closed_month_falls_on_today(closed: Parts) -> None:
    today = date(2026, 11, 2)
    with sound(closed) as session:
        first = service.newest(session, 1)  # type: ignore[arg-type]
        late = register(session, closed, 3, on=date(2026, 9, 20))
        assert (late.effective_on, late.original_on) == (today, date(2026, 9, 20))
        old = service.post_many(
            session, [Posting(subject(4), "old", date(2021, 3, 1))], at=closed.clock.now()
        )
        assert service.get(session, old[0]).effective_on == today
        back = service.reverse_many(
            session, [Reversal(first.id, "back", "f" * 64, None)], at=closed.clock.now()
        )
        taken = service.get(session, back[0])
        assert (taken.effective_on, taken.original_on) == (today, date(2026, 9, 9))
        open_one = register(session, closed, 5, on=date(2026, 10, 2))
        assert (open_one.effective_on, open_one.original_on) == (date(2026, 10, 2), None)
        again = reverse(session, closed, open_one, on=date(2026, 9, 30))
        assert again.effective_on == today
    with closed.database.read() as session:
        assert service.total(session, SEPTEMBER).technical_fen == 100 * WAN
    assert problems(closed) == []


def test_a_month_in_which_nothing_happened_is_closed_like_any_other(parts: Parts) -> None:
    with sound(parts) as session:
        register(session, parts, 1, on=date(2026, 5, 9))
        register(session, parts, 2, on=date(2026, 7, 9))
    with parts.database.read() as session:
        assert [row.month for row in periods.listed(session)] == ["2026-07", "2026-06", "2026-05"]
    officer = factories.actor(parts, Role.OFFICER)
    with work_for(parts, officer) as work:
        desk.close(work, "2026-08")
    settle(parts)
    with work_for(parts, officer) as work:
        tasks.owe_night(work.session, work.today, at=work.now)
    settle(parts)
    with work_for(parts, officer) as work:
        assert [one.row.month for one in desk.listed(work) if one.may_close] == ["2026-10"]
    with parts.database.read() as session:
        months = {row.month: row for row in periods.listed(session)}
    states = {month: row.state for month, row in months.items()}
    assert states == {f"2026-{n:02d}": "closed" for n in range(5, 10)} | {"2026-10": "open"}
    came = [months[f"2026-{n:02d}"] for n in (6, 8, 9)]
    assert {(row.count, row.technical_fen, row.total_fen) for row in came} == {(0, 0, 0)}
    assert problems(parts) == []


def test_a_closed_month_keeps_what_it_came_to(closed: Parts) -> None:
    with closed.database.read() as session:
        months = {row.month: row for row in periods.listed(session)}
        assert (months["2026-09"].state, months["2026-10"].state) == ("closed", "open")
        assert months["2026-09"].technical_fen == 100 * WAN
        assert months["2026-09"].head_seq == 2
    for change in (
        "UPDATE ledger_period SET technical_fen = 0 WHERE state = 'closed'",
        "DELETE FROM ledger_period",
    ):
        with pytest.raises(DBAPIError, match="closed period"), closed.database.write() as session:
            session.execute(text(change))


def test_the_database_refuses_what_falls_in_a_closed_month(closed: Parts) -> None:
    copied = (
        "INSERT INTO ledger_transaction SELECT 99, book, 99, kind, 'x', 'x', generation, digest, "
        "effective_on, original_on, posted_at, reverses_id, register_id, previous_id, keyed_hash, "
        "contract_type, sub_type, field, project_name, seller_name, buyer_name, seller_id, "
        "buyer_id, seller_region, buyer_region, total_fen, technical_fen FROM ledger_transaction "
        "WHERE seq = 1"
    )
    columns = copied.split("SELECT 99, ")[1].split(" FROM", maxsplit=1)[0].replace("99", "seq", 1)
    names = columns.replace("'x', 'x'", "idempotency_key, subject_key")
    statement = copied.replace(
        "ledger_transaction SELECT", f"ledger_transaction (id, {names}) SELECT"
    )
    with pytest.raises(DBAPIError, match="closed period"), closed.database.write() as session:
        session.execute(text(statement))


def test_no_transaction_touches_both_books(closed: Parts) -> None:
    """An entry stands in the book of its transaction, and on accounts of that book alone."""
    for book, account in (("money", "money:x"), ("statistics", "money:x"), ("money", "contracts")):
        entry = text(
            "INSERT INTO ledger_entry (book, transaction_id, snapshot_id, account, amount_fen)"
            f" VALUES ('{book}', 1, 1, '{account}', 1)"
        )
        with pytest.raises(DBAPIError), closed.database.write() as session:
            session.execute(entry)


def test_a_month_that_is_not_over_or_is_closed_cannot_be_closed(closed: Parts) -> None:
    officer = factories.actor(closed, Role.OFFICER)
    with sound(closed) as session:
        register(session, closed, 9, on=date(2026, 11, 1))
    for month, error in (("2026-11", Conflict), ("2026-09", Conflict), ("2020-01", NotFound)):
        with pytest.raises(error), work_for(closed, officer) as work:
            desk.close(work, month)
    with pytest.raises(Forbidden), work_for(closed, factories.actor(closed)) as work:
        desk.close(work, "2026-10")


def test_a_month_closes_by_itself_only_after_one_was_closed_by_hand(parts: Parts, clock) -> None:
    kept = parts.database.info[KEEPING]
    parts.database.info[KEEPING] = Keeping(kept.key, kept.heads, close_days=10)
    with sound(parts) as session:
        register(session, parts, 1, on=date(2026, 9, 9))
        register(session, parts, 2, on=date(2026, 10, 9))
    assert _night(parts) is None
    with work_for(parts, factories.actor(parts, Role.OFFICER)) as work:
        desk.close(work, "2026-09")
    settle(parts)
    clock.set_local("2026-11-09 09:00")
    assert str(_night(parts)) == "2026-09-30"
    clock.set_local("2026-11-11 09:00")
    assert str(_night(parts)) == "2026-10-31"
    with parts.database.read() as session:
        assert periods.get(session, "2026-10").closed_by is None
    assert problems(parts) == []


def _night(parts: Parts) -> date | None:
    with parts.database.write() as session:
        now = parts.clock.now()
        tasks.owe_night(session, now.date(), at=now)
    settle(parts)
    with parts.database.read() as session:
        return periods.closed_through(session, Book.STATISTICS)


def test_a_close_stands_in_a_signed_file_with_its_figures(closed: Parts) -> None:
    with closed.database.read() as session:
        folder = keeping(session).heads
    assert folder is not None
    (file,) = folder.glob("*.json")
    said = json.loads(file.read_text())
    assert said["figures"] == {"2026-09": [1, 100 * WAN, 120 * WAN]}
    assert said["heads"]["statistics"][0] == 2
    assert file.stat().st_mode & 0o222 == 0
    with read_for(closed, factories.actor(closed, Role.AUDITOR)) as work:
        shown = {one.row.month: one for one in desk.listed(work)}
    assert (shown["2026-09"].seal, shown["2026-09"].may_close) == (1, False)


@pytest.mark.parametrize("damage", ["changed", "removed", "unreadable", "another key's"])
def test_a_damaged_file_is_found(closed: Parts, damage: str) -> None:
    with closed.database.read() as session:
        folder = keeping(session).heads
    assert folder is not None
    (file,) = folder.glob("*.json")
    said = json.loads(file.read_text())
    file.chmod(0o600)
    if damage == "removed":
        file.unlink()
    elif damage == "unreadable":
        file.write_text("{")
    else:
        content = {name: one for name, one in said.items() if name != "signature"}
        if damage == "changed":
            said["figures"] = {}
        else:
            said["signature"] = Key(b"x" * 32).signature(content)
        file.write_text(json.dumps(said))
    (told, *_) = problems(closed)
    assert "账头" in told


def test_without_the_key_nothing_is_posted_and_the_audit_says_so(closed: Parts) -> None:
    kept = closed.database.info[KEEPING]
    for key, told in ((None, "密钥不在这里"), (Key(b"x" * 32), "不是账册一直用的那一把")):
        closed.database.info[KEEPING] = Keeping(key, kept.heads)
        with pytest.raises(Conflict, match=told), closed.database.write() as session:
            register(session, closed, 7)
        assert problems(closed)
    closed.database.info[KEEPING] = kept
    assert problems(closed) == []


def test_an_old_copy_is_found_until_it_is_signed_for(closed: Parts) -> None:
    """What a restored backup lacks stands in the files; `restored` says that it is known."""
    with closed.database.read() as session:
        folder = keeping(session).heads
    assert folder is not None
    kept = {one.name: one.read_text() for one in folder.iterdir()}
    with sound(closed) as session:
        register(session, closed, 8)
    later = chaining.sign_now(closed)
    assert problems(closed) == []
    _cut_back(closed, to=2)
    told = problems(closed)
    assert any("被截去" in one for one in told)
    chaining.go_on(closed, "磁盘损坏，恢复昨天的备份")
    assert problems(closed) == []
    assert len(list(folder.iterdir())) == len(kept) + 2
    assert later["number"] == 2
    with closed.database.read() as session:
        assert set(heads.read_files(folder)) == {1, 2, 3}


def _cut_back(parts: Parts, *, to: int) -> None:
    """Put the database back as it was after so many transactions, as an old copy would be."""
    with parts.database.write() as session:
        unguard(session)
        for statement in (
            f"DELETE FROM ledger_entry WHERE transaction_id > {to}",
            f"DELETE FROM ledger_transaction WHERE seq > {to}",
            "DELETE FROM ledger_seal WHERE number > 1",
            "DELETE FROM ledger_record WHERE subject_key = 'statistics:2026-11'",
            "DELETE FROM ledger_period WHERE month = '2026-11'",
        ):
            session.execute(text(statement))
        for chain, table in (("statistics", "ledger_transaction"), ("records", "ledger_record")):
            session.execute(
                text(
                    f"UPDATE ledger_head SET seq = (SELECT max(seq) FROM {table}), hash = (SELECT"
                    f" keyed_hash FROM {table} ORDER BY seq DESC LIMIT 1) WHERE book = '{chain}'"
                )
            )
        triggers.install(session.connection())


def test_nights_in_which_no_head_is_signed_are_told(closed: Parts, clock: FakeClock) -> None:
    """Whoever keeps the night's job from running could cut off what no head has signed."""

    def told() -> list[str]:
        with closed.database.read() as session:
            return [one.what for one in audit.unsigned(session, clock.now())]

    clock.advance(hours=35)
    assert told() == []
    with closed.database.write() as session:
        day = local_date(clock.now())
        key = f"{tasks.KIND}:{day}"
        jobs.enqueue(session, tasks.KIND, key, {}, at=clock.now())
        session.execute(text("UPDATE job SET state = 'done' WHERE key = :key"), {"key": key})
        tasks.owe_night(session, day, at=clock.now())
    settle(closed)
    clock.advance(hours=1)
    (what,) = told()
    assert "没有签下账头" in what
    chaining.sign_now(closed)
    assert told() == []
