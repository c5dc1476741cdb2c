"""Notes of reads: written in the background, which outlives a note that cannot be written."""

import time

import pytest
from sqlmodel import Session

from market.accounts.work import Parts
from market.kit import journal
from market.kit.journal import Journal


def test_a_note_that_fails_does_not_end_the_writing(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "FLUSH_SECONDS", 0.01)
    kept = Journal(parts.database)
    written: list[str] = []

    def fails(_: Session) -> None:
        written.append("failed")
        raise OSError

    kept.add("bad", fails)
    until = time.monotonic() + 10
    while "good" not in written and time.monotonic() < until:
        if written:
            kept.add("good", lambda _: written.append("good"))
        time.sleep(0.01)
    kept.close()
    assert written[:2] == ["failed", "good"]
