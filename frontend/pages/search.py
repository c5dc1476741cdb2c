"""Searching: achievements, demands and organisations, and suggestions while typing."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.datastructures import QueryParams
from starlette.responses import Response

from frontend.edge import Page, opens_page
from frontend.pages import discovery_rows as rows
from frontend.pages.organisations import KIND_NAMES as ORGANISATION_KINDS
from market.accounts.models import Organisation
from market.accounts.policy import Action
from market.catalog.vocabulary import KIND_NAMES, ListingKind, region_name
from market.discovery import labels, results, service
from market.discovery.endpoints import engine_of
from market.discovery.results import Facet, SearchParams
from market.discovery.schemas import Sort
from market.discovery.suggestions import Suggestion, suggestions
from market.kit.letters import one_line
from search.port import SearchEngine

router = APIRouter()

ORGANISATION = "organisation"
_VALUES, _VALUE_LENGTH, _TYPED = 50, 100, 2_000
_FIRST_SHOWN = 5
_FOLDED = frozenset({"organisation", "region"})

Visited = Annotated[Page, opens_page(Action.BROWSE)]
Engine = Annotated[SearchEngine, Depends(engine_of)]


@router.get("/search")
def search(page: Visited, engine: Engine) -> Response:
    params = _params(page.request.query_params)
    if page.request.query_params.get("kind") == ORGANISATION:
        return _organisations(page, engine, params.q)
    found = service.search(page.work, engine, params)
    context = {
        **_shared(found.params.q, found.params.kind, found.kinds),
        "organisation_count": len(service.organisations(page.work, params.q)),
        "found": found,
        "rows_found": [rows.found_row(one) for one in found.rows],
        "nearest": [rows.found_row(one) for one in found.nearest],
        "groups": [_group(facet) for facet in found.facets],
        "chosen": [
            (facet.name, option.value, _chip(facet, option.label))
            for facet in found.facets
            for option in facet.options
            if option.chosen
        ],
        "hidden": _hidden(found.params),
        "sorts": tuple(results.SORTS[params.kind].items()),
        "facets": tuple(labels.NAMES[params.kind]),
        "first": (found.params.page - 1) * results.PAGE + 1,
        "demand_link": f"/my/demands/new?{urlencode({'q': params.q})}",
    }
    return page.render("discovery/search.html", context, block="found")


def _organisations(page: Page, engine: SearchEngine, typed: str) -> Response:
    """Organisations come from the database; without an index only the other tabs lack counts."""
    found = service.organisations(page.work, typed)
    kinds = service.kinds(page.work, engine, typed)
    context = {
        **_shared(typed, None, kinds),
        "organisation_count": len(found),
        "organisations": [_organisation(one) for one in found],
        "most": service.ORGANISATIONS,
    }
    return page.render("discovery/organisations.html", context)


def _organisation(row: Organisation) -> dict[str, str]:
    return {
        "name": row.name,
        "kind": ORGANISATION_KINDS[row.kind],
        "region": region_name(row.region),
        "achievements": f"/search?{urlencode({'organisation': row.public_id})}",
        "demands": f"/search?{urlencode({'kind': 'demand', 'organisation': row.public_id})}",
    }


def _shared(
    typed: str, kind: ListingKind | None, kinds: Mapping[ListingKind, int]
) -> dict[str, Any]:
    tabs = [
        (KIND_NAMES[one], f"/search?{urlencode({'kind': one, 'q': typed})}", kinds.get(one), one)
        for one in ListingKind
    ]
    return {
        "q": typed,
        "kind": kind,
        "kind_name": KIND_NAMES[kind] if kind else "",
        "kind_tabs": [(label, href, count, one is kind) for label, href, count, one in tabs],
        "organisation_link": f"/search?{urlencode({'kind': ORGANISATION, 'q': typed})}",
    }


def _params(query: QueryParams) -> SearchParams:
    """Read an address as generously as a person would: what is unknown is left aside."""
    kind = ListingKind.DEMAND if query.get("kind") == "demand" else ListingKind.ACHIEVEMENT
    sort = query.get("sort", "")
    page = query.get("page", "")
    return SearchParams(
        kind=kind,
        q=one_line(query.get("q", ""))[:_TYPED].strip(),
        chosen={
            name: tuple(
                dict.fromkeys(value[:_VALUE_LENGTH] for value in query.getlist(name)[:_VALUES])
            )
            for name in labels.NAMES[kind]
        },
        sort=Sort(sort) if sort in list(Sort) else Sort.RELEVANCE,
        page=int(page) if page.isdecimal() and len(page) < 6 else 1,
    )


def _group(facet: Facet) -> dict[str, Any]:
    any_chosen = any(option.chosen for option in facet.options)
    own_order = facet.name in labels.BY_SIZE
    return {
        "name": facet.name,
        "label": facet.label,
        "options": [
            {
                "value": option.value,
                "label": option.label,
                "count": option.count,
                "checked": option.chosen,
            }
            for option in facet.options
        ],
        "open": any_chosen or facet.name not in _FOLDED,
        "more": 0 if own_order else _FIRST_SHOWN,
    }


def _chip(facet: Facet, label: str) -> str:
    """A level or an amount alone would not say what it is."""
    return f"{facet.label}{label}" if facet.name in labels.BY_SIZE else label


def _hidden(params: SearchParams) -> list[tuple[str, str]]:
    """Return what a form of filters keeps beside them."""
    kept = [("kind", str(params.kind)), ("q", params.q)]
    if params.sort is not Sort.RELEVANCE:
        kept.append(("sort", str(params.sort)))
    return [(name, value) for name, value in kept if value]


@router.get("/search/suggest")
def suggest(page: Visited, engine: Engine) -> Response:
    """The links under a search box."""
    query = page.request.query_params
    kind = ListingKind.DEMAND if query.get("kind") == "demand" else ListingKind.ACHIEVEMENT
    found = suggestions(page.work, engine, query.get("q", "")[:_TYPED], kind)
    links = [_suggestion(one, kind) for one in found]
    return page.render("parts/suggestions.html", {"suggestions": links})


def _suggestion(one: Suggestion, kind: ListingKind) -> tuple[str, str, str]:
    if one.kind == "query":
        return one.text, f"/search?{urlencode({'kind': kind, 'q': one.text})}", "大家搜过"
    if one.kind == "listing":
        return one.text, f"/listings/{one.public_id}", KIND_NAMES[kind]
    return one.text, f"/search?{urlencode({'organisation': one.public_id})}", "机构"
