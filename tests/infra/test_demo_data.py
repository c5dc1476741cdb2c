"""The content of the demonstration market: complete, consistent, and unmistakably invented."""

import json
import re
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from chinese_calendar import is_workday

import infra
from market.accounts import creditcode
from market.accounts.policy import OrganisationKind
from market.catalog.schemas import AchievementText, DemandText
from market.catalog.vocabulary import FIELDS, REGIONS
from market.deals.vocabulary import (
    PRICED_TYPES,
    SUB_TYPES,
    ContractType,
    LostReason,
    PayMethod,
)
from market.kit.workdays import period_end
from market.rules.transfer import PUBLICITY_DAYS
from search.ranking import Ranker, TermStatistics, Text

FOLDER = Path(infra.__file__).parent / "demo" / "data"
FEN_PER_YI = 10_000_000_000

# What a person would say fits: a demand and the achievements that answer it, or nearly do.
FITTING = {
    "SLJD-X-2026-01": ["SF1-2024-011"],
    "SLJD-X-2026-02": ["SF1-2024-018"],
    "SLJD-X-2026-03": ["SF1-2025-014"],
    "SLJD-X-2026-04": ["SF1-2024-005"],
    "SLJD-X-2026-05": ["SF1-2024-027"],
    "SLJD-X-2026-06": ["SF1-2024-031"],
    "SLQC-X-2026-01": ["MB-2025-001"],
    "SLQC-X-2026-02": ["SF1-2025-006"],
    "SLQC-X-2026-03": ["SF3-2024-012", "SF3-2025-007"],
    "SLQC-X-2026-04": ["SF1-2025-020"],
    "SLQC-X-2026-05": ["SF1-2025-026"],
    "SLQC-X-2026-06": ["SF3-2024-009"],
    "SLSW-X-2026-01": ["SF2-2024-008"],
    "SLSW-X-2026-02": ["SF2-2024-003"],
    "SLSW-X-2026-03": ["SF2-2024-014"],
    "SLSW-X-2026-04": ["SF2-2025-010"],
    "SLSW-X-2026-05": ["SF2-2025-013"],
    "SLSW-X-2026-06": ["SF2-2024-017"],
    "SLXC-X-2026-01": ["SF3-2024-025"],
    "SLXC-X-2026-02": ["SF1-2025-023"],
    "SLXC-X-2026-03": ["SF3-2025-009"],
    "SLHJ-X-2026-01": ["SF3-2025-015"],
    "SLHJ-X-2026-02": ["SF3-2024-030"],
    "SLHJ-X-2026-03": ["SF1-2024-044"],
    "SLHJ-X-2026-04": ["SF3-2025-024"],
    "SLNY-X-2026-01": ["SF2-2024-020"],
    "SLNY-X-2026-02": ["SF1-2023-019"],
    "SLNY-X-2026-03": ["SF2-2025-016"],
}
NEARLY = {
    "SLJD-X-2026-07": ["SF3-2026-005"],
    "SLQC-X-2026-07": ["SF1-2024-036"],
    "SLSW-X-2026-07": ["SF1-2025-003"],
    "SLHJ-X-2026-05": ["SF3-2026-002"],
    "SLHJ-X-2026-06": ["SF3-2025-018"],
    "SLNY-X-2026-04": ["SF3-2025-021"],
}
UNANSWERED = {
    "SLJD-X-2026-08",
    "SLQC-X-2026-08",
    "SLSW-X-2026-08",
    "SLXC-X-2026-04",
    "SLHJ-X-2026-07",
    "SLNY-X-2026-05",
}

STAGES = {
    "inquiry_open": set(),
    "inquiry_answered": {"answer"},
    "introduction_proposed": set(),
    "negotiation": {"answer", "terms"},
    "agreed": {"terms"},
    "publicised": {"terms", "pricing"},
    "contract_drafted": {"terms", "contract"},
    "signed": {"terms", "contract"},
    "submitted": {"terms", "contract", "registration"},
    "registered": {"terms", "contract", "registration"},
    "not_registered": {"terms", "contract", "registration"},
    "lost": {"terms", "lost"},
}
CONTRACTED = ("contract_drafted", "signed", "submitted", "registered", "not_registered")


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


ORGANISATIONS = {row["key"]: row for row in load("organisations")}
PEOPLE = load("people")
ACHIEVEMENTS = {row["own_number"]: row for row in load("achievements")}
DEMANDS = {row["own_number"]: row for row in load("demands")}
MANDATES = load("deals")["mandates"]
DEALS = load("deals")["deals"]
HISTORY = load("history")
PLAN = load("plan")
DIRECTORY = load("directory")

each_achievement = pytest.mark.parametrize("row", ACHIEVEMENTS.values(), ids=ACHIEVEMENTS)
each_demand = pytest.mark.parametrize("row", DEMANDS.values(), ids=DEMANDS)
each_deal = pytest.mark.parametrize("deal", DEALS, ids=[deal["key"] for deal in DEALS])


def rests(on: date) -> bool:
    return not is_workday(on)


def texts(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [text for value in node.values() for text in texts(value)]
    if isinstance(node, list):
        return [text for value in node for text in texts(value)]
    return [node] if isinstance(node, str) else []


def seller_of(deal: dict[str, Any]) -> dict[str, Any]:
    return ORGANISATIONS[ACHIEVEMENTS[deal["achievement"]]["org"]]


# ------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.name)
def test_files_are_pretty_printed_utf_8(path: Path) -> None:
    raw = path.read_text("utf-8")
    assert raw == json.dumps(json.loads(raw), ensure_ascii=False, indent=2) + "\n"


def test_the_market_has_the_size_that_was_promised() -> None:
    kinds = Counter(row["kind"] for row in ORGANISATIONS.values())
    assert kinds == {"university": 4, "company": 6, "agency": 2, "bureau": 1, "platform": 1}
    assert set(kinds) == set(OrganisationKind)
    assert (len(ACHIEVEMENTS), len(load("achievements"))) == (60, 60)
    assert (len(DEMANDS), len(load("demands"))) == (40, 40)
    assert len(DEALS) == 18
    assert 40 <= len(HISTORY) <= 50
    assert len(DIRECTORY) == 24


@pytest.mark.parametrize(
    "rows",
    [ACHIEVEMENTS.values(), DEMANDS.values(), PEOPLE, HISTORY, ORGANISATIONS.values()],
    ids=["achievements", "demands", "people", "history", "organisations"],
)
def test_keys_are_unique_and_complete(rows: Any) -> None:
    rows = list(rows)
    assert len({tuple(row) for row in rows}) == 1, "every row has the same fields in one order"
    for name in ("own_number", "key", "number", "email", "phone", "credit_code"):
        if name in rows[0]:
            assert len({row[name] for row in rows}) == len(rows), name


# ---------------------------------------------------------------- organisations and people


@pytest.mark.parametrize("row", ORGANISATIONS.values(), ids=ORGANISATIONS)
def test_credit_codes_check_but_lie_outside_the_assigned_ranges(row: dict[str, Any]) -> None:
    code = row["credit_code"]
    assert creditcode.problem(code) is None
    assert code[0] not in "123456789ANY", "a registration department in use"
    assert code[2:8] == "990000"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714, the organisation code inside
    rest = 11 - sum(int(c) * w for c, w in zip(code[8:16], weights, strict=True)) % 11
    assert code[16] == "0123456789X0"[rest]


def test_organisations_say_that_they_are_invented() -> None:
    for row in ORGANISATIONS.values():
        assert re.search("示范|示例", row["name"])
        assert row["region"] in REGIONS
    universities = [row for row in ORGANISATIONS.values() if row["kind"] == "university"]
    assert sum(row["state_founded"] for row in universities) == 3
    assert any(row["self_publish"] for row in universities)
    for contract in HISTORY:
        assert contract["buyer"] or contract["buyer_name"].startswith("示例")


def test_people_have_reserved_addresses_and_numbers() -> None:
    for row in PEOPLE:
        assert re.fullmatch("(示范|演示)[\u4e00-\u9fff]{2}", row["name"])
        assert re.fullmatch(r"[a-z]+@[a-z0-9]+\.example", row["email"])
        assert re.fullmatch(r"138000000\d\d", row["phone"])


def test_every_organisation_has_someone_and_every_role_is_filled() -> None:
    roles: dict[str, set[str]] = {key: set() for key in ORGANISATIONS}
    for row in PEOPLE:
        roles[row["org"]].add(row["role"])
    for key, found in roles.items():
        kind = ORGANISATIONS[key]["kind"]
        expected = {"bureau": {"officer"}, "platform": {"operator", "auditor"}}.get(kind)
        if expected:
            assert found == expected
        else:
            assert "manager" in found
            assert found <= {"manager", "editor", "viewer"}
    assert roles["daxue1"] == {"manager", "editor", "viewer"}


# ---------------------------------------------------------------------------------- listings


@each_achievement
def test_achievement(row: dict[str, Any]) -> None:
    text = AchievementText(
        title=row["title"],
        summary=row["summary"],
        body=row["body"],
        keywords=row["keywords"],
        field=row["field"],
        region=row["region"],
        modes=row["modes"],
        price=row["price"],
        maturity_level=row["maturity"]["level"],
        application=row["application"],
        advantage=row["advantage"],
        ip_status=row["ip_status"],
        ip_numbers="、".join(row["ip_numbers"]),
    )
    assert row["maturity"]["scale"] == "9"
    assert len(text.title) <= 40
    assert 60 <= len(text.summary) <= 120
    assert 200 <= len(text.body) <= 500
    assert 3 <= len(text.keywords) <= 6
    assert text.modes
    assert text.application
    assert text.advantage
    assert ORGANISATIONS[row["org"]]["kind"] in {"university", "company"}
    assert row["region"] == ORGANISATIONS[row["org"]]["region"]
    assert all(number.startswith("示范") for number in row["ip_numbers"])
    assert len(re.findall(r"\d+(?:\.\d+)?", row["body"])) >= 5, "measured figures"


@each_demand
def test_demand(row: dict[str, Any]) -> None:
    text = DemandText(
        title=row["title"],
        body=row["body"],
        field=row["field"],
        modes=row["modes"],
        price=row["budget"],
        problem=row["problem"],
        key_technology=row["key_technology"],
        expected_goal=row["expected_goal"],
        deadline=row["deadline"],
        need_maturity=row["need_maturity"],
    )
    assert len(text.title) <= 40
    assert 150 <= len(text.body) <= 400
    assert text.problem
    assert text.key_technology
    assert text.expected_goal
    assert text.deadline
    assert date(2026, 12, 15) <= text.deadline <= date(2027, 10, 31)
    assert ORGANISATIONS[row["org"]]["kind"] == "company"
    if row["masked"]:
        shown = "".join(texts({k: v for k, v in row.items() if k not in {"org", "own_number"}}))
        assert ORGANISATIONS[row["org"]]["name"] not in shown


def test_listings_cover_fields_owners_and_kinds_of_price() -> None:
    for rows in (ACHIEVEMENTS.values(), DEMANDS.values()):
        assert {row["field"] for row in rows} == set(FIELDS)
    owners = {row["org"] for row in ACHIEVEMENTS.values()}
    assert {key for key, row in ORGANISATIONS.items() if row["kind"] == "university"} < owners
    prices = [row["price"] for row in ACHIEVEMENTS.values()]
    assert {price["form"] for price in prices} == {"none", "fixed", "from", "up_to", "range"}
    assert {price["basis"] for price in prices} == {"total", "year", "unit"}
    assert sum(row["masked"] for row in DEMANDS.values()) == 6
    assert any(row["need_maturity"] is None for row in DEMANDS.values())
    numbers = [number for row in ACHIEVEMENTS.values() for number in row["ip_numbers"]]
    assert len(numbers) == len(set(numbers))


def test_the_scorer_sees_what_fits_and_what_does_not() -> None:
    """28 demands have a clear answer, 6 a near one, 6 none at all."""
    assert (len(FITTING), len(NEARLY), len(UNANSWERED)) == (28, 6, 6)
    assert {*FITTING, *NEARLY, *UNANSWERED} == set(DEMANDS)
    wanted = {
        number: Text(
            row["title"],
            "\n".join(row[part] for part in ("body", "problem", "key_technology", "expected_goal")),
        )
        for number, row in DEMANDS.items()
    }
    offered = {
        number: Text(row["title"], "\n".join([row["summary"], row["body"], *row["keywords"]]))
        for number, row in ACHIEVEMENTS.items()
    }
    ranker = Ranker(TermStatistics.of([*wanted.values(), *offered.values()]))
    scores = {
        number: {key: ranker.score(text, other) for key, other in offered.items()}
        for number, text in wanted.items()
    }
    for number, answers in FITTING.items():
        best = sorted(scores[number], key=lambda key: -scores[number][key])
        assert set(best[: len(answers)]) == set(answers), number
    for number, answers in NEARLY.items():
        best = sorted(scores[number], key=lambda key: -scores[number][key])
        assert answers[0] in best[:3], number
    lowest = min(max(scores[number].values()) for number in FITTING)
    highest = max(max(scores[number].values()) for number in UNANSWERED)
    assert lowest > highest


# ------------------------------------------------------------------------------------- deals


def test_deals_stand_at_every_stage() -> None:
    stages = Counter(deal["stage"] for deal in DEALS)
    assert set(stages) == set(STAGES)
    assert stages["registered"] >= 6
    years = {d["registration"]["decided_on"][:4] for d in DEALS if d["stage"] == "registered"}
    assert years == {"2024", "2025", "2026"}
    assert {deal["start"] for deal in DEALS} == {"inquiry", "introduction"}
    assert len({tuple(deal) for deal in DEALS}) == 1


@each_deal
def test_deal_has_the_parts_of_its_stage(deal: dict[str, Any]) -> None:
    needed = STAGES[deal["stage"]]
    parts = {"answer", "terms", "pricing", "contract", "registration", "lost"}
    assert needed <= {part for part in parts if deal[part]}
    assert bool(deal["contract"]) == (deal["stage"] in CONTRACTED)
    assert bool(deal["registration"]) == (
        deal["stage"] in {"submitted", "registered", "not_registered"}
    )
    assert bool(deal["lost"]) == (deal["stage"] == "lost")
    assert bool(deal["inquiry"]) == (deal["start"] == "inquiry")
    assert bool(deal["introduction"]) == bool(deal["broker"]) == (deal["start"] == "introduction")
    if deal["lost"]:
        assert deal["lost"]["side"] in {"seller", "buyer"}
        assert deal["lost"]["reason"] in list(LostReason)


@each_deal
def test_deal_refers_to_what_exists(deal: dict[str, Any]) -> None:
    seller = seller_of(deal)
    assert ORGANISATIONS[deal["buyer"]]["kind"] == "company"
    if deal["demand"]:
        assert DEMANDS[deal["demand"]]["org"] == deal["buyer"]
    if deal["terms"]:
        assert deal["terms"]["mode"] in ACHIEVEMENTS[deal["achievement"]]["modes"]
    for note in deal["notes"]:
        assert note["by"] in {seller["key"], deal["buyer"], deal["broker"]}
    if deal["broker"]:
        on = deal["introduction"]["proposed_on"]
        assert deal["demand"]
        assert any(
            mandate["agency"] == deal["broker"]
            and mandate["principal"] in {seller["key"], deal["buyer"]}
            and mandate["valid_from"] <= on <= mandate["valid_until"]
            for mandate in MANDATES
        )


@each_deal
def test_deal_happens_in_order(deal: dict[str, Any]) -> None:
    part: dict[str, dict[str, Any]] = {
        name: value or {}
        for name, value in deal.items()
        if name != "notes" and not isinstance(value, str)
    }
    listings = [
        ACHIEVEMENTS[deal["achievement"]],
        *([DEMANDS[deal["demand"]]] if deal["demand"] else []),
    ]
    path = part["pricing"]
    steps = [
        max(listing["published_on"] for listing in listings),
        part["inquiry"].get("asked_on") or part["introduction"].get("proposed_on"),
        part["answer"].get("answered_on") or part["introduction"].get("seller_accepted_on"),
        part["terms"].get("agreed_on"),
        path.get("published_on"),
        path.get("dealt_on"),
        part["contract"].get("drafted_on"),
        part["contract"].get("signed_on"),
        part["registration"].get("submitted_on"),
        part["registration"].get("decided_on"),
        part["lost"].get("on"),
    ]
    given = [step for step in steps if step]
    assert given == sorted(given)
    assert given[-1] <= "2026-11-22"
    notes = [note["on"] for note in deal["notes"]]
    assert notes == sorted(notes)
    for name in ("published_on", "decided_on"):
        for day in (path.get(name), part["registration"].get(name)):
            assert day is None or is_workday(date.fromisoformat(day))


@each_deal
def test_state_units_publicise_before_they_sign(deal: dict[str, Any]) -> None:
    contract, path = deal["contract"], deal["pricing"]
    if contract:
        priced = contract["type"] in PRICED_TYPES and seller_of(deal)["state_founded"]
        assert bool(path) == priced
    if path:
        assert path["path"] in {"agreement", "listing"}
    if path and path["path"] == "agreement" and contract:
        last = period_end(date.fromisoformat(path["published_on"]), PUBLICITY_DAYS, rests)
        assert contract["signed_on"] is None or date.fromisoformat(contract["signed_on"]) > last
    if path and path["path"] == "listing":
        assert path["exchange"].startswith("示例")
        assert path["dealt_on"]


@each_deal
def test_amounts_agree(deal: dict[str, Any]) -> None:
    contract, registration = deal["contract"], deal["registration"]
    if not contract:
        return
    assert contract["sub_type"] in SUB_TYPES[ContractType(contract["type"])]
    assert contract["pay_method"] in list(PayMethod)
    assert contract["begins_on"] < contract["ends_on"]
    assert contract["total_fen"] == deal["terms"]["amount_fen"]
    assert sum(line["amount_fen"] for line in contract["lines"]) == contract["total_fen"]
    assert all(line["amount_fen"] > 0 for line in contract["lines"])
    technical = sum(
        line["amount_fen"]
        for line in contract["lines"]
        if line["kind"] == "technical" or line["reasonable_quantity"]
    )
    assert 0 < technical <= contract["total_fen"]
    if deal["stage"] == "registered":
        assert registration["decision"] == "registered"
        assert registration["total_fen"] == contract["total_fen"]
        assert registration["technical_fen"] == technical
    if deal["stage"] == "not_registered":
        assert registration["decision"] == "not_registered"
        assert registration["number"] is None
        assert registration["reason"]
        assert registration["note"]


def test_mandates_name_an_agency_and_another_organisation() -> None:
    pairs = [(mandate["agency"], mandate["principal"]) for mandate in MANDATES]
    assert len(pairs) == len(set(pairs))
    for mandate in MANDATES:
        assert ORGANISATIONS[mandate["agency"]]["kind"] == "agency"
        assert ORGANISATIONS[mandate["principal"]]["kind"] in {"university", "company"}
        assert mandate["as_seller"] or mandate["as_buyer"]
        assert mandate["valid_from"] < mandate["valid_until"]
    assert {mandate["agency"] for mandate in MANDATES} == {"zhuanyi", "jingji"}


# ------------------------------------------------------------------- contracts on the board


def test_registration_numbers_are_unique_and_no_registry_s() -> None:
    numbers = [row["number"] for row in HISTORY]
    numbers += [d["registration"]["number"] for d in DEALS if d["stage"] == "registered"]
    assert len(numbers) == len(set(numbers))
    assert all(re.fullmatch(r"0000\d{12}", number) for number in numbers)


@pytest.mark.parametrize("row", HISTORY, ids=[row["number"] for row in HISTORY])
def test_registered_contract(row: dict[str, Any]) -> None:
    assert row["seller"] in ORGANISATIONS
    assert (row["buyer"] is None) != (row["buyer_name"] is None)
    assert row["buyer"] is None or row["buyer_region"] == ORGANISATIONS[row["buyer"]]["region"]
    assert row["buyer_region"] in REGIONS
    assert row["seller"] != row["buyer"]
    assert row["sub_type"] in SUB_TYPES[ContractType(row["type"])]
    assert row["field"] in FIELDS
    assert 0 < row["technical_fen"] <= row["total_fen"]
    signed, registered = map(date.fromisoformat, (row["signed_on"], row["registered_on"]))
    assert 0 < (registered - signed).days <= 60
    assert is_workday(registered)
    assert is_workday(signed)


def test_the_curve_runs_a_little_behind_the_plan() -> None:
    assert PLAN["region"] == "500106"
    assert (PLAN["baseline_fen"], PLAN["target_fen"]) == (2 * FEN_PER_YI, 40 * FEN_PER_YI)
    counted = [
        (row["registered_on"], row["technical_fen"])
        for row in HISTORY
        if ORGANISATIONS[row["seller"]]["region"] == PLAN["region"]
    ]
    counted += [
        (deal["registration"]["decided_on"], deal["registration"]["technical_fen"])
        for deal in DEALS
        if deal["stage"] == "registered" and seller_of(deal)["region"] == PLAN["region"]
    ]
    total = sum(amount for _, amount in counted)
    begun, ends = map(date.fromisoformat, (PLAN["from_on"], PLAN["to_on"]))
    planned = PLAN["target_fen"] * (date(2026, 11, 22) - begun).days // (ends - begun).days
    assert 0.9 * planned < total < planned
    assert 18 * FEN_PER_YI < total < 22 * FEN_PER_YI
    by_year = Counter[str]()
    for on, amount in counted:
        by_year[on[:4]] += amount
    assert all(6 * FEN_PER_YI < amount < 9 * FEN_PER_YI for amount in by_year.values())
    registered = sorted(row["registered_on"] for row in HISTORY)
    gaps = [(date.fromisoformat(b) - date.fromisoformat(a)).days for a, b in pairwise(registered)]
    assert max(gaps) < 50
    assert {row["field"] for row in HISTORY} == set(FIELDS)
    assert {row["type"] for row in HISTORY} == set(ContractType)
    assert any(ORGANISATIONS[row["seller"]]["region"] != PLAN["region"] for row in HISTORY)


# -------------------------------------------------------------------------- invented or real


def test_real_institutions_stand_in_the_directory_only_and_with_their_source() -> None:
    invented = "".join(
        path.read_text("utf-8") for path in FOLDER.glob("*.json") if path.stem != "directory"
    )
    for row in DIRECTORY:
        assert re.fullmatch(r"重庆市沙坪坝区科技创新“十四五”规划，表(4|14)", row["source"])
        assert row["name"] not in invented
    for word in ("重庆大学", "师范大学", "沙坪坝", "陆军", "西南政法", "浪尖", "中电光谷"):
        assert word not in invented


@pytest.mark.parametrize("name", ["achievements", "demands", "deals", "history", "plan"])
def test_wording(name: str) -> None:
    for text in texts(load(name)):
        assert not re.search(
            "[!！]|赋能|一站式|国际领先|国内领先|填补空白|颠覆|亲们|所有人", text
        ), text
        assert not re.search("[\u4e00-\u9fff] +[0-9A-Za-z]|[0-9A-Za-z] +[\u4e00-\u9fff]", text), (
            text
        )
        assert not re.search("[\u4e00-\u9fff][,;:()][\u4e00-\u9fff]|，，|。。", text), text
        assert text == text.strip()
