"""What people write in a schedule, and how the test knows what should be public."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from market.accounts import organisations
from market.accounts.models import Organisation
from market.accounts.policy import Role
from market.accounts.schemas import VerifyIn
from market.accounts.work import Actor, Parts
from market.catalog import drafts, publishing, views
from market.catalog.models import Listing
from market.catalog.schemas import AchievementEditIn, AchievementIn, DemandEditIn, DemandIn
from market.kit.ids import PublicId
from tests import factories
from tests.market.discovery.seams import POISON
from tests.support.market import work_for

WORDS = ("镁合金", "焊缝", "气孔", "检测", "污泥", "边坡", "监测", "低温", "成形", "菌剂")


@dataclass
class Ground:
    """What schedules begin with: three organisations and a few listings, indexed nowhere yet."""

    schools: list[Organisation]
    people: dict[int, Actor]
    officer: Actor


def ground(parts: Parts) -> Ground:
    schools = [
        factories.organisation(parts, self_publish=True, name=f"示范大学{n}") for n in "甲乙丙"
    ]
    people = {one.id: factories.actor(parts, Role.MANAGER, one) for one in schools}
    return Ground(schools, people, factories.actor(parts, Role.OFFICER))


@dataclass
class Written:
    """A listing as the test knows it."""

    listing: Listing
    school: Organisation
    revision: int
    title: str
    masked: bool
    public: bool
    changed: bool
    """Whether there is something to hand in."""


@dataclass
class People:
    """Write through the services; `refused` are organisations that lost their verification."""

    parts: Parts
    ground: Ground
    rng: random.Random
    note: Callable[[str], None]
    written: list[Written] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)

    def shown(self) -> dict[int, str]:
        """Title of each listing that everybody should find."""
        public = [one for one in self.written if one.public]
        return {one.listing.id: one.title for one in public if one.school.id not in self.refused}

    def write(self) -> None:
        deeds = {
            self.post: 2,
            self._edit: 4,
            self._withdraw: 4,
            self._submit: 2,
            self._mask: 2,
            self._verify: 2,
        }
        self.rng.choices(list(deeds), list(deeds.values()))[0]()

    def _title(self) -> str:
        poison = POISON if self.rng.random() < 0.1 else ""
        return poison + "".join(self.rng.sample(WORDS, 3))

    def post(self) -> None:
        school, title = self.rng.choice(self.ground.schools), self._title()
        form = self.rng.choice((AchievementIn, DemandIn))(title=title)
        if school.id in self.refused:
            return
        with work_for(self.parts, self.ground.people[school.id]) as work:
            listing = drafts.create(work, form)
            publishing.submit(work, listing.public_id)
        self.note(f"{listing.id} posted")
        self.written.append(Written(listing, school, 1, title, False, True, False))

    def _one(self) -> Written | None:
        free = [one for one in self.written if one.school.id not in self.refused]
        return self.rng.choice(free) if free else None

    def _edit(self) -> None:
        """A new text, half of the time without handing it in."""
        one = self._one()
        if one is None:
            return
        model = AchievementEditIn if one.listing.kind == "achievement" else DemandEditIn
        title = self._title() + str(one.revision)
        form = model(title=title, based_on=one.revision, masked=one.masked)
        with work_for(self.parts, self.ground.people[one.school.id]) as work:
            drafts.edit(work, one.listing.public_id, form)
            one.revision += 1
            one.changed = True
        if self.rng.random() < 0.8:
            self._hand_in(one)
            one.title = title

    def _submit(self) -> None:
        one = self._one()
        if one is not None and one.changed:
            self._hand_in(one)
            one.title = self._working_title(one)

    def _hand_in(self, one: Written) -> None:
        with work_for(self.parts, self.ground.people[one.school.id]) as work:
            publishing.submit(work, one.listing.public_id)
        one.public, one.changed = True, False
        self.note(f"{one.listing.id} published")

    def _working_title(self, one: Written) -> str:
        with work_for(self.parts, self.ground.people[one.school.id]) as work:
            return views.own(work, one.listing.public_id).text.title

    def _withdraw(self) -> None:
        one = self._one()
        if one is None or not one.public:
            return
        with work_for(self.parts, self.ground.people[one.school.id]) as work:
            publishing.withdraw(work, PublicId(one.listing.public_id))
        one.public, one.changed = False, True
        self.note(f"{one.listing.id} withdrawn")

    def _mask(self) -> None:
        one = self._one()
        if one is None:
            return
        title = self._working_title(one)
        model = AchievementEditIn if one.listing.kind == "achievement" else DemandEditIn
        form = model(title=title, based_on=one.revision, masked=not one.masked)
        with work_for(self.parts, self.ground.people[one.school.id]) as work:
            drafts.edit(work, one.listing.public_id, form)
        one.masked = not one.masked
        self.note(f"{one.listing.id} masked: {one.masked}")

    def _verify(self) -> None:
        """A new name, or the organisation and its listings leave the public, or come back."""
        school = self.rng.choice(self.ground.schools)
        refuse = school.id not in self.refused and self.rng.random() < 0.3
        form = VerifyIn(
            decision="refused" if refuse else "verified",
            name=f"{self.rng.choice(WORDS)}大学{self.rng.randrange(100)}",
            note="为了测试",
            self_publish=True,
        )
        with work_for(self.parts, self.ground.officer) as work:
            organisations.verify(work, school.public_id, form)
        (self.refused.add if refuse else self.refused.discard)(school.id)
        self.note(f"{school.id} is {form.decision} as {form.name}")
