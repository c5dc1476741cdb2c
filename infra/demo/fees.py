"""The fee schedule of the demonstration, and one payment that is due."""

from typing import Final

from infra.demo.replay import Replay
from market.accounts.policy import Action
from market.payments import schedule, service
from market.payments.schemas import FeeIn, PaymentIn
from market.payments.states import Purpose

OPERATOR: Final = "yunying"
PAYER: Final = "jidian"
WAN: Final = 1_000_000


def settle(replay: Replay) -> None:
    """Publish two fees from today on, and let a company owe one of them."""
    with replay.act(OPERATOR, Action.FEE_EDIT) as work:
        year = schedule.set_fee(
            work,
            FeeIn(
                code="service-year",
                name="平台年度服务费",
                purpose="service_fee",
                amount_fen=WAN // 2,
                effective_from=work.today,
                source="示范收费办法第2条",
            ),
        )
        schedule.set_fee(
            work,
            FeeIn(
                code="earnest",
                name="诚意金",
                purpose="earnest",
                rate_bp=200,
                least_fen=WAN // 10,
                most_fen=5 * WAN,
                effective_from=work.today,
                source="示范收费办法第5条",
            ),
        )
    with replay.act(PAYER, Action.PAYMENT_MAKE) as work:
        service.create(work, PaymentIn(purpose=Purpose.SERVICE_FEE, fee=year.public_id))
