"""What people type, beyond the index: the synonyms and dictionary words that the bureau keeps."""

from typing import Final

from sqlmodel import Session

from market.accounts.work import Parts, Work
from market.rules import dictionary as cutting
from market.rules import synonyms as rules
from search.analysis import fold
from search.dictionary import Dictionary
from search.synonyms import Synonyms

_MEMO: Final = "discovery.synonyms"
_IN_FORCE, _ALL = "discovery.dictionary", "discovery.dictionary.all"


def synonyms(work: Work) -> Synonyms:
    """Return the synonyms as they stand now; read anew only after a change."""
    session = work.session
    memo = work.parts.memos.of(_MEMO)
    kept: Synonyms = memo.get(rules.mark(session), lambda: Synonyms(rules.terms(session)))
    return kept


def dictionary(work: Work) -> Dictionary:
    """Return the dictionary words that searches go by."""
    return _kept(work.parts, work.session, in_force=True)


def indexed_words(parts: Parts) -> Dictionary:
    """Return the dictionary words that documents are indexed by: all, so that those in force are
    always among them.
    """
    with parts.database.read() as session:
        return _kept(parts, session, in_force=False)


def all_words(session: Session) -> Dictionary:
    """Return the same, read anew."""
    return Dictionary(map(fold, cutting.words(session, in_force=False)))


def _kept(parts: Parts, session: Session, *, in_force: bool) -> Dictionary:
    memo = parts.memos.of(_IN_FORCE if in_force else _ALL)
    kept: Dictionary = memo.get(
        cutting.mark(session),
        lambda: Dictionary(map(fold, cutting.words(session, in_force=in_force))),
    )
    return kept
