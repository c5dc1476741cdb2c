"""Past queries: what several organisations searched for and found is suggested to others.

Nobody's secret may appear: a text counts once for each organisation, is written down only when
VISITORS have typed it within KEPT_FOR, and never where it looks like a person's data.
"""

import hmac
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlmodel import Session

from market.accounts.policy import Role
from market.accounts.work import Work
from market.discovery import repository_queries as repository
from market.discovery.models_queries import LONGEST_SPELLING, LONGEST_TEXT
from market.kit import letters
from market.kit.letters import one_line
from search import spelling
from search.analysis import fold, symbols
from search.parse import Parsed

VISITORS: Final = 5
"""Organisations, or people acting for none."""
KEPT_FOR: Final = timedelta(days=90)
UNUSED_FOR: Final = timedelta(days=365)

_SHORTEST: Final = 2
_PERSONAL = re.compile(r"[@“”\"]|\d{7}")  # an address, a telephone number, a quotation
_DIGEST: Final = 32


def note(work: Work, typed: str, parsed: Parsed) -> None:
    """Note, after the answer, that the typed text found something. Of visitors who have not signed
    in nothing is noted.
    """
    text = one_line(typed).strip()
    if work.actor.role is Role.ANONYMOUS or not parsed.only_units:
        return
    if _PERSONAL.search(text) or letters.problem(text):
        return
    if not _SHORTEST <= len(text) <= LONGEST_TEXT or len(symbols(text)) < _SHORTEST:
        return
    who = work.actor.organisation_id or f"person {work.actor.person_id}"
    digests = _digest(work, "text", fold(text)), _digest(work, fold(text), str(who))
    work.parts.journal.add(":".join(("query", *digests)), _noting(text, *digests, work.now))


def _digest(work: Work, about: str, told: str) -> str:
    message = f"query\0{about}\0{told}".encode(errors="replace")
    return hmac.new(work.parts.secret, message, sha256).hexdigest()[:_DIGEST]


def _noting(
    text: str, text_digest: str, visitor_digest: str, at: datetime
) -> Callable[[Session], None]:
    def write(session: Session) -> None:
        folded = fold(text)
        if repository.note_use(session, folded, at):
            return
        seen = repository.note_sighting(session, text_digest, visitor_digest, at)
        if seen < VISITORS:
            return
        syllables, initials = next(spelling.spellings(text), ("", ""))
        repository.write_query(
            session,
            folded=folded,
            text=text,
            syllables=syllables[:LONGEST_SPELLING],
            initials=initials[:LONGEST_TEXT],
            uses=seen,
            used_at=at,
        )
        repository.forget_sightings(session, text_digest)

    return write


def like(session: Session, typed: str, limit: int) -> list[str]:
    """Return texts that go on from what was typed, in characters or pinyin; most used first."""
    folded = fold(one_line(typed).strip())[:LONGEST_TEXT]
    if not folded or letters.problem(folded):
        return []
    found = repository.queries_like(session, folded, spelling.letters(folded), limit)
    return [row.text for row in found]
