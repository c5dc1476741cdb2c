"""Who sent a file and has gone since."""

import pytest

from market import jobs, personal, waiting
from market.accounts import passwords
from market.accounts.models import Person
from market.accounts.work import Parts
from market.imports.models import RunState
from tests import factories
from tests.market.imports.bringing import Bringing, table


@pytest.mark.parametrize("ready", [False, True], ids=["before it is tried", "while it waits"])
@pytest.mark.usefixtures("both_databases")
def test_an_import_waits_for_nobody_who_is_gone(parts: Parts, *, ready: bool) -> None:
    at = Bringing(parts, factories.organisation(parts))
    password = "correct horse battery"
    with parts.database.write() as session:
        row = session.get_one(Person, at.editor.person)
        row.password_hash = passwords.hashed(password)
    run = at.start(table("成果名称", "焊缝检测"), "a.csv", ask=True)
    if ready:
        at.settle()
        assert at.notices(waits=True)
    personal.delete(parts, at.editor, password, personal.CONFIRM, "192.0.2.1")
    at.settle()
    assert at.view(run).run.state == RunState.READY
    with parts.database.write() as session:
        assert list(jobs.AUDITS["导入"](session)) == []
        assert waiting.put_right(session, parts.clock.now()) == 0
    assert at.notices() == at.notices(waits=True) == []
