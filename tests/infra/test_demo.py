"""The demonstration market as it stands after loading: whole, in order, and loaded once."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Table, func, select
from sqlmodel import Session, col

from infra.cli import main
from infra.demo.cast import DEMO_PASSWORD, credit_code, organisations
from infra.demo.content import read
from infra.demo.load import accounts, banner_lines, load_demo
from infra.migrate import migrate
from infra.settings import Mode, SettingError, Settings
from infra.wiring import build_parts, close_parts
from market import jobs
from market.accounts import creditcode, passwords
from market.accounts.models import Organisation, Person, Verification
from market.accounts.work import Parts
from market.catalog import repository as catalog
from market.catalog import repository_reviews as catalog_reviews
from market.catalog.models import Listing, ListingState
from market.catalog.vocabulary import ListingKind
from market.deals.models import Contract, Deal, Inquiry, Introduction, PricingPath
from market.kit import changes
from market.kit.audit import AuditRow, Outcome
from market.kit.changes import Change, Consumer, Delivery, DeliveryState
from market.kit.clock import local_date
from market.kit.errors import Forbidden
from market.kit.notify import Notice
from market.ledger import service as ledger
from market.ledger.schemas import By, Slice
from market.registry.models import Registration
from market.rules import service as rules
from market.tables import metadata

ROOT = Path(__file__).resolve().parents[2]
REGION = "500106"
DEALS = read("deals")["deals"]
HISTORY = read("history")
ACHIEVEMENTS = {row["own_number"]: row for row in read("achievements")}
ORGANISATIONS = {row["key"]: row for row in organisations()}

LOADS = """
from infra.demo.load import load_demo
from infra.settings import load
from infra.wiring import build_parts
load_demo(build_parts(load()), lambda line: print(line, flush=True))
"""


@dataclass(frozen=True)
class Market:
    """A loaded market, and what came of loading it."""

    parts: Parts
    settings: Settings
    after_the_kill: Counter[str]
    loads: list[bool]


def rows_of(parts: Parts) -> Counter[str]:
    """Return the number of rows by table, without the empty ones."""
    with parts.database.read() as session:
        tables: list[Table] = metadata().sorted_tables
        return Counter(
            {
                table.name: count
                for table in tables
                if (count := session.execute(select(func.count()).select_from(table)).scalar_one())
            }
        )


def killed_while_loading(settings: Settings) -> None:
    loading = subprocess.Popen(
        [sys.executable, "-c", LOADS],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={
            "ZHIHE_DATA_DIR": str(settings.data_dir),
            "ZHIHE_DATABASE_URL": settings.database,
            "PYTHONPATH": str(ROOT),
        },
    )
    assert loading.stdout is not None
    assert loading.stdout.readline(), "it has begun"
    time.sleep(0.7)
    loading.kill()
    assert loading.wait() == -9, "it was killed before it had finished"
    loading.stdout.close()


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def market(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Market]:
    """Loaded after one attempt was killed; on PostgreSQL by two at the same moment."""
    folder = tmp_path_factory.mktemp("demo")
    with ExitStack() as stack:
        if request.param == "postgres":
            server = request.getfixturevalue("postgres")
            settings = Settings(
                data_dir=folder, database_url=stack.enter_context(server.database(migrate))
            )
            at_once = 2
        else:
            settings = Settings(data_dir=folder)
            migrate(settings.database)
            at_once = 1
        parts = build_parts(settings)
        stack.callback(close_parts, parts)
        before = rows_of(parts)
        killed_while_loading(settings)
        left = rows_of(parts) - before
        with ThreadPoolExecutor() as pool:
            loads = list(pool.map(lambda _: load_demo(parts, lambda _: None), range(at_once)))
        yield Market(parts, settings, left, loads)


@pytest.fixture
def session(market: Market) -> Iterator[Session]:
    with market.parts.database.read() as session:
        yield session


def test_an_attempt_that_was_killed_leaves_nothing(market: Market) -> None:
    assert market.after_the_kill == Counter()


def test_it_is_loaded_once_and_running_again_changes_nothing(market: Market) -> None:
    assert sum(market.loads) == 1
    before = rows_of(market.parts)
    assert load_demo(market.parts, pytest.fail) is False
    assert rows_of(market.parts) == before


def test_nothing_is_loaded_outside_demo_mode(parts: Parts) -> None:
    before = rows_of(parts)
    with pytest.raises(Forbidden, match="demo"):
        load_demo(replace(parts, demo=False), pytest.fail)
    assert rows_of(parts) == before


def test_production_refuses_a_database_that_holds_the_demonstration(market: Market) -> None:
    production = replace(
        market.settings, mode=Mode.PRODUCTION, secret="x" * 32, hosts=("market.example.com",)
    )
    with pytest.raises(SettingError, match="示范数据"):
        build_parts(production)
    empty = market.settings.data_dir / "empty.db"
    migrate(f"sqlite:///{empty}")
    close_parts(build_parts(replace(production, database_url=f"sqlite:///{empty}")))


# ---------------------------------------------------------------------- organisations, people


def test_everyone_is_marked_verified_and_unmistakably_invented(session: Session) -> None:
    found = session.scalars(select(Organisation)).all()
    waits = read("pending")["founds"]["organisation"]
    assert {row.name for row in found} == {row["name"] for row in ORGANISATIONS.values()} | {waits}
    assert all(row.demo for row in found)
    unverified = [row.name for row in found if row.verification != Verification.VERIFIED]
    assert unverified == [waits], "one waits for the bureau"
    for row in found:
        assert row.credit_code is not None
        assert row.credit_code.startswith("X1990000")
        assert creditcode.problem(row.credit_code) is None
    assert all(row.email.endswith(".example") for row in session.scalars(select(Person)))


def test_made_credit_codes_continue_those_of_the_content() -> None:
    written = {row["credit_code"] for row in read("organisations")}
    assert {credit_code(int(code[8:16])) for code in written} == written
    assert len({row["credit_code"] for row in ORGANISATIONS.values()}) == len(ORGANISATIONS)


def test_the_people_of_the_content_sign_in_and_nobody_else(session: Session) -> None:
    hashes = {row.email: row.password_hash for row in session.scalars(select(Person))}
    listed = {row["email"] for row in read("people")}
    assert {email for email, secret in hashes.items() if secret} == listed
    assert len({hashes[email] for email in listed}) == 1
    assert passwords.matches(DEMO_PASSWORD, hashes["officer@keji.example"])


def test_accounts_are_told_as_json_and_as_lines(market: Market) -> None:
    told = json.loads(json.dumps(accounts(market.parts)))
    assert [row["email"] for row in told["accounts"]] == [row["email"] for row in read("people")]
    assert told["password"] == DEMO_PASSWORD
    assert {row["credit_code"] for row in told["organisations"]} == {
        row["credit_code"] for row in ORGANISATIONS.values()
    }
    lines = banner_lines(market.parts)
    assert "\n".join(lines).count(DEMO_PASSWORD) == 1
    assert {line.split()[0] for line in lines if "@" in line} < {
        row["email"] for row in told["accounts"]
    }
    assert "zhihe demo" in lines[-1]


def test_the_command_lists_accounts_and_codes(market: Market) -> None:
    environment = {
        "ZHIHE_DATA_DIR": str(market.settings.data_dir),
        "ZHIHE_DATABASE_URL": market.settings.database,
    }
    run = CliRunner().invoke(main, ["demo", "--json"], env=environment)
    assert json.loads(run.stdout) == accounts(market.parts), run.output
    shown = CliRunner().invoke(main, ["demo"], env=environment).stdout
    for row in read("people"):
        assert row["email"] in shown
    for row in ORGANISATIONS.values():
        assert f"{row['credit_code']}  {row['kind']}" in shown


# ----------------------------------------------------------------------------------- listings


def test_listings_are_public_since_their_day(session: Session) -> None:
    assert catalog.public_counts(session) == {ListingKind.ACHIEVEMENT: 60, ListingKind.DEMAND: 40}
    for row in [*read("achievements"), *read("demands")]:
        listing = session.scalars(
            select(Listing).where(col(Listing.own_number) == row["own_number"])
        ).one()
        assert listing.published_at is not None
        assert local_date(listing.published_at).isoformat() == row["published_on"]
        assert listing.number is not None
        assert listing.number[2:6] == row["published_on"][:4]
        assert listing.masked is row.get("masked", False)


def test_numbers_follow_the_days(session: Session) -> None:
    for column, at in ((Listing.number, Listing.published_at), (Deal.number, Deal.created_at)):
        given = session.execute(
            select(col(column), col(at)).where(col(column).is_not(None)).order_by(col(at))
        ).all()
        by_series: dict[str, list[str]] = {}
        for number, _ in given:
            by_series.setdefault(number[:-5], []).append(number)
        for name, numbers in by_series.items():
            assert numbers == [f"{name}{n:05d}" for n in range(1, len(numbers) + 1)]


def test_index_and_matcher_are_owed_every_public_listing(session: Session) -> None:
    public = set(
        session.scalars(select(col(Listing.id)).where(col(Listing.state) == ListingState.PUBLISHED))
    )
    for consumer in Consumer:
        owed = session.scalars(
            select(col(Change.subject_id))
            .join(Delivery, col(Delivery.change_id) == col(Change.id))
            .where(
                col(Change.subject_kind) == changes.SubjectKind.LISTING,
                col(Delivery.consumer) == consumer,
                col(Delivery.state) == DeliveryState.WAITING,
            )
        )
        assert public <= set(owed)


# -------------------------------------------------------------------------------------- deals


def deal_of(session: Session, row: dict[str, Any]) -> Deal | None:
    """Return the deal of the content's row, by its achievement and its buyer."""
    return session.scalars(
        select(Deal)
        .join(Listing, col(Listing.id) == col(Deal.achievement_id))
        .join(Organisation, col(Organisation.id) == col(Deal.buyer_id))
        .where(
            col(Listing.own_number) == row["achievement"],
            col(Organisation.name) == ORGANISATIONS[row["buyer"]]["name"],
        )
    ).one_or_none()


def stands_at(session: Session, row: dict[str, Any]) -> str:
    """Return the stage, in the content's words, at which a deal stands by its rows alone."""
    deal = deal_of(session, row)
    if deal is None:
        kind = Introduction if row["broker"] else Inquiry
        about = kind.achievement_id if kind is Introduction else kind.listing_id
        (state,) = session.scalars(
            select(col(kind.state))
            .join(Listing, col(Listing.id) == col(about))
            .where(col(Listing.own_number) == row["achievement"])
        )
        return f"{'introduction' if row['broker'] else 'inquiry'}_{state}"
    contract = session.scalars(
        select(Contract).where(col(Contract.deal_id) == deal.id)
    ).one_or_none()
    path = session.scalars(
        select(PricingPath).where(col(PricingPath.deal_id) == deal.id)
    ).one_or_none()
    if contract is None:
        if deal.terms_version == 0:
            return "inquiry_answered"
        return "publicised" if path else deal.state
    registration = session.scalars(
        select(Registration).where(col(Registration.contract_id) == contract.id)
    ).one_or_none()
    if registration is not None:
        return registration.state
    return {"drafted": "contract_drafted"}.get(contract.state, contract.state)


@pytest.mark.parametrize("row", DEALS, ids=[row["key"] for row in DEALS])
def test_a_deal_stands_where_the_content_says(session: Session, row: dict[str, Any]) -> None:
    assert stands_at(session, row) == row["stage"]


def test_days_of_contracts_and_decisions_are_those_of_the_content(session: Session) -> None:
    told = [
        (row["contract"]["project_name"], row["contract"]["signed_on"], row["registration"])
        for row in DEALS
        if row["contract"] and row["registration"]
    ]
    told += [
        (
            row["project_name"],
            row["signed_on"],
            {
                "number": row["number"],
                "decided_on": row["registered_on"],
                "technical_fen": row["technical_fen"],
                "total_fen": row["total_fen"],
            },
        )
        for row in HISTORY
    ]
    found = {
        contract.project_name: (contract, registration)
        for registration, contract in session.execute(
            select(Registration, Contract).join(
                Contract, col(Contract.id) == col(Registration.contract_id)
            )
        )
    }
    assert set(found) == {project for project, _, _ in told}
    for project, signed_on, expected in told:
        contract, registration = found[project]
        assert str(contract.signed_on) == signed_on
        if expected["number"] is None:
            assert registration.number is None
            continue
        assert registration.number == expected["number"]
        assert str(registration.decided_on) == expected["decided_on"]
        assert registration.technical_fen == expected["technical_fen"]
        assert registration.total_fen == expected["total_fen"]
        assert registration.difference_reason == ""


def test_names_are_public_where_both_sides_agreed(session: Session) -> None:
    agreed = {row["project_name"] for row in HISTORY if row["disclosed"]}
    agreed |= {row["contract"]["project_name"] for row in DEALS if all(row["disclosure"].values())}
    public = session.scalars(
        select(col(Contract.project_name)).where(
            col(Contract.seller_agrees_public), col(Contract.buyer_agrees_public)
        )
    )
    assert set(public) == agreed


def test_what_a_past_contract_was_needed_for_is_withdrawn(session: Session) -> None:
    gone = session.scalars(
        select(col(Deal.title))
        .join(Listing, col(Listing.id) == col(Deal.demand_id))
        .where(col(Listing.state) == ListingState.WITHDRAWN)
    ).all()
    assert sorted(gone) == sorted(row["project_name"] for row in HISTORY)


# ---------------------------------------------------------------------------- what waits


def test_every_role_has_something_to_do(session: Session) -> None:
    told = read("pending")
    open_now = session.scalars(select(Notice).where(col(Notice.settled_at).is_(None))).all()
    names = dict(session.execute(select(col(Organisation.id), col(Organisation.name))).all())
    (countered,) = (row for row in DEALS if row["terms"] and row["terms"].get("counter"))
    waits = {(row.kind, row.role or names.get(row.organisation_id)) for row in open_now}
    for kind, org in (
        ("inquiry.received", "daxue1"),
        ("member.requested", told["joins"]["org"]),
        ("mandate.offered", told["mandate"]["agency"]),
        ("listing.refused", "daxue2"),
        ("deal.terms", ACHIEVEMENTS[countered["achievement"]]["org"]),
    ):
        assert (kind, ORGANISATIONS[org]["name"]) in waits
    for kind in ("listing.submitted", "organisation.pending", "registration.submitted"):
        assert (kind, "officer") in waits
    assert catalog_reviews.submissions_waiting(session) == sum(
        row["answer"] is None for row in told["listings"]
    )
    for name in ("机构和成员", "成果和需求", "委托", "洽谈", "登记", "账"):
        assert list(jobs.AUDITS[name](session)) == [], name


# -------------------------------------------------------------------------- board, plan, audit


def counted() -> Iterator[tuple[str, int, str]]:
    """Yield (day, 技术交易额 in fen, seller's region) of all that the content calls registered."""
    for row in HISTORY:
        yield row["registered_on"], row["technical_fen"], ORGANISATIONS[row["seller"]]["region"]
    for row in DEALS:
        if row["stage"] == "registered":
            seller = ORGANISATIONS[ACHIEVEMENTS[row["achievement"]]["org"]]
            decision = row["registration"]
            yield decision["decided_on"], decision["technical_fen"], seller["region"]


def test_the_board_is_the_sum_of_the_content(session: Session) -> None:
    here = [(on, fen) for on, fen, region in counted() if region == REGION]
    part = Slice(seller_region=REGION)
    total = ledger.total(session, part)
    assert (total.count, total.technical_fen) == (len(here), sum(fen for _, fen in here))
    assert f"{total.technical_fen / 10_000_000_000:.2f}" == "21.86"
    years = Counter[str]()
    for on, fen in here:
        years[on[:4]] += fen
    assert {row.key: row.technical_fen for row in ledger.sums(session, By.YEAR, part)} == years
    assert ledger.total(session, Slice()).count == len(list(counted()))
    assert ledger.verify(session) == []


def test_registration_numbers_are_no_registry_s(session: Session) -> None:
    numbers = session.scalars(
        select(col(Registration.number)).where(col(Registration.number).is_not(None))
    )
    assert all(number.startswith("0000") for number in numbers if number)


def test_the_plan_is_in_force(session: Session) -> None:
    plan = rules.current_plan(session)
    assert plan is not None
    assert {name: str(getattr(plan, name)) for name in read("plan")} == {
        name: str(value) for name, value in read("plan").items()
    }


def test_every_step_has_its_audit_row_in_order(session: Session) -> None:
    rows = session.scalars(select(AuditRow).order_by(col(AuditRow.id))).all()
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert local_date(rows[-2].at) <= date(2026, 11, 22)
    assert {row.outcome for row in rows} == {Outcome.DONE}
    assert all(row.subject for row in rows[:-1])
    done = Counter(row.action for row in rows)
    signed = [row for row in DEALS if row["contract"] and row["contract"]["signed_on"]]
    assert done["contract.sign"] == 2 * (len(signed) + len(HISTORY))
    assert done["registration.decide"] == len(HISTORY) + sum(
        row["stage"] in {"registered", "not_registered"} for row in DEALS
    )
    assert done["mandate.accept"] == len(read("deals")["mandates"])
    assert done["deal.note"] == sum(len(row["notes"]) + len(row["plans"]) for row in DEALS)
    assert done["demo.load"] == 1
    officers = {row.role for row in rows if row.action == "registration.decide"}
    assert officers == {"officer"}
