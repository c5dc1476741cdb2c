"""The JSON edge of rules."""

from typing import Annotated

from fastapi import Path, Query

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.kit.ids import PublicId
from market.kit.wire import PathId
from market.rules import dictionary, service, synonyms, versions
from market.rules.models import DictionaryWord
from market.rules.schemas import (
    DayOut,
    DictionaryIn,
    DictionaryOut,
    DictionaryWordOut,
    PlanIn,
    PlanOut,
    PlansOut,
    SynonymGroupsOut,
    SynonymsEditIn,
    SynonymsIn,
    SynonymsOut,
    VersionIn,
    VersionOut,
    VersionsOut,
    YearIn,
    YearOut,
)

router = api_router("rules")

YearNumber = Annotated[int, Path(ge=1990, le=2100, examples=[2026])]


@router.get("/plans")
def plans(work: Annotated[Work, opens(Action.BROWSE)]) -> PlansOut:
    """List the plans, current ones first."""
    return PlansOut(items=[PlanOut.model_validate(row) for row in service.plans(work)])


@router.put("/plans")
def put_plan(form: PlanIn, work: Annotated[Work, opens(Action.PLAN_EDIT, write=True)]) -> PlanOut:
    """Write the plan of a region; name the current one in `replaces` to follow it."""
    return PlanOut.model_validate(service.put_plan(work, form))


@router.get("/calendar/{year}")
def calendar(year: YearNumber, work: Annotated[Work, opens(Action.BROWSE)]) -> YearOut:
    """Show the days of a year that rest or are worked against the plain week."""
    return _year(work, year)


def _year(work: Work, year: int) -> YearOut:
    view = service.year_view(work, year)
    return YearOut(
        year=view.year,
        provisional=view.provisional,
        rest_days=view.rest_days,
        items=[DayOut.model_validate(row) for row in view.days],
        mark=versions.year_mark(work.session, year),
    )


@router.put("/calendar/{year}")
def put_calendar(
    year: YearNumber, form: YearIn, work: Annotated[Work, opens(Action.RULE_EDIT, write=True)]
) -> YearOut:
    """Write the notice of a year; deadlines that it moves are computed anew."""
    versions.put_year(work, year, form)
    return _year(work, year)


@router.get("/rules/versions")
def rule_versions(work: Annotated[Work, opens(Action.BROWSE)]) -> VersionsOut:
    """List the versions of the registration rules, by the day from which each is in force."""
    return VersionsOut(items=[versions.out(one) for one in versions.book(work.session).versions])


@router.put("/rules/versions")
def put_version(
    form: VersionIn, work: Annotated[Work, opens(Action.RULE_EDIT, write=True)]
) -> VersionOut:
    """Rewrite a version; name the one that was read in `replaces`."""
    return versions.out(versions.put(work, form))


@router.get("/synonyms")
def synonym_groups(work: Annotated[Work, opens(Action.SYNONYM_EDIT)]) -> SynonymGroupsOut:
    """List the synonyms, the groups changed last first."""
    return SynonymGroupsOut(
        items=[SynonymsOut.model_validate(row) for row in synonyms.groups(work)]
    )


@router.post("/synonyms", status_code=201)
def add_synonyms(
    form: SynonymsIn, work: Annotated[Work, opens(Action.SYNONYM_EDIT, write=True)]
) -> SynonymsOut:
    """Write a group; every search from now on goes by it."""
    return SynonymsOut.model_validate(synonyms.add(work, form))


@router.put("/synonyms/{synonyms_id}")
def change_synonyms(
    synonyms_id: PathId,
    form: SynonymsEditIn,
    work: Annotated[Work, opens(Action.SYNONYM_EDIT, write=True)],
) -> SynonymsOut:
    """Write other terms into a group."""
    return SynonymsOut.model_validate(synonyms.change(work, PublicId(synonyms_id), form))


@router.delete("/synonyms/{synonyms_id}", status_code=204)
def remove_synonyms(
    synonyms_id: PathId,
    edits: Annotated[int, Query(ge=0, le=1_000_000)],
    work: Annotated[Work, opens(Action.SYNONYM_EDIT, write=True)],
) -> None:
    """Take a group out; `edits` is its count as it was read."""
    synonyms.remove(work, PublicId(synonyms_id), edits)


def _words(rows: list[DictionaryWord]) -> DictionaryOut:
    return DictionaryOut(items=[DictionaryWordOut.model_validate(row) for row in rows])


@router.get("/dictionary")
def dictionary_words(work: Annotated[Work, opens(Action.SYNONYM_EDIT)]) -> DictionaryOut:
    """List the dictionary words, the newest first."""
    return _words(dictionary.listed(work))


@router.post("/dictionary", status_code=201)
def add_words(
    form: DictionaryIn, work: Annotated[Work, opens(Action.SYNONYM_EDIT, write=True)]
) -> DictionaryOut:
    """Write words; searches go by them once the index was built anew."""
    return _words(dictionary.add(work, form))


@router.delete("/dictionary/{word_id}", status_code=204)
def remove_word(
    word_id: PathId, work: Annotated[Work, opens(Action.SYNONYM_EDIT, write=True)]
) -> None:
    """Take a word out; searches stop going by it at once."""
    dictionary.remove(work, PublicId(word_id))
