"""A person's own name and telephone."""

from market.accounts import repository, repository_personal
from market.accounts.policy import Action
from market.accounts.schemas import ProfileIn
from market.accounts.work import Work
from market.kit.errors import Conflict


def change(work: Work, form: ProfileIn) -> None:
    """Write the acting person's name and telephone. The same again has no effect.

    Raises Conflict where they are no longer what the form was opened with.
    """
    work.require(Action.ACCOUNT_USE)
    person = repository.person(work.session, work.actor.person)
    work.touched("person", person.public_id)
    to = (form.name, form.phone)
    if (person.name, person.phone) == to:
        return
    seen = (form.seen_name, form.seen_phone)
    if repository_personal.rename(work.session, person.id, seen=seen, to=to) != 1:
        raise Conflict("姓名或电话刚在别处改过，请刷新后再改")
