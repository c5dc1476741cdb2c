"""The deals of the plan's region as the forecast reads them."""

from datetime import date, timedelta
from typing import Final

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.deals.vocabulary import StageEntered
from market.insight import repository_pipeline as repository
from market.insight.forecast import Course, Forecast, Step, forecast
from market.kit.clock import local_date
from market.kit.ids import DealId
from market.rules.models import Plan

GIVEN_UP: Final = timedelta(days=90)
"""So long after a refusal without a new application, a deal will not be registered any more."""


def courses(work: Work, region: str) -> list[Course]:
    """Return every deal of the sellers in a region: won is registered, not only signed; lost is
    also what was refused and not applied for again.
    """
    steps: dict[DealId, list[Step]] = {}
    lost_on: dict[DealId, date] = {}
    for deal, stage, at in repository.stages(work.session, region):
        if stage == StageEntered.LOST:
            lost_on[deal] = local_date(at)
        else:
            steps.setdefault(deal, []).append(Step(stage, local_date(at)))
    won = {deal: (on, fen) for deal, on, fen in repository.registered(work.session, region)}
    over = work.today - GIVEN_UP
    for deal, at in repository.refused(work.session, region).items():
        if local_date(at) <= over:
            lost_on.setdefault(deal, local_date(at))
    found = []
    for row in repository.deals(work.session, region):
        named = row.named_fen if row.drafted_fen is None else row.drafted_fen
        way = tuple(steps.get(row.id, ()))
        if row.id in won:
            on, fen = won[row.id]
            ended = max(on, way[-1].on) if way else on
            found.append(Course(way, ended, won=True, amount_fen=named, final_fen=fen))
        elif row.id in lost_on:
            found.append(Course(way, lost_on[row.id], amount_fen=named))
        elif not row.lost:
            found.append(Course(way, amount_fen=named))
    return found


def forecast_of(work: Work, plan: Plan) -> Forecast:
    """Return what the open deals may bring from tomorrow to the plan's end, for the bureau.

    Raises Forbidden for others.
    """
    work.require(Action.REPORT_BUREAU, Relation.OTHER)
    return forecast(courses(work, plan.region), today=work.today, until=plan.to_on)
