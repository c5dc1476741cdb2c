"""What people type, beyond the index: the synonyms and dictionary words that the bureau keeps."""

from typing import Final

from market.accounts.work import Parts, Work
from market.rules import dictionary as cutting
from market.rules import synonyms as rules
from search.analysis import fold
from search.dictionary import Dictionary
from search.synonyms import Synonyms

_MEMO: Final = "discovery.synonyms"
_ASKED, _INDEXED = "discovery.dictionary", "discovery.dictionary.indexed"


def synonyms(work: Work) -> Synonyms:
    """Return the synonyms as they stand now; read anew only after a change."""
    session = work.session
    memo = work.parts.memos.of(_MEMO)
    kept: Synonyms = memo.get(rules.mark(session), lambda: Synonyms(rules.terms(session)))
    return kept


def dictionary(work: Work) -> Dictionary:
    """Return the dictionary words that searches go by."""
    session = work.session
    memo = work.parts.memos.of(_ASKED)
    kept: Dictionary = memo.get(
        cutting.mark(session), lambda: _folded(cutting.words(session, in_force=True))
    )
    return kept


def indexed_words(parts: Parts) -> Dictionary:
    """Return the dictionary words that documents are indexed by: all, so that those in force are
    always among them.
    """
    with parts.database.read() as session:
        memo = parts.memos.of(_INDEXED)
        kept: Dictionary = memo.get(
            cutting.mark(session), lambda: _folded(cutting.words(session, in_force=False))
        )
        return kept


def _folded(words: list[str]) -> Dictionary:
    return Dictionary(map(fold, words))
