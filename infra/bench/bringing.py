"""Somebody who brings listings in, and files of them by the import that people use."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from infra import imports
from infra.settings import Settings
from infra.users import create
from market.accounts.work import Parts
from market.jobs import handlers
from market.kit.jobs import Runner

CODE: Final = "X1990000000000018A"
EMAIL: Final = "bench@bench.example"


def add_owner(parts: Parts) -> None:
    """Make the university to which all that is brought in belongs, and its manager."""
    create(
        parts,
        email=EMAIL,
        name="测量",
        role="manager",
        code=CODE,
        org_name="测量用大学",
        org_kind="university",
    )


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write a file to be imported."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def import_file(settings: Settings, parts: Parts, kind: str, path: Path) -> None:
    """Import a file and publish its rows, doing here what the worker would; `kind`:
    "achievements" or "demands".
    """
    with path.open("rb") as stream:
        imports.run(
            settings,
            parts,
            kind=kind,
            code=CODE,
            name=path.name,
            stream=stream,
            publish=True,
            wait=False,
            quiet=True,
        )
    runner = Runner(parts.database, parts.clock, handlers(parts))
    while runner.run_one():
        pass
