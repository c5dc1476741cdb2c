"""The JSON edge of rewards."""

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from market.accounts import repository as accounts
from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.kit import pdf
from market.kit.files import as_document, download_headers
from market.kit.ids import PublicId
from market.kit.wire import PathId
from market.rewards import service, statement
from market.rewards.models import RewardState, Way
from market.rewards.schemas import CompleterOut, RewardIn, RewardOut, RewardsOut
from market.rewards.service import RewardView
from market.rules import transfer

router = api_router("rewards", "/rewards")


def _out(view: RewardView) -> RewardOut:
    row = view.row
    return RewardOut(
        id=row.public_id,
        title=row.title,
        contract=view.contract.public_id if view.contract else None,
        way=Way(row.way),
        profit_year=row.profit_year,
        income=row.income,
        cost=row.cost,
        base=row.base,
        rate_bp=row.rate_bp,
        amount=row.amount,
        floor_bp=row.floor_bp,
        floor_binding=row.floor_binding,
        decided_on=row.decided_on,
        state=RewardState(row.state),
        completers=[CompleterOut.model_validate(one) for one in view.shares],
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
    )


@router.get("")
def list_rewards(
    work: Annotated[Work, opens(Action.REWARD_VIEW)],
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> RewardsOut:
    """List the rewards that one's organisation stated, newest first."""
    total, views = service.rewards(work, number)
    return RewardsOut(items=[_out(view) for view in views], total=total)


@router.post("", status_code=201)
def state_reward(
    form: RewardIn, work: Annotated[Work, opens(Action.REWARD_EDIT, write=True)]
) -> RewardOut:
    """State a reward: at least the floor of the rule in force for state units."""
    row = service.state(work, form)
    return _out(service.reward(work, row.public_id))


@router.get("/{reward_id}")
def show_reward(reward_id: PathId, work: Annotated[Work, opens(Action.REWARD_VIEW)]) -> RewardOut:
    return _out(service.reward(work, PublicId(reward_id)))


@router.delete("/{reward_id}", status_code=204)
def drop_reward(
    reward_id: PathId, work: Annotated[Work, opens(Action.REWARD_EDIT, write=True)]
) -> None:
    """Delete a draft; a confirmed statement stays."""
    service.drop(work, PublicId(reward_id))


@router.post("/{reward_id}/confirmation")
def confirm_reward(
    reward_id: PathId, work: Annotated[Work, opens(Action.REWARD_CONFIRM, write=True)]
) -> RewardOut:
    """Confirm a statement, by a manager; it does not change from then on."""
    return _out(service.confirm(work, PublicId(reward_id)))


@router.get("/{reward_id}/statement", responses=as_document([pdf.MEDIA_TYPE]))
def reward_statement(
    reward_id: PathId, work: Annotated[Work, opens(Action.REWARD_VIEW)]
) -> Response:
    """Download the statement as a PDF."""
    view = service.reward(work, PublicId(reward_id))
    holder = accounts.organisation(work.session, view.row.organisation_id)
    made = statement.paper(view, holder, transfer.get(work.session, view.row.rule_id))
    name = f"奖励说明-{view.row.title[:40]}.pdf"
    return Response(made, media_type=pdf.MEDIA_TYPE, headers=download_headers(name))
