"""One row of which no document can be made: the others go on, it is set aside with its reason, seen
by operators, and tried again when they say so."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from infra.backlog import backlog
from infra.cli import main
from infra.demo.load import LOADED
from infra.metrics import Metrics
from infra.settings import Settings
from infra.users import COMMAND_LINE
from market.accounts.work import Work, record_done
from market.discovery.audit import audit_index
from market.discovery.drain import drain_index, making_whole
from market.kit import changes, upkeep
from market.kit.changes import Consumer, DeliveryState
from search.document import Document
from search.engines.tantivy import TantivyEngine
from tests.market.discovery.conftest import Market
from tests.market.discovery.test_drain import Rejects, found, states


@pytest.fixture(autouse=True)
def quick_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("market.discovery.audit.PAUSE", 0.01)


def spoil(market: Market, listing_id: int, modes: str = '["nonsense"]') -> None:
    """Give a stored text a value that no program writes."""
    with market.parts.database.write() as session:
        if market.parts.database.sqlite:
            names = session.execute(
                text(
                    "SELECT name FROM sqlite_master "
                    "WHERE type = 'trigger' AND tbl_name = 'listing_revision'"
                )
            ).scalars()
            for name in names.all():
                session.execute(text(f"DROP TRIGGER {name}"))
        session.execute(
            text("UPDATE listing_revision SET modes = :modes WHERE listing_id = :id"),
            {"modes": modes, "id": listing_id},
        )


def try_often(market: Market) -> None:
    for _ in range(changes.MAX_ATTEMPTS + 1):
        market.parts.clock.advance(seconds=301)  # type: ignore[attr-defined]
        market.index()


def test_a_row_that_cannot_be_read_holds_nobody_back(market: Market, settings: Settings) -> None:
    school = market.organisation()
    bad = market.achievement(school, "坏掉的成果")
    spoil(market, bad.id)
    good = [market.achievement(school, f"镁合金低温成形{n}型") for n in range(3)]
    market.index()
    assert sorted(found(market.engine, "镁合金")) == [one.id for one in good]
    try_often(market)
    assert states(market.parts) == [DeliveryState.ASIDE, *[DeliveryState.DONE] * 3]
    (finding,) = audit_index(market.parts, market.engine)
    assert "做不成文档" in finding.what
    metrics = Metrics(market.parts, market.engine, settings.data_dir).text().decode()
    assert 'zhihe_deliveries_aside{consumer="index"} 1.0' in metrics

    environment = {
        "ZHIHE_DATA_DIR": str(settings.data_dir),
        "ZHIHE_DATABASE_URL": settings.database,
    }
    told = CliRunner().invoke(main, ["index"], env=environment)
    assert told.exit_code == 0, told.output
    assert "搁置1条" in told.output
    assert "ValueError" in told.output
    assert "最近3条从变更到完成" in told.output
    spoil(market, bad.id, "[]")
    said = CliRunner().invoke(main, ["index", "--retry-all", "--json"], env=environment)
    assert "重新投递1条" in said.stderr
    shown = json.loads(said.stdout)
    assert (shown["documents"], shown["index"]["owed"], shown["aside"]) == (3, 1, [])
    with market.parts.database.read() as session:
        (again,) = [one for one in upkeep.delivery_loads(session) if one.kind == Consumer.INDEX]
    assert again.state == DeliveryState.WAITING
    # The command goes by the system's clock, this test by its own.
    market.parts.clock.set(again.oldest.replace(year=2100))  # type: ignore[attr-defined]
    market.index()
    assert found(market.engine, "坏掉") == [bad.id]
    assert list(audit_index(market.parts, market.engine)) == []
    missing = CliRunner().invoke(main, ["index", "--retry", "999999"], env=environment)
    assert missing.exit_code == 1
    assert "不在搁置状态" in missing.stderr


def test_the_lag_is_that_of_changes_after_the_demonstration(
    market: Market, settings: Settings
) -> None:
    """What the demonstration brings is dated years back, and nobody waited for it."""
    parts, school = market.parts, market.organisation()
    market.achievement(school, "镁合金低温成形")
    parts.clock.advance(seconds=400 * 86_400)  # type: ignore[attr-defined]
    with parts.database.write() as session:
        record_done(Work(session, parts, COMMAND_LINE, parts.clock.now()), LOADED)
    market.index()
    assert backlog(settings, parts)["index"]["lag"] is None
    market.achievement(school, "镁合金高温成形")
    market.index()
    assert backlog(settings, parts)["index"]["lag"] == {"changes": 1, "p50": 0, "p99": 0, "max": 0}


def test_what_was_set_aside_is_overtaken_by_a_change_that_gets_through(market: Market) -> None:
    school = market.organisation()
    listing = market.achievement(school, "坏成果")
    engine = Rejects(market.engine, "坏成果")
    for _ in range(changes.MAX_ATTEMPTS + 1):
        market.parts.clock.advance(seconds=301)  # type: ignore[attr-defined]
        drain_index(market.parts, engine)
    assert states(market.parts) == [DeliveryState.ASIDE]
    market.edit(school, listing, "好成果", 1)
    drain_index(market.parts, engine)
    assert states(market.parts) == [DeliveryState.DONE, DeliveryState.DONE]
    assert found(market.engine, "好成果") == [listing.id]


def test_what_a_new_index_does_not_take_is_owed(
    market: Market, open_engine: Callable[..., TantivyEngine], index_folder: Path
) -> None:
    """Its change was delivered long ago, to an index that is gone."""
    school = market.organisation()
    market.achievement(school, "坏成果")
    good = market.achievement(school, "好成果")
    gone = market.achievement(school, "撤下的成果")
    market.index()
    old = market.engine
    market.withdraw(school, gone)
    market.index()
    old.close()
    shutil.rmtree(index_folder)
    market.engine = open_engine()
    engine = Rejects(market.engine, "坏成果")
    for _ in range(2):
        list(making_whole(market.parts, engine))
        assert states(market.parts) == [*[DeliveryState.DONE] * 4, DeliveryState.WAITING]
    assert [one for one, _ in market.engine.scan()] == [good.id]
    late = Document(gone.id, 1, {"title": "撤下的成果"})
    market.engine.write([late])  # sent before all that, and arriving now
    assert [one for one, _ in market.engine.scan()] == [good.id]
