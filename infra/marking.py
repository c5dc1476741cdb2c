"""Writes down what the command line did with all that there is: when a routine work was last done,
for the operators' page and the alerts, and that it was done, among the records of who did what.
"""

from collections.abc import Callable

import click
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from infra.settings import Settings
from infra.users import COMMAND_LINE
from infra.wiring import build_parts, close_parts
from market.accounts.work import Parts
from market.kit import audit
from market.operations import marks


def mark(settings: Settings, name: str, *, good: bool, detail: str) -> None:
    """Write the mark; the work is done whether or not this succeeds, which is told if it fails."""

    def put(parts: Parts, session: Session) -> None:
        marks.put(session, name, at=parts.clock.now(), good=good, detail=detail)

    _write(settings, put, "“运行”页上没有记下这一次")


def record(settings: Settings, action: str, *, good: bool, detail: str) -> None:
    """Write the audit row of what was done; told if it fails, as a mark is."""

    def put(parts: Parts, session: Session) -> None:
        audit.write(
            session,
            at=parts.clock.now(),
            person_id=None,
            organisation_id=None,
            role=COMMAND_LINE.role,
            action=action,
            subject=None,
            outcome=audit.Outcome.DONE if good else audit.Outcome.FAILED,
            detail=detail,
        )

    _write(settings, put, "操作记录里没有记下这一次")


def _write(settings: Settings, put: Callable[[Parts, Session], None], missed: str) -> None:
    parts = build_parts(settings)
    try:
        with parts.database.write() as session:
            put(parts, session)
    except SQLAlchemyError:
        click.echo(f"{missed}：数据库现在写不进", err=True)
    finally:
        close_parts(parts)
