"""Who acts in the demonstration market: its organisations and people, written as verified rows."""

from collections.abc import Iterator
from typing import Final

from sqlmodel import Session

from infra.demo.content import Row, read
from market.accounts import consent, creditcode, passwords, signin
from market.accounts.models import Membership, MembershipState, Organisation, Person, Verification
from market.accounts.organisations import add_member
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Work
from market.kit.ids import new_public_id

DEMO_PASSWORD: Final = "zhihe-demo-2026"  # noqa: S105  printed at every start

BUREAU: Final = "keji"

Actors = dict[str, Actor]
"""By an organisation's key the person who acts for it: its manager, the bureau's officer."""


def organisations() -> list[Row]:
    """Return the organisations of the content and, after them, the buyers known by name only."""
    return [*read("organisations"), *_named_buyers()]


def _named_buyers() -> Iterator[Row]:
    named = (row for row in read("history") if row["buyer"] is None)
    for n, contract in enumerate(named, 1):
        yield {
            "key": contract["buyer_name"],
            "kind": OrganisationKind.COMPANY,
            "name": contract["buyer_name"],
            "credit_code": credit_code(600 + n),
            "region": contract["buyer_region"],
            "state_founded": False,
            "self_publish": False,
        }


def credit_code(n: int) -> str:
    """Return the n-th code of the demonstration: no registration department issues X…, and
    990000 is no region. Both check characters are right (GB 32100 and, inside it, GB 11714).
    """
    body = f"{n:08d}"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    rest = 11 - sum(int(digit) * w for digit, w in zip(body, weights, strict=True)) % 11
    first17 = f"X1990000{body}{'0123456789X0'[rest]}"
    return first17 + creditcode.check_digit(first17)


def people() -> list[Row]:
    """Return the people of the content and, after them, one for each buyer known by name only.

    The latter act in contracts of the past; they have no password and cannot sign in.
    """
    contacts = (
        {
            "name": "演示联系人",
            "email": f"contact@buyer{n}.example",
            "phone": f"138000001{n:02d}",
            "org": organisation["key"],
            "role": Role.MANAGER,
            "signs_in": False,
        }
        for n, organisation in enumerate(_named_buyers(), 1)
    )
    return [*(row | {"signs_in": True} for row in read("people")), *contacts]


def settle(work: Work) -> Actors:
    """Write organisations, people and memberships. Return who acts for each organisation."""
    places = {row["key"]: _organisation(work, row) for row in organisations()}
    _keep(work.session, list(places.values()))
    secret = passwords.hashed(DEMO_PASSWORD)
    everyone = people()
    persons = [_person(work, row, secret if row["signs_in"] else None) for row in everyone]
    _keep(work.session, persons)
    for person in persons:
        consent.give(work.session, person.id, work.now)
    actors: Actors = {}
    for row, person in zip(everyone, persons, strict=True):
        place = places[row["org"]]
        membership: Membership = add_member(
            work, person.id, place, Role(row["role"]), MembershipState.ACTIVE
        )
        actors.setdefault(row["org"], signin.acting(person, membership, place))
    return actors


def _keep(session: Session, rows: list[Organisation] | list[Person]) -> None:
    session.add_all(rows)
    session.flush()


def _organisation(work: Work, row: Row) -> Organisation:
    columns = ("kind", "name", "credit_code", "region", "state_founded", "self_publish")
    return Organisation(
        public_id=new_public_id(),
        **{name: row[name] for name in columns},
        verification=Verification.VERIFIED,
        verified_at=work.now,
        demo=True,
        created_at=work.now,
    )


def _person(work: Work, row: Row, password_hash: str | None) -> Person:
    return Person(
        public_id=new_public_id(),
        email=row["email"],
        name=row["name"],
        phone=row["phone"],
        password_hash=password_hash,
        created_at=work.now,
    )
