"""The manual says what the worker does with what is past its time."""

from infra import kept


def test_the_manual_has_the_list_that_runs() -> None:
    manual = kept.DOCUMENT.read_text(encoding="utf-8")
    assert kept.HEADING in manual
    assert manual == kept.written(manual), "run python -m infra.kept"
