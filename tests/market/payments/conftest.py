from collections.abc import Iterator

import pytest

from market.accounts.work import Parts
from tests.support.clock import FakeClock
from tests.support.paying import Till, till
from tests.support.stripe_stand_in import StandIn, serving


@pytest.fixture
def stripe(clock: FakeClock) -> Iterator[StandIn]:
    with serving(clock.now) as state:
        yield state


@pytest.fixture
def desk(parts: Parts, clock: FakeClock, stripe: StandIn) -> Till:
    return till(parts, clock, stripe)
