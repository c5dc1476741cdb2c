"""What only the bureau's board shows: the forecast, and sums by buyer, university and agency."""

from collections.abc import Mapping
from dataclasses import dataclass

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.insight import repository_pipeline, repository_reports
from market.insight.forecast import Forecast
from market.insight.pipeline import forecast_of
from market.insight.reports import breakdowns
from market.insight.service import mark_of, once, tally
from market.insight.views import Figure
from market.ledger.schemas import Slice
from market.rules.models import Plan


@dataclass(frozen=True, slots=True)
class Beside:
    """`tables` by their key, as in a report."""

    forecast: Forecast
    tables: Mapping[str, tuple[Figure, ...]]


def beside(work: Work, plan: Plan) -> Beside:
    """Return what belongs beside the exact board. Raises Forbidden for others than the bureau."""
    work.require(Action.REPORT_BUREAU, Relation.OTHER)
    mark = (
        mark_of(work, plan),
        repository_pipeline.newest(work.session),
        repository_reports.newest_part(work.session),
    )
    return once(work, "bureau board", mark, lambda: _make(work, plan))


def _make(work: Work, plan: Plan) -> Beside:
    part = Slice(plan.from_on, plan.to_on, seller_region=plan.region)
    sums = tally(work, plan).sums
    tables = {one.key: one.rows for one in breakdowns(work, part, sums)}
    return Beside(forecast_of(work, plan), tables)
