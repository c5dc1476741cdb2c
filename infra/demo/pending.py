"""Stories that end with something that waits for a person: each role's worklist has its first."""

from infra.demo.cast import BUREAU, credit_code
from infra.demo.content import Row, day, read
from infra.demo.replay import Replay, Story
from market.access import mandates
from market.access.schemas import MandateIn
from market.accounts import organisations
from market.accounts.models import Person
from market.accounts.policy import Action, OrganisationKind, Role
from market.accounts.schemas import JoinIn, OrganisationIn
from market.accounts.work import ANONYMOUS, Actor
from market.catalog import drafts, publishing
from market.catalog.schemas import AchievementIn, DemandIn, ReviewIn
from market.kit.ids import PublicId, new_public_id


def begin(replay: Replay) -> None:
    told = read("pending")
    for row in told["listings"]:
        replay.start(_handed_in(replay, row))
    replay.start(_offered(replay, told["mandate"]))
    replay.start(_joins(replay, told["joins"]))
    replay.start(_founds(replay, told["founds"]))


def _handed_in(replay: Replay, row: Row) -> Story:
    yield day(row["submitted_on"])
    form = AchievementIn if row["kind"] == "achievement" else DemandIn
    text = form.model_validate({k: v for k, v in row.items() if k in form.model_fields})
    with replay.act(row["org"], Action.LISTING_SUBMIT) as work:
        listing = drafts.create(work, text)
        publishing.submit(work, listing.public_id)
    if row["answer"]:
        yield day(row["answer"]["on"])
        with replay.act(BUREAU, Action.LISTING_REVIEW) as work:
            answer = ReviewIn(revision=1, decision="refuse", note=row["answer"]["note"])
            publishing.decide(work, listing.public_id, answer)


def _offered(replay: Replay, row: Row) -> Story:
    yield day(row["offered_on"])
    agency = replay.actors[row["agency"]].organisation_public_id
    terms = {name: value for name, value in row.items() if name in MandateIn.model_fields}
    with replay.act(row["principal"], Action.MANDATE_GRANT) as work:
        mandates.grant(work, MandateIn.model_validate(terms | {"agency": agency}))


def _newcomer(replay: Replay, row: Row) -> None:
    """Let somebody act who belongs to no organisation and cannot sign in."""
    work = replay.work(ANONYMOUS)
    person = Person(
        public_id=new_public_id(),
        email=row["email"],
        name=row["name"],
        phone=row["phone"],
        created_at=work.now,
    )
    work.session.add(person)
    work.session.flush()
    replay.actors[row["email"]] = Actor(Role.PERSON, person.id, person.name)


def _joins(replay: Replay, row: Row) -> Story:
    yield day(row["asked_on"])
    _newcomer(replay, row)
    place = replay.actors[row["org"]].organisation_public_id
    assert place is not None
    with replay.act(row["email"], Action.ORGANISATION_JOIN) as work:
        organisations.join(work, PublicId(place), JoinIn(role=Role.EDITOR))


def _founds(replay: Replay, row: Row) -> Story:
    yield day(row["founded_on"])
    _newcomer(replay, row)
    with replay.act(row["email"], Action.ORGANISATION_FOUND) as work:
        founded = organisations.found(
            work,
            OrganisationIn(
                kind=OrganisationKind.COMPANY,
                name=row["organisation"],
                credit_code=credit_code(row["number"]),
                region=row["region"],
            ),
        )
        founded.demo = True
        work.session.flush()
