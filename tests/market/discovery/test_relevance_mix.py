"""Relevance is text first; how new and how complete a listing is decides between like texts."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient

from market.api import build_api
from market.catalog.schemas import AchievementText, DemandText
from market.discovery import relevance
from market.discovery.relevance import COMPLETE, HALF_LIFE, MOST_COMPLETE, PUBLISHED
from search.result import Hit
from tests.market.discovery.conftest import Market

DAY = 86_400


@pytest.fixture
def api(market: Market) -> Iterator[TestClient]:
    app = build_api(market.parts)
    app.state.engine = market.engine
    with TestClient(app) as client:
        yield client


def titles(api: TestClient, q: str, **more: Any) -> list[str]:
    return [item["title"] for item in api.get("/search", params={"q": q, **more}).json()["items"]]


def test_weights() -> None:
    """What the weights say, in figures: new and complete is worth a fifth of the text's score."""
    today = date(2026, 11, 20)
    now = 1_795_104_000  # that day's midnight in China
    half = int(HALF_LIFE.total_seconds())

    def mixed(age: int, complete: int) -> float:
        hit = Hit(1, 1, 10.0, {PUBLISHED: now - age, COMPLETE: complete})
        return round(relevance.mixed(hit, today), 3)

    assert mixed(0, MOST_COMPLETE) == mixed(-DAY, MOST_COMPLETE) == 12.0
    assert mixed(half, MOST_COMPLETE) == 11.5
    assert mixed(half, 0) == 10.5
    assert mixed(100 * half, 0) == 10.0
    assert relevance.mixed(Hit(1, 1, 0.0, {PUBLISHED: now}), today) == 0


def test_of_like_texts_the_newer_and_the_more_complete_come_first(
    api: TestClient, market: Market
) -> None:
    school = market.organisation()
    for name in ("甲", "乙", "丙"):
        if name == "丙":
            market.parts.clock.advance(days=365)  # type: ignore[attr-defined]
        market.achievement(
            school,
            f"镁合金成形{name}",
            **({"maturity_level": 7, "field": 5, "keywords": ["成形"]} if name == "乙" else {}),
        )
    market.settle()
    assert titles(api, "镁合金") == ["镁合金成形丙", "镁合金成形乙", "镁合金成形甲"]


def test_text_comes_first(api: TestClient, market: Market) -> None:
    school = market.organisation()
    market.achievement(school, "镁合金成形")
    market.parts.clock.advance(days=365)  # type: ignore[attr-defined]
    market.achievement(
        school,
        "铸件检测",
        body="也用于镁合金" + "。" * 100,
        field=5,
        keywords=["铸件"],
        maturity_level=9,
    )
    market.settle()
    assert titles(api, "镁合金") == ["镁合金成形", "铸件检测"]


def test_every_hit_stands_on_one_page_however_deep(
    api: TestClient, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first 40 in an order of their own, the rest in the engine's."""
    monkeypatch.setattr(relevance, "DEPTH", 40)
    school = market.organisation()
    for n in range(70):
        more = {"maturity_level": 7, "field": 5} if n % 3 else {}
        market.achievement(school, f"第{n}号镁合金工艺", **more)
    market.settle()
    pages = [titles(api, "镁合金", page=n) for n in (1, 2, 3, 4)]
    assert [len(one) for one in pages] == [20, 20, 20, 10]
    assert len({title for one in pages for title in one}) == 70
    whole = market.engine
    assert whole.count() == 70
    first = [title for one in pages[:2] for title in one]
    plain = [int(title[1:-6]) % 3 == 0 for title in first]
    assert plain == sorted(plain), "complete ones first, as far as the depth reaches"


def test_what_counts_as_complete() -> None:
    assert relevance.completeness(AchievementText(title="甲")) == 0
    assert relevance.completeness(DemandText(title="甲")) == 0
    whole = AchievementText(
        title="甲", summary="乙", body="丙" * 100, keywords=["丁"], field=3, maturity_level=7,
        application="戊", advantage="己", price={"form": "fixed", "low_fen": 1, "high_fen": 1},
    )  # fmt: skip
    assert relevance.completeness(whole) == MOST_COMPLETE
    asked = DemandText(
        title="甲", summary="乙", problem="丙" * 100, keywords=["丁"], field=3,
        key_technology="戊", expected_goal="己", deadline="2027-01-01",
        price={"form": "fixed", "low_fen": 1, "high_fen": 1},
    )  # fmt: skip
    assert relevance.completeness(asked) == MOST_COMPLETE
