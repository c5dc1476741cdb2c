"""`zhihe bench board`: the board and the audit over many contracts, and how both grow.

Contracts come in as history does, row by row through its rules; each is then changed `CHANGES`
times, so that ten entries stand for one. Measured at a tenth, and at the whole.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import uuid4

from sqlmodel import Session

from frontend.pages.board import NEWEST
from infra import migrate
from infra.bench import http
from infra.bench.figures import Figure, percentile, rounded
from infra.bench.market import Progress
from infra.settings import Settings
from infra.users import create
from infra.wiring import build_parts, close_parts
from market import chaining
from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts, Work
from market.catalog.vocabulary import FIELDS, REGIONS
from market.insight import service as insight
from market.insight.bureau import beside
from market.insight.reports import month_report
from market.jobs import AUDITS
from market.kit.errors import MarketError
from market.kit.ids import PastRegistrationId, TransactionId
from market.kit.intake import Context, Effect, Given
from market.kit.memo import Memos
from market.ledger import desk
from market.ledger import service as ledger
from market.ledger.schemas import Subject
from market.registry import repository_past
from market.registry.intake import Contracts
from market.registry.models import PastRegistration
from market.registry.past_columns import LABELS
from market.rules import service as rules
from market.rules.schemas import PlanIn

CHANGES: Final = 4
"""Of two entries each, beside the two of the registration: ten for one contract."""
CHUNK: Final = 500
ASKED: Final = 200
AGAIN: Final = 20  # times that the board is made anew
TENTH: Final = 10
DEADLINE_MS: Final = 2000  # promised to a person for a page
CODE: Final = "X1990000000000018A"
_TYPES: Final = ("技术开发", "技术转让", "技术许可", "技术咨询", "技术服务")
_FIRST: Final = date(2021, 1, 4)
_DAYS: Final = 1_900


def run(folder: Path, size: int, seed: int, progress: Progress) -> list[Figure]:
    """Measure in an empty folder: about an hour for 100,000 contracts."""
    settings = Settings(data_dir=folder / "data")
    migrate.migrate(settings.database)
    parts = build_parts(settings)
    try:
        chaining.begin(parts)
        bureau = _bureau(parts)
        rows = _rows(size, Random(seed))  # noqa: S311  made-up contracts
        tenth = size // TENTH
        taken = _brought_in(parts, bureau, islice(rows, tenth), tenth, progress)
        small = _measured(settings, parts, bureau, progress)
        taken += _brought_in(parts, bureau, rows, size - tenth, progress)
        whole = _measured(settings, parts, bureau, progress)
    finally:
        close_parts(parts)
    told = f"{size:,}份合同、{size * 2 * (CHANGES + 1):,}条分录"
    speed = Figure(
        f"{told}，逐条读入、入账、链上、变更", "笔/秒", rounded(size * (CHANGES + 1) / taken)
    )
    return [speed, *_figures(told, whole, small)]


def _bureau(parts: Parts) -> Actor:
    """Make the bureau, its officer and a plan; return the officer."""
    about = {"code": CODE, "org_name": "测量用科技局", "org_kind": "bureau"}
    create(parts, email="bench@bench.example", name="测量", role="officer", **about)
    with parts.database.write() as session:
        organisation = accounts.organisation_by_code(session, CODE)
        person = accounts.person_by_email(session, "bench@bench.example")
        assert organisation is not None
        assert person is not None
        actor = _actor(organisation, person.id)
        plan = PlanIn(
            name="测量用计划",
            from_on=_FIRST.replace(day=1),
            to_on=date(2030, 12, 31),
            baseline_fen=0,
            baseline_year=2020,
            target_fen=400_000_000_000,
        )
        rules.put_plan(Work(session, parts, actor, parts.clock.now()), plan)
    return actor


def _actor(organisation: Organisation, person: Any) -> Actor:
    return Actor(
        role=Role.OFFICER,
        person_id=person,
        organisation_id=organisation.id,
        kind=OrganisationKind.BUREAU,
        verified=True,
    )


def _rows(size: int, random: Random) -> Iterator[dict[str, str]]:
    """Yield contracts as the rows of a file."""
    regions = [code for code in REGIONS if not code.endswith("0000")]
    for n in range(size):
        signed = _FIRST + timedelta(days=random.randrange(_DAYS))
        total = random.randrange(10, 2_000)
        yield {
            "number": f"{10**15 + n}",
            "registered_on": str(signed + timedelta(days=random.randrange(1, 60))),
            "registry_label": "测量用登记处",
            "project_name": f"测量用项目{n}",
            "contract_type": random.choice(_TYPES),
            "field": random.choice(list(FIELDS.values())),
            "seller": f"测量用卖方{random.randrange(300)}",
            "seller_region": random.choice(regions),
            "buyer": f"测量用买方{random.randrange(900)}",
            "buyer_region": random.choice(regions),
            "total": str(total),
            "technical": str(random.randrange(1, total + 1)),
            "signed_on": str(signed),
        }


def _brought_in(
    parts: Parts, bureau: Actor, rows: Iterator[dict[str, str]], size: int, progress: Progress
) -> float:
    """Bring contracts in and change each; return the seconds."""
    target = Contracts(demo=False)
    begun = time.perf_counter()
    done = 0
    while some := list(islice(rows, CHUNK)):
        with parts.database.write() as session:
            context = Context(1, bureau.organisation, bureau.person, parts.clock.now())
            given = [Given(n, row, LABELS, True) for n, row in enumerate(some, start=2)]
            outcomes = target.bring_in(session, context, given)
            if bad := [one for one in outcomes if one.effect is not Effect.CREATED]:
                raise MarketError(str(bad[0]))
            ids = [one.subject_id for one in outcomes if one.subject_id is not None]
            for row in repository_past.by_ids(session, ids):
                _change(session, parts, row)
        done += len(some)
        progress(f"入账{done:,}/{size:,}份")
    return time.perf_counter() - begun


def _change(session: Session, parts: Parts, row: PastRegistration) -> None:
    """Change a contract now and then: of what it is or was worth, not of what counts."""
    register = ledger.get(session, TransactionId(row.transaction_id))
    for turn in range(CHANGES):
        subject = _subject(register, turn)
        ledger.post_change(
            session,
            register.id,
            subject,
            key=f"change:{row.public_id}:{turn}",
            effective_on=register.effective_on + timedelta(days=30 * (turn + 1)),
            at=parts.clock.now(),
        )


def _subject(register: Any, turn: int) -> Subject:
    names = Subject.__dataclass_fields__.keys() - {"key"}
    kept = {name: getattr(register, name) for name in names}
    changed = {"field": 1 + turn, "digest": f"{turn:064x}"}
    return Subject(key=register.subject_key, **kept | changed)


def _measured(
    settings: Settings, parts: Parts, bureau: Actor, progress: Progress
) -> dict[str, float]:
    """Return what one size costs, by what it is: milliseconds, and seconds for the audit."""
    progress("问看板")
    found: dict[str, float] = {}
    with http.served(settings) as (given, _):
        (found["首次"],) = http.timed(given, ["/board"])
        asked = http.warmed(given, ["/board"] * ASKED)
    found["p50"], found["p99"] = percentile(asked, 0.5), percentile(asked, 0.99)
    progress("问科技局的各页")
    fresh = replace(parts, memos=Memos())
    found["从头"] = _timed(fresh, bureau, _bureau_board)
    after = [_after_a_change(fresh, bureau, turn) for turn in range(AGAIN)]
    found["重算p50"], found["重算p99"] = percentile(after, 0.5), percentile(after, 0.99)
    found["明细首次"] = _timed(
        parts, bureau, lambda work: insight.contracts(work, insight.Chosen())
    )
    last = -(-_lines_of(parts, bureau) // insight.PAGE_SIZE)
    for name, ask in _asked(last).items():
        found[name] = max(_timed(parts, bureau, ask) for _ in range(3))
    progress("核对")
    for name in ("账", "登记"):
        found[name] = _audited(parts, name)
    return found


Ask = Callable[[Work], object]


def _timed(parts: Parts, bureau: Actor, ask: Ask) -> float:
    """Return the milliseconds of what the bureau asks."""
    with parts.database.read() as session:
        work = Work(session, parts, bureau, parts.clock.now())
        begun = time.perf_counter()
        ask(work)
        return (time.perf_counter() - begun) * 1000


def _bureau_board(work: Work) -> None:
    found = insight.board(work)
    assert found is not None
    beside(work, found.plan)
    insight.recent_contracts(work, NEWEST)


def _after_a_change(parts: Parts, bureau: Actor, turn: int) -> float:
    """Return the milliseconds of the bureau's board when one contract has just been changed: what
    was kept of the state before is there.
    """
    with parts.database.write() as session:
        (row,) = repository_past.by_ids(session, [PastRegistrationId(turn + 1)])
        register = ledger.get(session, TransactionId(row.transaction_id))
        ledger.post_change(
            session,
            register.id,
            replace(_subject(register, turn % CHANGES), digest=uuid4().hex * 2),
            key=f"change:{row.public_id}:{uuid4().hex}",
            effective_on=parts.clock.now().date(),
            at=parts.clock.now(),
        )
    return _timed(parts, bureau, _bureau_board)


def _lines_of(parts: Parts, bureau: Actor) -> int:
    """Return how many lines the list of all contracts has."""
    with parts.database.read() as session:
        work = Work(session, parts, bureau, parts.clock.now())
        return insight.contracts(work, insight.Chosen()).number


def _asked(last: int) -> dict[str, Ask]:
    """Return what else the bureau opens, by the name of its figure."""
    return {
        "明细首页": lambda work: insight.contracts(work, insight.Chosen()),
        "明细末页": lambda work: insight.contracts(work, insight.Chosen(), last),
        "账期": desk.listed,
        "月报": lambda work: month_report(work, f"{work.today - timedelta(days=31):%Y-%m}"),
    }


def _audited(parts: Parts, name: str) -> float:
    with parts.database.read() as session:
        begun = time.perf_counter()
        if wrong := list(AUDITS[name](session)):
            raise MarketError(wrong[0].what)
        return time.perf_counter() - begun


def _figures(told: str, whole: dict[str, float], small: dict[str, float]) -> Iterator[Figure]:
    """Yield what the whole costs, with a tenth of it in the place of the peer."""
    beside = f"{told}（同类：十分之一时）"
    work = {
        "首次": ("看板页，服务刚启动时的第一次（HTTP）", "毫秒", DEADLINE_MS),
        "p50": (f"看板页，p50，{ASKED}次（HTTP）", "毫秒", None),
        "p99": (f"看板页，p99，{ASKED}次（HTTP）", "毫秒", DEADLINE_MS),
        "从头": ("科技局的看板和旁边的表、预测，什么都没有存着时", "毫秒", DEADLINE_MS),
        "重算p50": (f"科技局的看板，每变更一份合同以后，p50，{AGAIN}次", "毫秒", None),
        "重算p99": (f"科技局的看板，每变更一份合同以后，p99，{AGAIN}次", "毫秒", DEADLINE_MS),
        "明细首次": ("看板的合同明细，入账后第一次问", "毫秒", DEADLINE_MS),
        "明细首页": ("看板的合同明细，第一页，3次里最慢的", "毫秒", DEADLINE_MS),
        "明细末页": ("看板的合同明细，最后一页，3次里最慢的", "毫秒", DEADLINE_MS),
        "账期": ("账期页，3次里最慢的", "毫秒", DEADLINE_MS),
        "月报": ("月报，3次里最慢的", "毫秒", DEADLINE_MS),
        "账": ("核对账和密钥链", "秒", None),
        "登记": ("核对登记和它们的记录", "秒", None),
    }
    for name, (what, unit, limit) in work.items():
        yield Figure(f"{what}，{beside}", unit, rounded(whole[name]), rounded(small[name]), limit)
