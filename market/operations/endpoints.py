"""The JSON edge of the operators' work."""

from typing import Annotated

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.operations import service
from market.operations.schemas import OperationsOut, Retried, RetryIn

router = api_router("operations")


@router.get("/operations")
def operations(work: Annotated[Work, opens(Action.OPERATIONS_VIEW)]) -> OperationsOut:
    """Read what waits, runs and was given up, what lives, and when routine work was done."""
    return service.overview(work)


@router.post("/operations/jobs/retry")
def retry_job(
    form: RetryIn, work: Annotated[Work, opens(Action.OPERATIONS_RETRY, write=True)]
) -> Retried:
    """Let a job that was given up run again from where it stopped, or all of them."""
    return Retried(count=service.retry_job(work, form.id))


@router.post("/operations/deliveries/retry")
def retry_delivery(
    form: RetryIn, work: Annotated[Work, opens(Action.OPERATIONS_RETRY, write=True)]
) -> Retried:
    """Let a change that was set aside be delivered again, or all of them."""
    return Retried(count=service.retry_delivery(work, form.id))
