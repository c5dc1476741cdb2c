"""Words of payments on pages."""

from typing import Final

from market.payments.states import RefundState, TransferState, Way

WAYS: Final = {Way.CARD: "在线支付", Way.BANK: "银行转账"}
REFUND_STATES: Final = {
    RefundState.WANTED: "办理中",
    RefundState.SENT: "已交支付服务",
    RefundState.DONE: "已退",
    RefundState.FAILED: "没有退成",
}
TRANSFER_STATES: Final = {
    TransferState.WANTED: "待确认",
    TransferState.SENT: "已交支付服务",
    TransferState.DONE: "已转",
    TransferState.FAILED: "没有转成",
}
