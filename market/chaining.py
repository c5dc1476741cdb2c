"""The ledger's chain over all nouns: its beginning, and going on after a restoration."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlmodel import Session

from market.accounts.work import Parts
from market.ledger import beginning, heads, records
from market.ledger.models import Cause
from market.registry import kept

KEPT: Final[Mapping[str, Callable[[Session], Sequence[tuple[str, str]]]]] = {
    kept.REGISTRATION: kept.registrations,
    kept.HISTORY: kept.all_histories,
    kept.PAST: kept.pasts,
}
"""What rows are kept in the chain of records: (key, digest) of all there are, by kind."""


def begin(parts: Parts) -> int | None:
    """Link what was posted before there was a chain, keep what rows say, and sign the head.

    Return how many transactions were linked; None where all of it has begun before: then only what
    came to be kept since, of which nothing is kept yet, is kept. Raises Conflict where something is
    to be linked and the key is missing.
    """
    with parts.database.write() as session:
        if not beginning.may_begin(session):
            for kind, rows in KEPT.items():
                if not records.any_kept(session, kind):
                    records.keep_many(session, kind, rows(session), at=parts.clock.now())
            return None
        count = beginning.link_all(session, at=parts.clock.now())
        for kind, rows in KEPT.items():
            records.keep_many(session, kind, rows(session), at=parts.clock.now())
        heads.seal(session, Cause.CHAINED, at=parts.clock.now())
    write_files(parts)
    return count


def write_files(parts: Parts) -> int:
    """Write the files of heads that this machine's folder lacks; return how many."""
    with parts.database.read() as session:
        return heads.write_files(session)


def sign_now(parts: Parts) -> dict[str, Any]:
    """Sign the heads as they are; return what the file says. Raises Conflict without the key."""
    return _signed(parts, Cause.NIGHT, "")


def go_on(parts: Parts, reason: str) -> dict[str, Any]:
    """Sign that the database was brought back as it was before, and goes on from there.

    Return what the file says. Raises Conflict without the key.
    """
    return _signed(parts, Cause.RESTORED, reason)


def _signed(parts: Parts, cause: Cause, reason: str) -> dict[str, Any]:
    with parts.database.write() as session:
        said = heads.told(heads.seal(session, cause, at=parts.clock.now(), reason=reason))
    write_files(parts)
    return said
