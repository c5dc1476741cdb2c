"""Loads the demonstration market, once, and tells who may sign in to it."""

import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from infra.demo import cast, fees, history, pending, stories
from infra.demo.cast import DEMO_PASSWORD
from infra.demo.content import read
from infra.demo.replay import Replay
from infra.users import COMMAND_LINE
from market.accounts import repository
from market.accounts.models import PersonState
from market.accounts.policy import Action
from market.accounts.work import Parts, Work, record_done
from market.kit.clock import local_date
from market.kit.errors import Forbidden
from market.ledger import desk
from market.registry import comparables

BEGINS_ON: Final = date(2023, 9, 1)
_LONG_OVER: Final = timedelta(days=40)
_SHOWN = (
    "manager@daxue1.example",
    "manager@jidian.example",
    "manager@zhuanyi.example",
    "officer@keji.example",
    "operator@yunying.example",
    "auditor@yunying.example",
)

LOADED: Final = "demo.load"


def load_demo(parts: Parts, progress: Callable[[str], None]) -> bool:
    """Load the demonstration market, all of it in one transaction. Return False where it is there.

    Raises Forbidden outside demo mode.
    """
    if not parts.demo:
        raise Forbidden("示范数据只在 ZHIHE_MODE=demo 时可用")
    with parts.database.write() as session:
        if _loaded(session):
            return False
        progress("正在装入示范数据，只在第一次启动时需要")
        replay = Replay(session, parts, BEGINS_ON)
        try:
            replay.actors = cast.settle(replay.work(COMMAND_LINE))
        except IntegrityError:
            session.rollback()
            if _loaded(session):  # by another process at the same moment
                return False
            raise
        stories.begin(replay)
        history.begin(replay)
        pending.begin(replay)
        replay.run()
        _close_months(replay, local_date(parts.clock.now()))
        comparables.form(session, parts.clock.now())
        fees.settle(replay)
        record_done(Work(session, parts, COMMAND_LINE, parts.clock.now()), LOADED)
    return True


def _close_months(replay: Replay, today: date) -> None:
    """Let the bureau close what is long over, so that the first months are to be seen closed."""
    last = today - _LONG_OVER
    with replay.act(cast.BUREAU, Action.PERIOD_CLOSE) as work:
        over = [one for one in desk.listed(work) if one.may_close and one.row.ends_on <= last]
        if over:
            desk.close(work, over[0].row.month)


def _loaded(session: Session) -> bool:
    first = cast.organisations()[0]
    return repository.organisation_by_code(session, first["credit_code"]) is not None


def accounts(parts: Parts) -> dict[str, Any]:
    """Return who may sign in, with the one password, and every demonstration organisation.

    As JSON: {"accounts": [{"email", "name", "role", "organisation"}], "password",
    "organisations": [{"name", "kind", "credit_code"}]}. Disabled people are left out.
    """
    with parts.database.read() as session:
        places = [
            place
            for row in cast.organisations()
            if (place := repository.organisation_by_code(session, row["credit_code"])) is not None
        ]
        people = [
            (row, person)
            for row in read("people")
            if (person := repository.person_by_email(session, row["email"])) is not None
            and person.state == PersonState.ACTIVE
        ]
    names = {row["key"]: row["name"] for row in read("organisations")}
    return {
        "accounts": [
            {
                "email": person.email,
                "name": person.name,
                "role": row["role"],
                "organisation": names[row["org"]],
            }
            for row, person in people
        ],
        "password": DEMO_PASSWORD,
        "organisations": [
            {"name": place.name, "kind": place.kind, "credit_code": place.credit_code}
            for place in places
        ],
    }


def banner_lines(parts: Parts) -> list[str]:
    """Return the accounts to begin with, for the window in which the market was started."""
    rows = [row for row in accounts(parts)["accounts"] if row["email"] in _SHOWN]
    return [
        f"示范账号，密码都是 {DEMO_PASSWORD}",
        *_table(rows, "email", "organisation", "role"),
        "全部账号和机构代码：.venv/bin/zhihe demo",
    ]


def account_lines(parts: Parts) -> list[str]:
    """Return all accounts and organisation codes as two tables."""
    known = accounts(parts)
    return [
        f"示范账号，密码都是 {DEMO_PASSWORD}",
        *_table(known["accounts"], "email", "name", "organisation", "role"),
        "",
        "示范机构和统一社会信用代码",
        *_table(known["organisations"], "credit_code", "kind", "name"),
    ]


def _table(rows: list[dict[str, str]], *columns: str) -> list[str]:
    widths = {name: max((_width(row[name]) for row in rows), default=0) for name in columns}
    lines = (
        [row[name] + " " * (widths[name] - _width(row[name])) for name in columns] for row in rows
    )
    return [f"  {'  '.join(line)}".rstrip() for line in lines]


def _width(text: str) -> int:
    """Return the columns a text takes in a terminal, where Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
