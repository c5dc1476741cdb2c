"""What may come in by the API, for all nouns alike."""

import pytest
from pydantic import TypeAdapter, ValidationError

from market.kit.wire import Day

DAY = TypeAdapter(Day)


def test_a_day_is_written_out() -> None:
    assert str(DAY.validate_python("2026-11-30")) == "2026-11-30"


@pytest.mark.parametrize("value", [0, 1_795_910_400, "1795910400", "2026-11-30T00:00:00", True])
def test_seconds_and_moments_are_no_day(value: object) -> None:
    with pytest.raises(ValidationError):
        DAY.validate_python(value)
