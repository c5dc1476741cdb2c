"""Words of payments on pages."""

from collections.abc import Sequence
from typing import Final

from market.payments.models import Refund, Transfer
from market.payments.states import CreditState, RefundState, TransferState, Way

WAYS: Final = {Way.CARD: "在线支付", Way.BANK: "银行转账"}
METHODS: Final = {"card": "银行卡", "alipay": "支付宝", "wechat_pay": "微信支付"}
"""Ways to pay by Stripe's names of them; another one goes by its own."""
CREDIT_STATES: Final = {
    CreditState.RECORDED: "待确认",
    CreditState.CONFIRMED: "已确认",
    CreditState.REJECTED: "不是这笔款",
}
_REFUNDS: Final = {
    RefundState.WANTED: "办理中",
    RefundState.SENT: "已交支付服务",
    RefundState.DONE: "已退",
    RefundState.FAILED: "没有退成",
}
_TRANSFERS: Final = {
    TransferState.WANTED: "待确认",
    TransferState.SENT: "已交支付服务",
    TransferState.DONE: "已转",
    TransferState.FAILED: "没有转成",
}


def refund_state(row: Refund) -> str:
    """Return how a refund stands; by bank it fails by a second person's word alone."""
    state = RefundState(row.state)
    if state is RefundState.WANTED and row.way == Way.BANK:
        return "待确认"
    by_word = state is RefundState.FAILED and row.way == Way.BANK
    return "决定不退" if by_word else _REFUNDS[state]


def transfer_state(row: Transfer) -> str:
    """Return how a transfer stands, as `refund_state` does."""
    state = TransferState(row.state)
    by_word = state is TransferState.FAILED and row.way == Way.BANK
    return "决定不转" if by_word else _TRANSFERS[state]


def methods(names: Sequence[str]) -> str:
    """Return ways to pay as one reads them: `银行卡、支付宝或微信支付`, "" for none."""
    said = [METHODS.get(name, name) for name in names]
    return "或".join(["、".join(said[:-1]), said[-1]]) if len(said) > 1 else "".join(said)
