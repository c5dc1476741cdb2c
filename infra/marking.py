"""Writes down when a routine work was last done, for the operators' page and the alerts."""

import click
from sqlalchemy.exc import SQLAlchemyError

from infra.settings import Settings
from infra.wiring import build_parts, close_parts
from market.operations import marks


def mark(settings: Settings, name: str, *, good: bool, detail: str) -> None:
    """Write the mark; the work is done whether or not this succeeds, which is told if it fails."""
    parts = build_parts(settings)
    try:
        with parts.database.write() as session:
            marks.put(session, name, at=parts.clock.now(), good=good, detail=detail)
    except SQLAlchemyError:
        click.echo("“运行”页上没有记下这一次：数据库现在写不进", err=True)
    finally:
        close_parts(parts)
