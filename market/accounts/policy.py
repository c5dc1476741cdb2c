"""Who may do what: action × role × relation. The one table; routes, pages and docs follow it.

A relation is what the actor's organisation is to the object:

    own          it owns the object, or the side that owns the step (a deal's seller)
    counterpart  it is the other side (a deal's buyer, an inquiry's asker)
    mandated     a broker with a live mandate of one side
    other        none of these

What one may not see answers 404, what one may see but not do 403.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    ANONYMOUS = "anonymous"
    PERSON = "person"  # signed in, acting for no organisation
    VIEWER = "viewer"
    EDITOR = "editor"
    MANAGER = "manager"
    OFFICER = "officer"
    OPERATOR = "operator"
    AUDITOR = "auditor"


class OrganisationKind(StrEnum):
    UNIVERSITY = "university"
    COMPANY = "company"
    AGENCY = "agency"
    BUREAU = "bureau"
    PLATFORM = "platform"


class Relation(StrEnum):
    OWN = "own"
    COUNTERPART = "counterpart"
    MANDATED = "mandated"
    OTHER = "other"


class Action(StrEnum):
    # everyone
    BROWSE = "browse"
    SIGN_IN = "sign_in"
    # accounts
    ACCOUNT_USE = "account.use"
    DATA_OWN = "data.own"
    ORGANISATION_FOUND = "organisation.found"
    ORGANISATION_JOIN = "organisation.join"
    ORGANISATION_LEAVE = "organisation.leave"
    ORGANISATION_MANAGE = "organisation.manage"
    ORGANISATION_VERIFY = "organisation.verify"
    MEMBERS_VIEW = "members.view"
    AUDIT_VIEW = "audit.view"
    # operations
    OPERATIONS_VIEW = "operations.view"
    OPERATIONS_RETRY = "operations.retry"
    # rules
    PLAN_EDIT = "plan.edit"
    SYNONYM_EDIT = "synonym.edit"
    RULE_EDIT = "rule.edit"
    # catalog
    LISTING_VIEW_OWN = "listing.view_own"
    LISTING_EDIT = "listing.edit"
    LISTING_SUBMIT = "listing.submit"
    LISTING_REVIEW = "listing.review"
    IMPORT_USE = "import.use"
    # discovery
    MATCH_VIEW = "match.view"
    MATCH_DECIDE = "match.decide"
    # access
    MANDATE_VIEW = "mandate.view"
    MANDATE_GRANT = "mandate.grant"
    MANDATE_ACCEPT = "mandate.accept"
    MANDATE_END = "mandate.end"
    # deals
    INQUIRY_SEND = "inquiry.send"
    INQUIRY_VIEW = "inquiry.view"
    INQUIRY_ANSWER = "inquiry.answer"
    INQUIRY_CLOSE = "inquiry.close"
    INTRODUCTION_VIEW = "introduction.view"
    INTRODUCTION_PROPOSE = "introduction.propose"
    INTRODUCTION_DECIDE = "introduction.decide"
    DEAL_VIEW = "deal.view"
    DEAL_NOTE = "deal.note"
    DEAL_TERMS = "deal.terms"
    DEAL_CONFIRM = "deal.confirm"
    DEAL_LOSE = "deal.lose"
    DEAL_MOVE = "deal.move"
    DEAL_PARTIES = "deal.parties"
    DEAL_SHARE = "deal.share"
    PRICING_SET = "pricing.set"
    OBJECTION_SEND = "objection.send"
    CONTRACT_DRAFT = "contract.draft"
    CONTRACT_SIGN = "contract.sign"
    CONTRACT_DISCLOSE = "contract.disclose"
    CONTRACT_KEEP = "contract.keep"
    # brokerage
    COMMISSION_VIEW = "commission.view"
    COMMISSION_SETTLE = "commission.settle"
    BYPASS_VIEW = "bypass.view"
    BYPASS_CONTEST = "bypass.contest"
    BYPASS_DECIDE = "bypass.decide"
    CLAUSE_WRITE = "clause.write"
    # payments
    PAYMENT_VIEW = "payment.view"
    PAYMENT_MAKE = "payment.make"
    PAYMENT_CONFIRM = "payment.confirm"
    PAYMENT_NOTIFY = "payment.notify"
    FEE_EDIT = "fee.edit"
    # rewards
    REWARD_VIEW = "reward.view"
    REWARD_EDIT = "reward.edit"
    REWARD_CONFIRM = "reward.confirm"
    # registry
    REGISTRATION_VIEW = "registration.view"
    REGISTRATION_SUBMIT = "registration.submit"
    REGISTRATION_DECIDE = "registration.decide"
    REGISTRATION_UNDO = "registration.undo"
    REGISTRATION_OBJECT = "registration.object"
    REGISTRATION_FILE = "registration.file"
    # ledger
    PERIOD_VIEW = "period.view"
    PERIOD_CLOSE = "period.close"
    COMPARABLE_VIEW = "comparable.view"
    # insight
    BOARD_CONTRACTS = "board.contracts"
    REPORT_ANNUAL = "report.annual"
    REPORT_BUREAU = "report.bureau"


Roles = frozenset[Role]
NOBODY: Roles = frozenset()
EVERYONE: Roles = frozenset(Role)
SIGNED_IN: Roles = EVERYONE - {Role.ANONYMOUS}
READERS: Roles = frozenset({Role.VIEWER, Role.EDITOR, Role.MANAGER})
WRITERS: Roles = frozenset({Role.EDITOR, Role.MANAGER})
MANAGERS: Roles = frozenset({Role.MANAGER})
OFFICERS: Roles = frozenset({Role.OFFICER})
AUDITORS: Roles = frozenset({Role.AUDITOR})
OPERATORS: Roles = frozenset({Role.OPERATOR})

Kinds = frozenset[OrganisationKind]
HOLDERS: Kinds = frozenset({OrganisationKind.UNIVERSITY, OrganisationKind.COMPANY})
AGENCIES: Kinds = frozenset({OrganisationKind.AGENCY})
MEMBERS: Kinds = HOLDERS | AGENCIES


@dataclass(frozen=True, slots=True)
class Rule:
    """Roles that may, by relation; the kinds of organisation it is for; whether only verified."""

    own: Roles = NOBODY
    counterpart: Roles = NOBODY
    mandated: Roles = NOBODY
    other: Roles = NOBODY
    kinds: Kinds | None = None
    verified: bool = False
    ever: Roles = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ever", self.own | self.counterpart | self.mandated | self.other)

    def roles(self, relation: Relation) -> Roles:
        return {
            Relation.OWN: self.own,
            Relation.COUNTERPART: self.counterpart,
            Relation.MANDATED: self.mandated,
            Relation.OTHER: self.other,
        }[relation]


A = Action
POLICY: dict[Action, Rule] = {
    A.BROWSE: Rule(own=EVERYONE, counterpart=EVERYONE, mandated=EVERYONE, other=EVERYONE),
    A.SIGN_IN: Rule(other=EVERYONE),
    A.ACCOUNT_USE: Rule(own=SIGNED_IN),
    A.DATA_OWN: Rule(own=SIGNED_IN),
    A.ORGANISATION_FOUND: Rule(own=SIGNED_IN),
    A.ORGANISATION_JOIN: Rule(other=SIGNED_IN),
    A.ORGANISATION_LEAVE: Rule(own=SIGNED_IN),
    A.ORGANISATION_MANAGE: Rule(own=MANAGERS, kinds=MEMBERS),
    A.ORGANISATION_VERIFY: Rule(other=OFFICERS),
    A.MEMBERS_VIEW: Rule(own=READERS | OFFICERS | {Role.OPERATOR, Role.AUDITOR}),
    A.AUDIT_VIEW: Rule(other=AUDITORS),
    A.OPERATIONS_VIEW: Rule(other=OPERATORS),
    A.OPERATIONS_RETRY: Rule(other=OPERATORS),
    A.PLAN_EDIT: Rule(other=OFFICERS),
    A.SYNONYM_EDIT: Rule(other=OFFICERS),
    A.RULE_EDIT: Rule(other=OFFICERS),
    A.LISTING_VIEW_OWN: Rule(own=READERS, kinds=HOLDERS),
    A.LISTING_EDIT: Rule(own=WRITERS, kinds=HOLDERS),
    A.LISTING_SUBMIT: Rule(own=WRITERS, kinds=HOLDERS, verified=True),
    A.LISTING_REVIEW: Rule(other=OFFICERS),
    # Officers bring in what the bureau keeps: contracts registered before, organisations.
    A.IMPORT_USE: Rule(own=WRITERS | OFFICERS, kinds=HOLDERS, verified=True),
    A.MATCH_VIEW: Rule(own=READERS, mandated=READERS, kinds=MEMBERS),
    A.MATCH_DECIDE: Rule(own=WRITERS, kinds=HOLDERS),
    A.MANDATE_VIEW: Rule(own=READERS, counterpart=READERS, kinds=MEMBERS),
    A.MANDATE_GRANT: Rule(own=MANAGERS, kinds=HOLDERS, verified=True),
    A.MANDATE_ACCEPT: Rule(counterpart=MANAGERS, kinds=AGENCIES, verified=True),
    A.MANDATE_END: Rule(own=MANAGERS, counterpart=MANAGERS, kinds=MEMBERS),
    A.INQUIRY_SEND: Rule(other=WRITERS, kinds=HOLDERS, verified=True),
    A.INQUIRY_VIEW: Rule(own=READERS, counterpart=READERS, kinds=HOLDERS),
    A.INQUIRY_ANSWER: Rule(own=WRITERS, kinds=HOLDERS, verified=True),
    A.INQUIRY_CLOSE: Rule(own=WRITERS, counterpart=WRITERS, kinds=HOLDERS),
    A.INTRODUCTION_VIEW: Rule(own=READERS, counterpart=READERS, mandated=READERS, kinds=MEMBERS),
    A.INTRODUCTION_PROPOSE: Rule(mandated=WRITERS, kinds=AGENCIES, verified=True),
    A.INTRODUCTION_DECIDE: Rule(own=WRITERS, counterpart=WRITERS, kinds=HOLDERS, verified=True),
    A.DEAL_VIEW: Rule(own=READERS, counterpart=READERS, mandated=READERS, kinds=MEMBERS),
    A.DEAL_NOTE: Rule(own=WRITERS, counterpart=WRITERS, mandated=WRITERS, kinds=MEMBERS),
    A.DEAL_TERMS: Rule(own=WRITERS, counterpart=WRITERS, kinds=HOLDERS),
    A.DEAL_CONFIRM: Rule(own=WRITERS, counterpart=WRITERS, kinds=HOLDERS),
    A.DEAL_LOSE: Rule(own=WRITERS, counterpart=WRITERS, kinds=HOLDERS),
    A.DEAL_MOVE: Rule(own=WRITERS, counterpart=WRITERS, kinds=HOLDERS),
    A.DEAL_PARTIES: Rule(own=WRITERS, counterpart=WRITERS, kinds=HOLDERS),
    # A further party's word on its share; the service holds that it is one.
    A.DEAL_SHARE: Rule(own=WRITERS, counterpart=WRITERS, kinds=HOLDERS),
    A.PRICING_SET: Rule(own=WRITERS, kinds=HOLDERS),
    # Whoever reads a 公示 may object to it, without an account.
    A.OBJECTION_SEND: Rule(own=EVERYONE, counterpart=EVERYONE, mandated=EVERYONE, other=EVERYONE),
    A.CONTRACT_DRAFT: Rule(own=WRITERS, kinds=HOLDERS),
    A.CONTRACT_SIGN: Rule(own=WRITERS, counterpart=WRITERS, kinds=HOLDERS),
    A.CONTRACT_DISCLOSE: Rule(own=MANAGERS, counterpart=MANAGERS, kinds=HOLDERS),
    # What becomes of a signed contract: patent facts, payments, the filing of a licence.
    A.CONTRACT_KEEP: Rule(own=WRITERS, kinds=HOLDERS),
    A.COMMISSION_VIEW: Rule(own=READERS, mandated=READERS, kinds=MEMBERS),
    A.COMMISSION_SETTLE: Rule(mandated=WRITERS, kinds=AGENCIES),
    A.BYPASS_VIEW: Rule(own=READERS, counterpart=READERS, mandated=READERS, other=OFFICERS),
    A.BYPASS_CONTEST: Rule(own=WRITERS, counterpart=WRITERS, kinds=HOLDERS),
    A.BYPASS_DECIDE: Rule(other=OFFICERS),
    A.CLAUSE_WRITE: Rule(own=WRITERS, counterpart=WRITERS, kinds=HOLDERS),
    A.PAYMENT_VIEW: Rule(own=READERS, other=OPERATORS | AUDITORS, kinds=MEMBERS),
    A.PAYMENT_MAKE: Rule(own=WRITERS, kinds=MEMBERS, verified=True),
    # Lines of the bank statement, refunds, transfers, invoices; the service asks for four eyes.
    A.PAYMENT_CONFIRM: Rule(other=OPERATORS),
    # Whoever Stripe signs for; the service holds the signature.
    A.PAYMENT_NOTIFY: Rule(own=EVERYONE, counterpart=EVERYONE, mandated=EVERYONE, other=EVERYONE),
    A.FEE_EDIT: Rule(other=OPERATORS),
    A.REWARD_VIEW: Rule(own=READERS, kinds=HOLDERS),
    A.REWARD_EDIT: Rule(own=WRITERS, kinds=HOLDERS),
    A.REWARD_CONFIRM: Rule(own=MANAGERS, kinds=HOLDERS),
    A.REGISTRATION_VIEW: Rule(own=READERS, counterpart=READERS, mandated=READERS, other=OFFICERS),
    A.REGISTRATION_SUBMIT: Rule(own=WRITERS, kinds=HOLDERS, verified=True),
    A.REGISTRATION_DECIDE: Rule(other=OFFICERS),
    A.REGISTRATION_UNDO: Rule(other=OFFICERS),
    # The contract's file and the printed forms: what stands in them is no broker's.
    A.REGISTRATION_FILE: Rule(own=READERS, counterpart=READERS, other=OFFICERS),
    A.REGISTRATION_OBJECT: Rule(own=WRITERS, counterpart=WRITERS, kinds=HOLDERS),
    A.PERIOD_VIEW: Rule(other=OFFICERS | AUDITORS),
    A.PERIOD_CLOSE: Rule(other=OFFICERS),
    A.COMPARABLE_VIEW: Rule(own=READERS | OFFICERS, mandated=READERS, other=READERS | OFFICERS),
    A.BOARD_CONTRACTS: Rule(own=READERS, counterpart=READERS, other=OFFICERS),
    A.REPORT_ANNUAL: Rule(own=READERS, other=OFFICERS, kinds=HOLDERS),
    A.REPORT_BUREAU: Rule(other=OFFICERS),
}


def allows(
    action: Action,
    relation: Relation,
    *,
    role: Role,
    kind: OrganisationKind | None,
    verified: bool,
) -> bool:
    """Return whether the table lets this role do the action to an object so related."""
    rule = POLICY[action]
    if role not in rule.roles(relation):
        return False
    return _organisation_fits(rule, role, kind, verified=verified)


def allows_ever(
    action: Action, *, role: Role, kind: OrganisationKind | None, verified: bool
) -> bool:
    """Return whether there is any relation in which this role may do the action."""
    rule = POLICY[action]
    return role in rule.ever and _organisation_fits(rule, role, kind, verified=verified)


def _organisation_fits(
    rule: Rule, role: Role, kind: OrganisationKind | None, *, verified: bool
) -> bool:
    if role not in READERS:
        return True
    if rule.kinds is not None and kind not in rule.kinds:
        return False
    return verified or not rule.verified
