"""Dictionary words: what the segmentation lacks, in force from the next rebuilt index on."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PublicId, new_public_id
from market.rules import repository
from market.rules.models import DictionaryWord
from market.rules.schemas import DictionaryIn

MOST: Final = 2_000


def mark(session: Session) -> object:
    """Return what tells one state of the words from every other."""
    return repository.dictionary_mark(session)


def words(session: Session, *, in_force: bool) -> list[str]:
    """Return the words that searches go by, or also those that wait for an index to be built."""
    rows = repository.dictionary(session)
    return [row.word for row in rows if row.in_force_at is not None or not in_force]


def ids(session: Session) -> frozenset[int]:
    """Return which words there are, to put these in force later."""
    return frozenset(row.id for row in repository.dictionary(session))


def put_in_force(session: Session, ids: Collection[int], *, at: datetime) -> None:
    """Let searches go by these words, those of them that are still there: every document was cut by
    them since.
    """
    repository.put_in_force(session, ids, at=at)


def listed(work: Work) -> list[DictionaryWord]:
    """Return all words, the newest first."""
    work.require(Action.SYNONYM_EDIT, Relation.OTHER)
    return repository.dictionary(work.session)


def add(work: Work, form: DictionaryIn) -> list[DictionaryWord]:
    """Raises Invalid at `words` for one that is there already or more than MOST, Conflict where
    somebody else writes one of them at this moment.
    """
    work.require(Action.SYNONYM_EDIT, Relation.OTHER)
    there = {row.word for row in repository.dictionary(work.session)}
    if twice := next((word for word in form.words if word in there), None):
        raise Invalid(fields={"words": f"“{twice}”已在词典里，不用再写"})
    if len(there) + len(form.words) > MOST:
        room = f"最多{MOST}个词，现有{len(there)}个"
        raise Invalid(fields={"words": f"{room}，请少写几个或先删去不用的"})
    rows = [
        DictionaryWord(public_id=new_public_id(), word=word, created_at=work.now)
        for word in form.words
    ]
    work.session.add_all(rows)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise Conflict("别人刚写了其中一个词，请刷新后再写") from error
    work.touched("dictionary", rows[-1].public_id)  # an audit row names one object
    return rows


def remove(work: Work, public_id: PublicId) -> None:
    """Take a word out; searches stop going by it at once. Raises NotFound."""
    work.require(Action.SYNONYM_EDIT, Relation.OTHER)
    repository.remove_word(work.session, public_id)
    work.touched("dictionary", public_id)
