"""Contracts registered elsewhere, as rows of a file, and the bringing in of them."""

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from random import Random

from market.accounts.work import Actor, Parts
from market.catalog.vocabulary import FIELDS
from market.kit.clock import local_date
from market.kit.ids import PublicId
from market.kit.intake import Context, Done, Effect, Given, Outcome
from market.kit.money import fen_to_wan
from market.registry import repository_past
from market.registry.intake import Contracts
from market.registry.past_columns import LABELS
from tests.support import papers

TARGET = Contracts(demo=True)
_COUNTER = itertools.count(1)


def row(**changes: object) -> dict[str, str]:
    """Return a row by column key: one contract of its own, 100万 of 120万元 technical."""
    n = next(_COUNTER)
    values: dict[str, object] = {
        "number": papers.number(),
        "registered_on": "2023-06-20",
        "registry_label": "示范登记处",
        "project_name": f"示范历史项目{n}",
        "contract_type": "技术开发",
        "field": "先进制造技术",
        "seller": "示范研究所",
        "seller_region": "重庆市沙坪坝区",
        "buyer": "示范工厂",
        "buyer_region": "500112",
        "total": "120",
        "technical": "100",
        "signed_on": "2023-05-08",
    }
    return {key: str(value) for key, value in (values | changes).items() if value is not None}


def given(
    rows: Sequence[Mapping[str, str]], headings: Mapping[str, str] | None = None
) -> list[Given]:
    return [
        Given(place, one, {**LABELS, **(headings or {})}, True)
        for place, one in enumerate(rows, start=2)
    ]


def context(
    parts: Parts,
    officer: Actor,
    run: int,
    met: Callable[[Collection[str]], Mapping[str, int]] = lambda _keys: {},
) -> Context:
    return Context(run, officer.organisation, officer.person, parts.clock.now(), met=met)


def bring_in(
    parts: Parts,
    officer: Actor,
    rows: Sequence[Mapping[str, str]],
    *,
    run: int = 1,
    chunk: int = 500,
    headings: Mapping[str, str] | None = None,
) -> list[Outcome]:
    """Bring rows in as a run of the bureau's, each chunk in a transaction of its own."""
    outcomes: list[Outcome] = []
    met: dict[str, int] = {}

    def met_before(keys: Iterable[str]) -> dict[str, int]:
        return {key: met[key] for key in keys if key in met}

    everything = given(rows, headings)
    about = context(parts, officer, run, met_before)
    for start in range(0, len(everything), chunk):
        with parts.database.write() as session:
            found = TARGET.bring_in(session, about, everything[start : start + chunk])
        met |= {one.key: one.row for one in found if one.key}
        outcomes += found
    return outcomes


def undo(parts: Parts, officer: Actor, outcomes: Iterable[Outcome]) -> Mapping[int, str]:
    """Take a run back; return what was kept."""
    done = [
        Done(one.row, one.effect, one.subject_id, one.before)
        for one in outcomes
        if one.effect is Effect.CREATED and one.subject_id is not None
    ]
    with parts.database.write() as session:
        return TARGET.undo(session, context(parts, officer, 1), done)


def effects(outcomes: Iterable[Outcome]) -> list[str]:
    return [one.effect.value for one in outcomes]


def reasons(outcome: Outcome) -> str:
    return "；".join(f"{fault.heading}：{fault.reason}" for fault in outcome.faults)


def public_id(parts: Parts, outcome: Outcome) -> PublicId:
    """Return the public id of what a row became."""
    assert outcome.subject_id is not None
    with parts.database.read() as session:
        return repository_past.by_ids(session, [outcome.subject_id])[0].public_id


def generated(parts: Parts, count: int, seed: int, sellers: Sequence[str]) -> list[dict[str, str]]:
    """Return rows of every shape that counts: types, fields, regions, units, days, old names."""
    dice = Random(seed)
    today = local_date(parts.clock.now())
    types = ["技术开发", "技术转让", "技术许可", "技术咨询", "技术服务", "委托开发", "技术培训"]
    places = ["500106", "重庆市渝北区", "四川省成都市", "沙坪坝区", "500000"]
    rows = []
    for _ in range(count):
        registered = today - timedelta(days=dice.randrange(0, 4000))
        signed = registered - timedelta(days=dice.randrange(0, 60))
        technical = dice.randrange(1, 10**10)
        total = technical + dice.choice([0, dice.randrange(0, 10**9)])
        key = dice.randrange(1, 12)
        rows.append(
            row(
                registered_on=dice.choice(
                    [f"{registered}", f"{registered:%Y/%m/%d}", f"{registered:%Y年%m月%d日}"]
                ),
                signed_on=f"{signed:%Y.%m.%d}",
                contract_type=dice.choice(types),
                field=dice.choice([str(key), FIELDS[key]]),
                seller=dice.choice(sellers),
                seller_region=dice.choice(places),
                buyer=f"示范买方{dice.randrange(40)}",
                buyer_region=dice.choice([*places, None]),
                total=fen_to_wan(total),
                technical=dice.choice([fen_to_wan(technical), f"{fen_to_wan(technical)}万元"]),
            )
        )
    return rows


def one(parts: Parts, officer: Actor, seller: str, buyer: str) -> str:
    """Return the public id of a past registration between two organisations."""
    outcome = bring_in(parts, officer, [row(seller=seller, buyer=buyer)])[0]
    assert outcome.effect is Effect.CREATED, reasons(outcome)
    return public_id(parts, outcome)
