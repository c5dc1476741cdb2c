"""A market of any size for the tests of outages, brought in by the import that people use."""

from itertools import islice

from sqlalchemy import text

from infra.bench import bringing, listings
from infra.settings import Settings
from market.accounts.policy import Role
from market.accounts.work import Actor, Parts
from tests import factories

SEED = 7
_ROWS = 25_000
_DEMANDS_IN = 50


def queries(number: int) -> list[str]:
    """What people type."""
    return listings.queries(SEED, number)


def bring_in(settings: Settings, parts: Parts, size: int) -> Actor:
    """Return somebody who may publish more."""
    bringing.add_owner(parts)
    demands = size // _DEMANDS_IN
    for kind, number in (("achievements", size - demands), ("demands", demands)):
        rows = listings.listings(number, SEED, demands=kind == "demands")
        for start in range(0, number, _ROWS):
            path = settings.data_dir / f"{kind}{start}.jsonl"
            bringing.write_rows(path, islice(rows, _ROWS))
            bringing.import_file(settings, parts, kind, path)
            path.unlink()
    # The tests' PostgreSQL does not do so by itself: nobody there knew how large the tables are.
    with parts.database.write() as session:
        session.execute(text("ANALYZE"))
    return factories.actor(parts, Role.MANAGER, factories.organisation(parts, self_publish=True))
