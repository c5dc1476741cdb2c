"""Two people edit the same thing: the second sees both versions, chooses, and loses nothing."""

import html
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tests.hostile.line import Answer
from tests.hostile.market import Market, PageForm
from tests.infra.world import World


@pytest.fixture
def market(world: World) -> Iterator[Market]:
    with TestClient(world.app) as client:
        yield Market(world, client)


def form_on(market: Market, path: str, marker: str) -> PageForm:
    """Return the form of a page as it stands now, told apart by one of its fields."""
    shown = next(one for one in market.pages() if one.path == path)
    target = next(r for r in market.routes if (r.path, r.method) == (path, "POST"))
    who = market.somebody(target)
    like = PageForm(who, target, market.path(target), ((marker, ""), ("seen", "")), frozenset())
    return market.forms_in(market.get(shown, who=who).text, like)


def send(market: Market, form: PageForm, **changed: str) -> Answer:
    fields = {**{n: v for n, v in form.fields if n != "once"}, **changed}
    return market.post_form(form.route, form.who, form.action, list(fields.items()))


CASES = (
    # page, a field that tells the form, the version's field, field, theirs, mine
    ("/my/listings/{listing_id}/edit", "title", "summary", "他先保存的摘要", "我填的摘要"),
    ("/organisation", "address", "address", "他先保存的地址", "我填的地址"),
    ("/desk/organisations/{organisation_id}", "note", "note", "他先保存的说明", "我填的说明"),
    ("/desk/plan", "target_fen", "name", "他先保存的计划", "我填的计划"),
    ("/desk/synonyms/{synonyms_id}", "terms", "terms", "他先写的词、甲", "我填的词、乙"),
)


@pytest.mark.parametrize(("path", "marker", "field", "theirs", "mine"), CASES)
def test_the_second_sees_both_and_chooses(
    market: Market, path: str, marker: str, field: str, theirs: str, mine: str
) -> None:
    # A plan needs a first version; a verification a decision.
    needed = {
        "/desk/plan": {
            "name": "计划", "region": "500106", "from_on": "2026-01-01", "to_on": "2030-12-31",
            "target_fen": "100", "baseline_fen": "1", "baseline_year": "2020",
        },
        "/desk/organisations/{organisation_id}": {"decision": "verified"},
        "/my/listings/{listing_id}/edit": {},
    }.get(path, {})  # fmt: skip
    if path == "/my/listings/{listing_id}/edit":
        take_back(market)
    if path == "/desk/plan":
        assert send(market, form_on(market, path, marker), **needed).status == 303
    seen = form_on(market, path, marker)
    assert send(market, seen, **{**needed, field: theirs}).status == 303
    refused = send(market, seen, **{**needed, field: mine})
    assert refused.status == 409
    assert html.escape(mine) in refused.text
    assert html.escape(theirs) in refused.text
    assert f'name="use:{field}"' in refused.text
    # What is shown again is based on what stands now, and takes either.
    again = shown_again(market, seen, refused)
    saved = send(market, again, **needed, **{f"use:{field}": "theirs", f"theirs:{field}": theirs})
    assert saved.status == 303
    assert dict(form_on(market, path, marker).fields)[field] == theirs
    last = form_on(market, path, marker)
    assert send(market, last, **{**needed, field: mine}).status == 303
    assert dict(form_on(market, path, marker).fields)[field] == mine


def take_back(market: Market) -> None:
    seller, listing = market.world.api("seller"), market.world.ids["listing_id"]
    assert seller.delete(f"/my/listings/{listing}/submission").status_code == 200


def shown_again(market: Market, form: PageForm, answer: Answer) -> PageForm:
    """Return the form as the refusal shows it."""
    return market.forms_in(answer.text, form)


def test_an_edit_of_what_stands_beside_the_text_is_not_undone(market: Market) -> None:
    """Somebody hides the organisation's name while another rewrites the text."""
    take_back(market)
    path = "/my/listings/{listing_id}/edit"
    seen = form_on(market, path, "title")
    assert send(market, seen, masked="1").status == 303
    refused = send(market, seen, summary="新的摘要")
    assert refused.status == 409
    assert 'name="use:masked"' in refused.text


def test_the_api_is_told_what_stands_now(market: Market) -> None:
    seller = market.world.api("seller")
    listing = market.world.ids["listing_id"]
    seller.delete(f"/my/listings/{listing}/submission")
    own = seller.get(f"/my/listings/{listing}").json()
    edit = {**own["text"], "based_on": own["revision"], "seen": own["edits"], "masked": False}
    first = seller.put(f"/my/achievements/{listing}", json={**edit, "masked": True})
    assert first.status_code == 200, first.text
    second = seller.put(f"/my/achievements/{listing}", json={**edit, "summary": "另一种"})
    assert second.status_code == 409
    now = second.json()["error"]["current"]
    assert now["masked"] is True
    retried = {**edit, "masked": True, "summary": "另一种", "seen": now["seen"]}
    assert seller.put(f"/my/achievements/{listing}", json=retried).status_code == 200
