"""The JSON edge of rules."""

from typing import Annotated

from fastapi import Path

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.rules import service
from market.rules.schemas import DayOut, PlanIn, PlanOut, PlansOut, YearOut

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
    view = service.year_view(work, year)
    return YearOut(
        year=view.year,
        provisional=view.provisional,
        rest_days=view.rest_days,
        items=[DayOut.model_validate(row) for row in view.days],
    )
