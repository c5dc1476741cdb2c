"""Synonyms: groups of terms that a search takes for one another from the next search on."""

from typing import Final

from sqlmodel import Session

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.kit.errors import Conflict, Invalid, NotFound, Overtaken
from market.kit.ids import PublicId, new_public_id
from market.rules import repository
from market.rules.models import SynonymGroup
from market.rules.schemas import SynonymsEditIn, SynonymsIn, SynonymsOut

MOST: Final = 500
"""Groups; each search holds what was typed against all of them."""


def mark(session: Session) -> object:
    """Return what tells one state of the synonyms from every other."""
    return repository.synonym_mark(session)


def terms(session: Session) -> list[list[str]]:
    """Return the terms of every group."""
    return [list(group.terms) for group in repository.synonym_groups(session)]


def groups(work: Work) -> list[SynonymGroup]:
    """Return all groups, the ones changed last first."""
    work.require(Action.SYNONYM_EDIT, Relation.OTHER)
    return repository.synonym_groups(work.session)


def group(work: Work, public_id: PublicId) -> SynonymGroup:
    """Raises NotFound."""
    work.require(Action.SYNONYM_EDIT, Relation.OTHER)
    found = repository.synonym_group(work.session, public_id)
    if found is None:
        raise NotFound
    return found


def add(work: Work, form: SynonymsIn) -> SynonymGroup:
    """Raises Conflict where there are MOST groups, Invalid where one of these terms already stands
    in a group: it would be two lists of the same.
    """
    work.require(Action.SYNONYM_EDIT, Relation.OTHER)
    there = repository.synonym_groups(work.session)
    if len(there) >= MOST:
        raise Conflict(f"同义词最多{MOST}组，现在已满，请先合并或删去几组")
    _once(form.terms, there)
    row = SynonymGroup(public_id=new_public_id(), terms=form.terms, changed_at=work.now)
    work.session.add(row)
    work.session.flush()
    work.touched("synonyms", row.public_id)
    return row


def change(work: Work, public_id: PublicId, form: SynonymsEditIn) -> SynonymGroup:
    """Raises NotFound, Invalid as `add` does, Overtaken where somebody changed it since."""
    row = group(work, public_id)
    if row.edits != form.edits:
        now = SynonymsOut.model_validate(row).model_dump(mode="json")
        raise Overtaken(now, repository.OVERTAKEN)
    others = [one for one in repository.synonym_groups(work.session) if one.id != row.id]
    _once(form.terms, others)
    repository.change_synonyms(
        work.session, row.public_id, edits=form.edits, terms=form.terms, at=work.now
    )
    work.session.refresh(row)
    work.touched("synonyms", row.public_id)
    return row


def remove(work: Work, public_id: PublicId, edits: int) -> None:
    """Raises NotFound, Conflict where somebody changed it since."""
    row = group(work, public_id)
    repository.remove_synonyms(work.session, row.public_id, edits=edits)
    work.touched("synonyms", public_id)


def _once(terms: list[str], others: list[SynonymGroup]) -> None:
    for other in others:
        both = {one.casefold() for one in other.terms}
        if twice := next((term for term in terms if term.casefold() in both), None):
            there = "、".join(other.terms)
            raise Invalid(fields={"terms": f"“{twice}”已在另一组（{there}）里，请改那一组"})
