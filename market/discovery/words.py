"""What people type, beyond the index: the synonyms that the bureau keeps."""

from typing import Final

from market.accounts.work import Work
from market.rules import synonyms as rules
from search.synonyms import Synonyms

_MEMO: Final = "discovery.synonyms"


def synonyms(work: Work) -> Synonyms:
    """Return the synonyms as they stand now; read anew only after a change."""
    session = work.session
    memo = work.parts.memos.of(_MEMO)
    kept: Synonyms = memo.get(rules.mark(session), lambda: Synonyms(rules.terms(session)))
    return kept
