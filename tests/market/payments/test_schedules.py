"""Seeded schedules of webhooks end in the same state as the ordered one."""

import random
from collections.abc import Callable

import pytest

from market.payments.states import PaymentState
from tests.market.payments.schedules import SCRIPTS, differing, ordered
from tests.support.paying import FEE, Till

WHAT = "支付通知乱序、重复、丢失后与按序送达的结果对照"


def test_the_ordered_ends_are_what_happened(desk: Till) -> None:
    ends = ordered(desk)
    assert {script: (end.state, end.refunded) for script, end in ends.items()} == {
        SCRIPTS[0]: (PaymentState.PAID, 0),
        SCRIPTS[1]: (PaymentState.DUE, 0),
        SCRIPTS[2]: (PaymentState.PAID, 0),
        SCRIPTS[3]: (PaymentState.DUE, 0),
        SCRIPTS[4]: (PaymentState.PART_REFUNDED, 100_000),
        SCRIPTS[5]: (PaymentState.REFUNDED, FEE),
        SCRIPTS[6]: (PaymentState.PART_REFUNDED, 120_000),
        SCRIPTS[7]: (PaymentState.PART_REFUNDED, 150_000),
        SCRIPTS[8]: (PaymentState.PAID, 0),
        SCRIPTS[9]: (PaymentState.PART_REFUNDED, 2),
        SCRIPTS[10]: (PaymentState.PAID, 0),
        SCRIPTS[11]: (PaymentState.PART_REFUNDED, 7),
        SCRIPTS[12]: (PaymentState.PAID, 0),
        SCRIPTS[13]: (PaymentState.REFUNDED, FEE),
        SCRIPTS[14]: (PaymentState.REFUNDED, FEE),
        SCRIPTS[15]: (PaymentState.PART_REFUNDED, 100_000),
    }
    desk.sound()


def test_500_schedules(desk: Till) -> None:
    base = random.SystemRandom().randrange(10**9)
    print(f"seeds from {base}")
    assert differing(desk, range(base, base + 500)) == []
    desk.sound()


@pytest.mark.full
def test_10000_schedules(desk: Till, verified: Callable[..., None]) -> None:
    base = random.SystemRandom().randrange(10**9)
    assert differing(desk, range(base, base + 10_000)) == []
    desk.sound()
    verified(WHAT, how_many="10,000种", result="全部相同", seed=base)
