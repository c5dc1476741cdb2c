"""Any order of steps at the desk comes to the same figures as a model kept by hand."""

import itertools
import random
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest
from hypothesis.stateful import run_state_machine_as_test

from infra.migrate import migrate
from infra.settings import Settings
from tests.market.registry.counting_base import Ground
from tests.market.registry.counting_machine import Counting

STEPS = 150
FULL_STEPS = 50_000
CI_STEPS = 3_000


@pytest.fixture
def ground(
    request: pytest.FixtureRequest, both_databases: str, tmp_path: Path, sqlite_template: Path
) -> Ground:
    """Empty databases, one a machine, of one kind or the other."""
    places = itertools.count()

    def fresh(stack: ExitStack) -> Settings:
        folder = tmp_path / str(next(places))
        folder.mkdir()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if both_databases == "postgres":
            url = stack.enter_context(request.getfixturevalue("postgres").database(migrate))
        else:
            shutil.copyfile(sqlite_template, folder / "zhihe.db")
            url = f"sqlite:///{folder / 'zhihe.db'}"
        return Settings(data_dir=folder, database_url=url)

    return Ground(fresh, Counter())


def hold(ground: Ground, steps: int) -> int:
    """Take so many steps at least; return the seed that chose them."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")

    class Machine(Counting):
        pass

    Machine.ground = ground
    while ground.steps < steps:
        left = steps - ground.steps
        settings = hypothesis.settings(
            max_examples=-(-left // STEPS),
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate],
        )
        run_state_machine_as_test(hypothesis.seed(seed)(Machine), settings=settings)
        seed += 1
    print(dict(ground.happened))
    return seed - 1


def test_any_order_of_steps_comes_to_the_same_figures(ground: Ground) -> None:
    hold(ground, CI_STEPS)
    assert not [name for name in OFTEN if not ground.happened[name]]


@pytest.mark.full
@pytest.mark.parametrize("part", range(5))
def test_very_many_orders_of_steps(
    ground: Ground, both_databases: str, part: int, verified: Callable[..., None]
) -> None:
    seed = hold(ground, FULL_STEPS // 5)
    assert not [name for name in USED if not ground.happened[name]], "every step was taken"
    taken = "，".join(f"{name} {number:,}" for name, number in sorted(ground.happened.items()))
    verified(
        f"登记、变更、冲回、历史、关账的任意次序，{both_databases}（第{part + 1}组）",
        how_many=f"{ground.steps:,}步",
        result=f"每步之后：分录平、看板等于分录之和等于登记之和、编号不重、状态合表、关账不变；{taken}",
        seed=seed,
    )


OFTEN = (
    "hand_in",
    "accept",
    "send_back",
    "register",
    "change",
    "cancel",
    "revoke",
    "undo",
    "close",
)
"""What a tenth of the steps takes for certain."""
USED = (
    "hand_in_anew", "hand_in", "withdraw", "send_back", "accept", "review", "refuse", "object",
    "uphold", "register", "same again", "change", "correct", "cancel", "revoke", "undo", "bring_in",
    "past mistake", "past cancelled", "close", "refused",
)  # fmt: skip
