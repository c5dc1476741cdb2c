"""What counts, kept by hand beside the program: the rule book's table, its days and its sums.

Nothing of the program's code is used here, so that the two can be held against one another.
Amounts in fen.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

# Where a step leads from where: rule book 1.2, with what the bureau copied wrongly taken back.
LEADS: dict[str, dict[str, str]] = {
    "hand_in": {"correction": "submitted"},
    "withdraw": {"submitted": "withdrawn", "correction": "withdrawn"},
    "send_back": {"submitted": "correction"},
    "accept": {"submitted": "accepted"},
    "review": {"accepted": "expert_review"},
    # what nobody has accepted yet is accepted with the decision
    "register": dict.fromkeys(("submitted", "accepted", "expert_review"), "registered"),
    "refuse": dict.fromkeys(("submitted", "accepted", "expert_review"), "not_registered"),
    "change": dict.fromkeys(("registered", "changed"), "changed"),
    "cancel": dict.fromkeys(("registered", "changed"), "cancelled"),
    "revoke": dict.fromkeys(("registered", "changed", "objection"), "revoked"),
    "object": dict.fromkeys(("registered", "changed"), "objection"),
    "uphold": {"objection": "registered or changed"},
    "correct": {"objection": "changed"},
    "undo": dict.fromkeys(("registered", "changed"), "withdrawn"),
}
COUNTS = {"registered", "changed", "objection"}
ENDED = {"cancelled", "revoked"}
HANDED_IN = {"submitted", "accepted", "expert_review", "correction"} | COUNTS
Sum = tuple[int, int, int]
"""How many contracts, 技术交易额 and 成交额."""
NOTHING: Sum = (0, 0, 0)


def added(one: Sum, other: Sum) -> Sum:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def less(one: Sum, other: Sum) -> Sum:
    return one[0] - other[0], one[1] - other[1], one[2] - other[2]


@dataclass(frozen=True, slots=True)
class Move:
    """One transaction of the book: what it moves on which day, and how much of it in the region."""

    day: date
    moved: Sum
    here: Sum


@dataclass(slots=True)
class Paper:
    """A signed contract; `mark` is the same for papers of one contract."""

    mark: int
    here: bool
    technical: int
    total: int


@dataclass(slots=True)
class Case:
    """A registration, or with `past` one that was brought in from elsewhere.

    `document` is the decision as it was entered; `undone` tells the order of those taken back.
    """

    mark: int
    here: bool
    technical: int
    total: int
    state: str = "submitted"
    number: str = ""
    file: int | None = None
    paper: int | None = None
    past: bool = False
    day: date | None = None
    document: tuple[object, ...] = ()
    changes: int = 0
    last_change: tuple[int, int, str] | None = None
    undone: int = 0
    moved_away: bool = False

    @property
    def counted_here(self) -> bool:
        """The seller's region as it counts: a change may have moved it."""
        return self.here != self.moved_away

    @property
    def counts(self) -> bool:
        return self.state in COUNTS

    @property
    def sum(self) -> Sum:
        return (1, self.technical, self.total) if self.counts else NOTHING


@dataclass(slots=True)
class Model:
    """All papers, registrations and movements of a market; `today` as people have it."""

    today: date
    papers: list[Paper] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    closed: dict[str, Sum] = field(default_factory=dict)
    closed_until: date | None = None
    undone: int = 0

    # what may be

    def may(self, case: Case, step: str) -> bool:
        return not case.past and case.state in LEADS[step]

    def may_hand_in(self, paper: int, file: int) -> bool:
        own = [one for one in self.cases if one.paper == paper]
        if any(one.state in HANDED_IN | ENDED for one in own):
            return False
        filed = [one for one in self.cases if one.state in HANDED_IN]
        mark = self.papers[paper].mark
        return not any(one.mark == mark or one.file == file for one in filed)

    def past_with(self, mark: int) -> bool:
        return any(one.past and one.counts and one.mark == mark for one in self.cases)

    def is_free(self, number: str) -> bool:
        """A number counts once, and that of an ended contract is gone for good."""
        return not any(
            one.number == number and (one.counts or one.state in ENDED) for one in self.cases
        )

    def to_supersede(self, number: str) -> Case | None:
        """Return what held a number last and was taken back; a new one has to name it."""
        held = [one for one in self.cases if not one.past and one.number == number and one.undone]
        return max(held, key=lambda one: one.undone, default=None)

    def may_bring_in(self, mark: int, number: str) -> bool:
        filed = any(one.mark == mark and one.state in HANDED_IN for one in self.cases)
        return self.is_free(number) and not filed

    # what happens

    def placed(self, day: date) -> date:
        """What is for a closed month falls on today."""
        return self.today if self.closed_until and day <= self.closed_until else day

    def move(self, case: Case, day: date, before: Sum, *, was_here: bool | None = None) -> None:
        """`was_here`: where it counted before, if not where it does now."""
        was_here = case.counted_here if was_here is None else was_here
        after = case.sum
        here = less(after if case.counted_here else NOTHING, before if was_here else NOTHING)
        self.moves.append(Move(self.placed(day), less(after, before), here))

    def go(self, case: Case, step: str) -> None:
        case.state = LEADS[step][case.state]
        if step == "uphold":
            case.state = "changed" if case.changes else "registered"

    def count(self, case: Case, number: str, day: date, amounts: tuple[int, int]) -> None:
        case.number, case.day = number, self.placed(day)
        case.technical, case.total = amounts
        case.state = "registered"
        self.move(case, day, NOTHING)

    def change(
        self, case: Case, step: str, amounts: tuple[int, int], note: str, *, away: bool
    ) -> None:
        """`away`: to a seller in the other region."""
        before, was_here = case.sum, case.counted_here
        case.moved_away ^= away
        case.technical, case.total = amounts
        case.changes += 1
        case.last_change = (*amounts, note)
        self.go(case, step)
        self.move(case, self.today, before, was_here=was_here)

    def take_out(self, case: Case, state: str, day: date) -> None:
        before = case.sum
        case.state = state
        if state == "withdrawn":
            self.undone += 1
            case.undone = self.undone
        self.move(case, day, before)

    def may_close(self, month: str) -> bool:
        return self.open_month(month) and month < f"{self.today:%Y-%m}"

    def open_month(self, month: str) -> bool:
        return month in self.months() and month not in self.closed

    def months(self) -> set[str]:
        """All from the first in which anything moved: those in which nothing did close, too."""
        if not self.moves:
            return set()
        first = min(one.day for one in self.moves)
        count = (self.today.year - first.year) * 12 + self.today.month - first.month + 1
        since = first.year * 12 + first.month - 1
        return {f"{n // 12}-{n % 12 + 1:02d}" for n in range(since, since + count)}

    def close(self, month: str, last: date) -> None:
        for one in sorted(self.months()):
            if one <= month and one not in self.closed:
                self.closed[one] = self.of_month(one)
        self.closed_until = last

    # what it comes to

    def of_month(self, month: str) -> Sum:
        return self._sum(one.moved for one in self.moves if f"{one.day:%Y-%m}" == month)

    def all(self) -> Sum:
        return self._sum(one.moved for one in self.moves)

    def board(self, since: date, until: date) -> Sum:
        return self._sum(one.here for one in self.moves if since <= one.day <= until)

    def standing(self) -> Sum:
        found = NOTHING
        for one in self.cases:
            found = added(found, one.sum)
        return found

    @staticmethod
    def _sum(sums: Iterable[Sum]) -> Sum:
        found = NOTHING
        for one in sums:
            found = added(found, one)
        return found
