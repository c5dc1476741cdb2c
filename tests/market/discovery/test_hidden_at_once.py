"""What was masked or withdrawn is hidden at once, although the index has not heard of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from market.api import build_api
from market.catalog import drafts
from market.catalog.models import Listing
from market.catalog.schemas import AchievementEditIn
from market.kit import deliveries
from market.kit.changes import Consumer, SubjectKind
from tests.market.discovery.conftest import Market
from tests.market.discovery.test_search_api import bearer, counts, search, titles
from tests.support.market import work_for

OLD, NEW = "焊缝内部气孔检测装置", "焊缝外观检测软件"


@pytest.fixture
def api(market: Market) -> Iterator[TestClient]:
    app = build_api(market.parts)
    app.state.engine = market.engine
    with TestClient(app) as client:
        yield client


@pytest.fixture
def stocked(market: Market) -> tuple[Market, Any, Listing]:
    home = market.organisation(name="示范大学一")
    secret = market.achievement(home, OLD)
    market.achievement(home, NEW)
    market.index()
    return market, home, secret


def owed(market: Market) -> set[int]:
    with market.parts.database.read() as session:
        return deliveries.hidden(session, SubjectKind.LISTING, Consumer.INDEX)


@pytest.mark.usefixtures("both_databases")
def test_a_masked_listing_tells_its_owner_by_nothing(
    api: TestClient, stocked: tuple[Market, Any, Listing]
) -> None:
    market, home, secret = stocked
    place = home.public_id
    assert set(titles(search(api, organisation=place))) == {OLD, NEW}
    with work_for(market.parts, market.person_of(home)) as work:
        masked = AchievementEditIn(title=OLD, based_on=1, masked=True)
        drafts.edit(work, secret.public_id, masked)
    # The indexer does not run: its document still holds the name.
    for asked in ({"organisation": place}, {"q": "示范大学一"}, {"q": "示范大学一 气孔"}):
        found = search(api, **asked)
        assert OLD not in titles(found), asked
        assert OLD not in [one["title"] for one in found.get("nearest", [])]
    everything = search(api)
    assert counts(everything, "organisation") == {place: 1}
    assert everything["total"] == 1
    stranger = bearer(market, market.organisation())
    read = api.get(f"/listings/{secret.public_id}", headers=stranger)
    assert read.status_code == 200
    assert home.name not in read.text
    market.index()
    assert owed(market) == set()
    assert set(titles(search(api))) == {OLD, NEW}
    assert titles(search(api, organisation=place)) == [NEW]


@pytest.mark.usefixtures("both_databases")
def test_a_withdrawn_listing_is_neither_found_nor_counted(
    api: TestClient, stocked: tuple[Market, Any, Listing]
) -> None:
    market, home, secret = stocked
    market.withdraw(home, secret)
    found = search(api, q="焊缝")
    assert titles(found) == [NEW]
    assert found["total"] == 1
    assert counts(found, "organisation") == {home.public_id: 1}
    assert api.get("/suggestions", params={"q": OLD[:6]}).json()["items"] == []
    assert api.get(f"/listings/{secret.public_id}").status_code == 404


def test_what_is_hidden_is_asked_cheaply_behind_a_backlog(
    stocked: tuple[Market, Any, Listing],
) -> None:
    market, home, secret = stocked
    assert owed(market) == set()
    for n in range(30):
        market.achievement(home, f"还没有编入索引的成果{n}")
    market.withdraw(home, secret)
    assert owed(market) == {secret.id}
