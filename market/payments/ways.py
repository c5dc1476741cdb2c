"""The ways in which money comes in here, as wiring built them."""

from dataclasses import dataclass

from market.payments.stripe import Cards


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Where transfers go; empty texts where the operator has not said."""

    holder: str = ""
    bank: str = ""
    number: str = ""

    @property
    def known(self) -> bool:
        return bool(self.holder and self.bank and self.number)


@dataclass(frozen=True, slots=True)
class Ways:
    """`cards` is None without Stripe's keys: then everything but card payment works."""

    cards: Cards | None = None
    bank: BankAccount = BankAccount()


NO_CARDS = "这里没有开通在线支付，请改用银行转账"
