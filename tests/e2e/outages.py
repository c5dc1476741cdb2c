"""A market of any size for the tests of outages, brought in by the import that people use."""

import json
from itertools import islice

from sqlalchemy import text

from infra import imports
from infra.bench import listings
from infra.settings import Settings
from infra.users import create
from market.accounts.policy import Role
from market.accounts.work import Actor, Parts
from market.jobs import handlers
from market.kit.jobs import Runner
from tests import factories

CODE = "X1990000000000018A"
SEED = 7
_ROWS = 25_000
_DEMANDS_IN = 50


def queries(number: int) -> list[str]:
    """What people type."""
    return listings.queries(SEED, number)


def bring_in(settings: Settings, parts: Parts, size: int) -> Actor:
    """Return somebody who may publish more."""
    create(
        parts,
        email="bench@bench.example",
        name="测量",
        role="manager",
        code=CODE,
        org_name="测量用大学",
        org_kind="university",
    )
    demands = size // _DEMANDS_IN
    runner = Runner(parts.database, parts.clock, handlers(parts))
    for kind, number in (("achievements", size - demands), ("demands", demands)):
        rows = listings.listings(number, SEED, demands=kind == "demands")
        for start in range(0, number, _ROWS):
            path = settings.data_dir / f"{kind}{start}.jsonl"
            with path.open("w", encoding="utf-8") as file:
                some = islice(rows, _ROWS)
                file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in some)
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
            while runner.run_one():
                pass
            path.unlink()
    # The tests' PostgreSQL does not do so by itself: nobody there knew how large the tables are.
    with parts.database.write() as session:
        session.execute(text("ANALYZE"))
    return factories.actor(parts, Role.MANAGER, factories.organisation(parts, self_publish=True))
