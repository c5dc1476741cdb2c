"""What may become of a registration, as one table."""

from dataclasses import dataclass
from enum import StrEnum

from market.accounts.policy import Action


class RegistrationState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    CORRECTION = "correction"
    ACCEPTED = "accepted"
    EXPERT_REVIEW = "expert_review"
    REGISTERED = "registered"
    CHANGED = "changed"
    OBJECTION = "objection"
    NOT_REGISTERED = "not_registered"
    CANCELLED = "cancelled"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    """What moves a registration. `UNDO` takes back what was copied wrongly, in whole."""

    HAND_IN = "hand_in"
    WITHDRAW = "withdraw"
    RETURN = "return"
    ACCEPT = "accept"
    REVIEW = "review"
    REGISTER = "register"
    REFUSE = "refuse"
    CHANGE = "change"
    CANCEL = "cancel"
    REVOKE = "revoke"
    OBJECT = "object"
    UPHOLD = "uphold"
    CORRECT = "correct"
    UNDO = "undo"


S = RegistrationState


@dataclass(frozen=True, slots=True)
class Edges:
    """Where a step leads from where, and the action that the policy asks for."""

    action: Action
    pairs: frozenset[tuple[RegistrationState, RegistrationState]]

    def before(self, to: RegistrationState) -> frozenset[RegistrationState]:
        """Return the states from which the step leads to another."""
        return frozenset(here for here, there in self.pairs if there is to)

    @property
    def origins(self) -> frozenset[RegistrationState]:
        return frozenset(here for here, _ in self.pairs)


def _edges(action: Action, *pairs: tuple[RegistrationState, RegistrationState]) -> Edges:
    return Edges(action, frozenset(pairs))


# The one table of what may become of a registration: conditional updates, pages and tests read it.
EDGES: dict[Step, Edges] = {
    Step.HAND_IN: _edges(
        Action.REGISTRATION_SUBMIT, (S.DRAFT, S.SUBMITTED), (S.CORRECTION, S.SUBMITTED)
    ),
    Step.WITHDRAW: _edges(
        Action.REGISTRATION_SUBMIT,
        (S.DRAFT, S.WITHDRAWN),
        (S.SUBMITTED, S.WITHDRAWN),
        (S.CORRECTION, S.WITHDRAWN),
    ),
    Step.RETURN: _edges(Action.REGISTRATION_DECIDE, (S.SUBMITTED, S.CORRECTION)),
    Step.ACCEPT: _edges(Action.REGISTRATION_DECIDE, (S.SUBMITTED, S.ACCEPTED)),
    Step.REVIEW: _edges(Action.REGISTRATION_DECIDE, (S.ACCEPTED, S.EXPERT_REVIEW)),
    Step.REGISTER: _edges(
        Action.REGISTRATION_DECIDE, (S.ACCEPTED, S.REGISTERED), (S.EXPERT_REVIEW, S.REGISTERED)
    ),
    Step.REFUSE: _edges(
        Action.REGISTRATION_DECIDE,
        (S.ACCEPTED, S.NOT_REGISTERED),
        (S.EXPERT_REVIEW, S.NOT_REGISTERED),
    ),
    Step.CHANGE: _edges(
        Action.REGISTRATION_UNDO, (S.REGISTERED, S.CHANGED), (S.CHANGED, S.CHANGED)
    ),
    Step.CANCEL: _edges(
        Action.REGISTRATION_UNDO, (S.REGISTERED, S.CANCELLED), (S.CHANGED, S.CANCELLED)
    ),
    Step.REVOKE: _edges(
        Action.REGISTRATION_UNDO,
        (S.REGISTERED, S.REVOKED),
        (S.CHANGED, S.REVOKED),
        (S.OBJECTION, S.REVOKED),
    ),
    Step.OBJECT: _edges(
        Action.REGISTRATION_OBJECT, (S.REGISTERED, S.OBJECTION), (S.CHANGED, S.OBJECTION)
    ),
    Step.UPHOLD: _edges(
        Action.REGISTRATION_UNDO, (S.OBJECTION, S.REGISTERED), (S.OBJECTION, S.CHANGED)
    ),
    Step.CORRECT: _edges(Action.REGISTRATION_UNDO, (S.OBJECTION, S.CHANGED)),
    Step.UNDO: _edges(
        Action.REGISTRATION_UNDO, (S.REGISTERED, S.WITHDRAWN), (S.CHANGED, S.WITHDRAWN)
    ),
}
COUNTING = frozenset({S.REGISTERED, S.CHANGED, S.OBJECTION})
AT_THE_DESK = frozenset({S.SUBMITTED, S.ACCEPTED, S.EXPERT_REVIEW})
"""What waits for the bureau."""
HANDED_IN = AT_THE_DESK | COUNTING | {S.CORRECTION}
LIVE = HANDED_IN | {S.DRAFT}
ENDED = frozenset({S.CANCELLED, S.REVOKED})
"""The contract itself is no more, or never was good: it is not handed in again."""


def among(states: frozenset[RegistrationState]) -> str:
    return ", ".join(f"'{state.value}'" for state in sorted(states))
