"""Searching through the API: phrases, filters and their counts, order, suggestions, masked names."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient

from market.accounts.policy import OrganisationKind
from market.api import build_api
from market.catalog.models import Listing
from market.catalog.schemas import Price
from market.catalog.vocabulary import Mode, PriceBasis, PriceForm
from market.kit.money import FEN_PER_WAN
from tests import factories
from tests.market.discovery.conftest import Market


def fixed(wan: int, basis: PriceBasis = PriceBasis.TOTAL) -> Price:
    return Price(
        form=PriceForm.FIXED, basis=basis, low_fen=wan * FEN_PER_WAN, high_fen=wan * FEN_PER_WAN
    )


@pytest.fixture
def api(market: Market) -> Iterator[TestClient]:
    app = build_api(market.parts)
    app.state.engine = market.engine
    with TestClient(app) as client:
        yield client


def bearer(market: Market, at: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {factories.token(market.parts, market.person_of(at))}"}


def search(api: TestClient, **params: Any) -> dict[str, Any]:
    answer = api.get("/search", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def titles(found: dict[str, Any]) -> list[str]:
    return [item["title"] for item in found["items"]]


def counts(found: dict[str, Any], facet: str) -> dict[str, int]:
    (chosen,) = [one for one in found["facets"] if one["name"] == facet]
    return {option["value"]: option["count"] for option in chosen["options"]}


@pytest.fixture
def stocked(market: Market) -> Market:
    one = market.organisation(name="示范大学一", region="500106")
    two = market.organisation(name="示范大学二", region="500103")
    market.achievement(
        one,
        "焊缝内部气孔在线视觉检测装置",
        summary="边焊边报，缺陷处自动标记",
        body="双波段相机实时识别气孔与未熔合。",
        field=3,
        maturity_level=7,
        modes=[Mode.PLAIN],
        price=fixed(80),
    )
    market.achievement(
        one,
        "管道环焊缝射线底片智能评片",
        body="给出缺陷类型与等级建议。",
        field=3,
        maturity_level=5,
        modes=[Mode.EXCLUSIVE, Mode.JOINT],
        price=fixed(150),
    )
    market.parts.clock.advance(days=1)  # type: ignore[attr-defined]
    market.achievement(
        two,
        "工业表面缺陷视觉检测平台",
        body="支持焊缝、涂层、铸件。",
        field=1,
        maturity_level=8,
        modes=[Mode.PLAIN],
        price=fixed(45, PriceBasis.YEAR),
    )
    market.achievement(two, "镁合金薄壁件低温成形", field=5, maturity_level=3)
    market.demand(
        market.organisation(OrganisationKind.COMPANY, name="示例机电"),
        "车架焊缝在线检测",
        deadline=date(2027, 3, 1),
    )
    market.settle()
    return market


def test_finds_by_words_phrases_and_what_is_left_out(api: TestClient, stocked: Market) -> None:
    found = search(api, q="焊缝 检测")
    assert titles(found)[0] == "焊缝内部气孔在线视觉检测装置"
    assert set(titles(found)) == {"焊缝内部气孔在线视觉检测装置", "工业表面缺陷视觉检测平台"}
    assert found["kinds"] == {"achievement": 2, "demand": 1}
    assert titles(search(api, q='"环焊缝射线"')) == ["管道环焊缝射线底片智能评片"]
    assert titles(search(api, q="焊缝 -气孔 -射线")) == ["工业表面缺陷视觉检测平台"]
    assert titles(search(api, q="焊缝", kind="demand")) == ["车架焊缝在线检测"]
    assert titles(search(api, q="示范大学二 成形"))[0] == "镁合金薄壁件低温成形"
    assert search(api, q="深海采矿集矿机")["total"] == 0


def test_what_was_searched_for_is_marked(api: TestClient, stocked: Market) -> None:
    (hit,) = search(api, q="气孔 未熔合")["items"]
    assert [part["text"] for part in hit["title_parts"] if part["marked"]] == ["气孔"]
    # The summary does not have the words: the text that has them is shown.
    marked = [part["text"] for part in hit["text_parts"] if part["marked"]]
    assert "".join(marked).replace("与", "") == "气孔未熔合"
    (hit,) = search(api, q="自动标记")["items"]
    assert "".join(part["text"] for part in hit["text_parts"]) == "边焊边报，缺陷处自动标记"


def test_facets_count_what_another_choice_would_bring(api: TestClient, stocked: Market) -> None:
    found = search(api, field=["3"], maturity=["6-7"])
    assert titles(found) == ["焊缝内部气孔在线视觉检测装置"]
    assert counts(found, "field") == {"3": 1}
    assert counts(found, "maturity") == {"4-5": 1, "6-7": 1}
    everything = search(api)
    assert counts(everything, "price") == {"50-100": 1, "100-300": 1, "open": 1}
    assert counts(everything, "mode") == {"普通许可": 2, "合作开发": 1, "排他许可": 1}
    assert counts(everything, "region") == {"500103": 2, "500106": 2}
    labels = {o["label"] for f in everything["facets"] for o in f["options"]}
    assert {"示范大学一", "示范大学二", "6～7级 样机", "50～100万元", "面议"} <= labels
    widened = search(api, maturity=["6-7", "8-9"])
    assert widened["total"] == 2


def test_a_chosen_value_without_results_can_still_be_taken_back(
    api: TestClient, stocked: Market
) -> None:
    found = search(api, q="镁合金", field=["9"])
    assert found["total"] == 0
    (option,) = [o for f in found["facets"] for o in f["options"] if o["chosen"]]
    assert (option["value"], option["label"], option["count"]) == ("9", "农业技术", 0)


def test_orders(api: TestClient, stocked: Market) -> None:
    assert titles(search(api, sort="price"))[:2] == [
        "焊缝内部气孔在线视觉检测装置",
        "管道环焊缝射线底片智能评片",
    ]
    assert titles(search(api, sort="maturity"))[:2] == [
        "工业表面缺陷视觉检测平台",
        "焊缝内部气孔在线视觉检测装置",
    ]
    newest = search(api)
    assert newest["sort"] == "newest"
    assert set(titles(newest)[:2]) == {"工业表面缺陷视觉检测平台", "镁合金薄壁件低温成形"}
    assert search(api, q="焊缝")["sort"] == "relevance"


def test_pages(api: TestClient, market: Market) -> None:
    school = market.organisation()
    for n in range(45):
        market.achievement(school, f"第{n}号镁合金工艺")
    market.settle()
    found = [search(api, q="镁合金", page=n) for n in (1, 2, 3)]
    assert [len(one["items"]) for one in found] == [20, 20, 5]
    assert len({item["id"] for one in found for item in one["items"]}) == 45
    assert search(api, q="镁合金", page=99)["page"] == 3


@pytest.mark.parametrize(
    "params",
    [
        {"q": "'\"()[]{}*?:^~\\/ AND OR NOT"},
        {"q": '"'},
        {"q": "-"},
        {"q": "焊" * 1_900},
        {"field": ["0", "999", "x"]},
        {"organisation": ["nobody", "\x00"]},
        {"q": "\x00\ud7ff"},
    ],
)
@pytest.mark.usefixtures("both_databases")
def test_nothing_typed_is_an_error(
    api: TestClient, stocked: Market, params: dict[str, Any]
) -> None:
    search(api, **params)
    assert api.get("/suggestions", params=params).status_code == 200


@pytest.mark.parametrize(
    ("params", "field"),
    [({"page": 0}, "page"), ({"kind": "x"}, "kind"), ({"colour": "red"}, "colour")],
)
def test_wrong_parameters_are_named(api: TestClient, params: dict[str, Any], field: str) -> None:
    answer = api.get("/search", params=params)
    assert answer.status_code == 422
    assert field in answer.json()["error"]["fields"][0]["field"]


def test_a_hit_that_is_no_longer_public_is_left_out(api: TestClient, stocked: Market) -> None:
    """Withdrawn, and the index does not know it yet."""
    school = stocked.organisation()
    listing = stocked.achievement(school, "污泥原位减量菌剂")
    stocked.settle()
    stocked.withdraw(school, listing)
    found = search(api, q="污泥")
    assert found["items"] == []
    assert api.get(f"/listings/{listing.public_id}").status_code == 404


def test_similar_listings_share_words(api: TestClient, stocked: Market) -> None:
    (hit,) = search(api, q="气孔")["items"]
    items = api.get(f"/listings/{hit['id']}/similar").json()["items"]
    assert hit["id"] not in [item["listing"]["id"] for item in items]
    shared = {item["listing"]["title"]: item["shared"] for item in items}
    assert "焊缝" in shared["管道环焊缝射线底片智能评片"]
    assert "检测" in "".join(shared["工业表面缺陷视觉检测平台"])


def test_suggestions_while_typing(api: TestClient, stocked: Market) -> None:
    def suggested(q: str, **more: str) -> list[str]:
        items = api.get("/suggestions", params={"q": q, **more}).json()["items"]
        return [item["text"] for item in items]

    assert suggested("焊缝内")[0] == "焊缝内部气孔在线视觉检测装置"
    assert suggested("示范大学") == ["示范大学一", "示范大学二"]
    assert suggested("车架", kind="demand") == ["车架焊缝在线检测"]
    assert suggested("  ") == []
    assert suggested("han'feng")[0] == "焊缝内部气孔在线视觉检测装置"
    assert suggested("hanfengzz") == []


def masked_market(market: Market) -> tuple[Listing, Listing]:
    """A firm that is here masked only, with an achievement that fits its demand."""
    firm = market.organisation(OrganisationKind.COMPANY, name="隐名示例机电")
    text = "车架焊缝内部气孔在线检测"
    demand = market.demand(firm, text, masked=True, region="500106")
    achievement = market.achievement(market.organisation(name="示范大学一"), f"{text}装置")
    market.achievement(firm, "焊缝气孔标定试块", masked=True, completers="隐名示例机电张某")
    market.settle()
    return demand, achievement


def test_a_masked_name_is_nowhere(api: TestClient, market: Market) -> None:
    """Every public answer, and the matches of the other side, searched for the name and the id."""
    demand, achievement = masked_market(market)
    firm = next(
        actor for actor in market.people.values() if actor.organisation_name == "隐名示例机电"
    )
    paths = [
        "/search",
        "/search?kind=demand",
        "/search?kind=demand&q=焊缝",
        "/search?q=焊缝",
        "/suggestions?q=隐名",
        "/suggestions?q=隐名示例机电&kind=demand",
        "/suggestions?q=车架&kind=demand",
        f"/listings/{demand.public_id}",
        f"/listings/{demand.public_id}/similar",
        f"/listings/{achievement.public_id}",
        f"/listings/{achievement.public_id}/similar",
    ]
    answers = [api.get(path) for path in paths]
    holder = next(a for a in market.people.values() if a.organisation_name == "示范大学一")
    headers = {"Authorization": f"Bearer {factories.token(market.parts, holder)}"}
    answers += [
        api.get(f"/listings/{achievement.public_id}/{what}", headers=headers)
        for what in ("matches", "interest")
    ]
    assert [one.status_code for one in answers] == [200] * len(answers)
    told = "".join(one.text for one in answers)
    assert "车架焊缝内部气孔在线检测" in told
    assert "名称保密" in told
    assert "隐名" not in told
    assert str(firm.organisation_public_id) not in told
    # Searching for the name finds the listings of others only, and counts none.
    assert search(api, q="隐名示例机电", kind="demand")["total"] == 0


def test_nothing_tells_a_masked_organisation_from_one_that_offers_nothing(
    api: TestClient, market: Market
) -> None:
    masked_market(market)
    firm = next(a for a in market.people.values() if a.organisation_name == "隐名示例机电")
    idle = market.organisation(OrganisationKind.COMPANY, name="歇业示例机电")
    for name, public_id in (
        (firm.organisation_name, str(firm.organisation_public_id)),
        (idle.name, idle.public_id),
    ):
        assert api.get("/suggestions", params={"q": name}).json()["items"] == []
        found = search(api, kind="demand", organisation=public_id)
        facet = next(one for one in found["facets"] if one["name"] == "organisation")
        assert {"value": public_id, "label": public_id, "count": 0, "chosen": True} in facet[
            "options"
        ]


def test_the_owner_sees_the_own_masked_name(api: TestClient, market: Market) -> None:
    demand, _ = masked_market(market)
    firm = next(
        actor for actor in market.people.values() if actor.organisation_name == "隐名示例机电"
    )
    headers = {"Authorization": f"Bearer {factories.token(market.parts, firm)}"}
    answer = api.get(f"/listings/{demand.public_id}", headers=headers).json()
    assert answer["holder"]["name"] == "隐名示例机电"
    assert answer["own"] is True
