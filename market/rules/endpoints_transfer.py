"""The JSON edge of the rules of rewards and brokers."""

from typing import Annotated

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.rules import transfer
from market.rules.schemas_transfer import TransferRuleIn, TransferRuleOut, TransferRulesOut

router = api_router("rules")


@router.get("/transfer-rules")
def transfer_rules(work: Annotated[Work, opens(Action.BROWSE)]) -> TransferRulesOut:
    """List the floors of rewards and the time of 跳单, those in force first."""
    rows = transfer.rules(work)
    return TransferRulesOut(items=[TransferRuleOut.model_validate(row) for row in rows])


@router.put("/transfer-rules")
def put_transfer_rule(
    form: TransferRuleIn, work: Annotated[Work, opens(Action.PLAN_EDIT, write=True)]
) -> TransferRuleOut:
    """Write what holds from a day on; name the rule of that day in `replaces` to follow it."""
    return TransferRuleOut.model_validate(transfer.put(work, form))
