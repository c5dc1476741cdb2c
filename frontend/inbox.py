"""Where a notice leads, and the words of its button, by kind. The nouns only know what happened."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from market.kit.notify import Notice
from market.notices.service import Waiting, When


@dataclass(frozen=True, slots=True)
class Place:
    """`mine` is for who has to act or is told, `theirs` for who waits; `{id}` is the subject."""

    mine: str
    verb: str = "查看"
    theirs: str = ""


_DEAL: Final = "/deals/{id}"
_REGISTRATION: Final = "/registrations/{id}"
_IMPORT: Final = "/my/imports/{id}"

PLACES: Final[Mapping[str, Place]] = {
    "member.requested": Place("/organisation#members", "处理申请"),
    "member.decided": Place("/organisations"),
    "organisation.pending": Place("/desk/organisations/{id}", "核验机构", "/organisation"),
    "organisation.decided": Place("/organisation"),
    "listing.submitted": Place("/desk/reviews", "审核", "/my/listings?shelf=submitted"),
    "listing.refused": Place("/my/listings/{id}", "修改内容"),
    "listing.published": Place("/my/listings/{id}"),
    "match.found": Place("/matches?side=demand", "看匹配"),
    "match.sought": Place("/matches?side=achievement", "看匹配"),
    "mandate.offered": Place("/mandates/{id}", "答复委托"),
    "mandate.decided": Place("/mandates/{id}"),
    "mandate.ended": Place("/mandates/{id}"),
    "inquiry.received": Place("/inquiries/{id}", "答复询问"),
    "inquiry.answered": Place("/inquiries/{id}"),
    "inquiry.closed": Place("/inquiries/{id}"),
    "introduction.seller": Place("/introductions/{id}", "答复引荐"),
    "introduction.buyer": Place("/introductions/{id}", "答复引荐"),
    "commission.owed": Place("/commissions/{id}"),
    "payment.paid": Place("/payments/{id}"),
    "payment.refunded": Place("/payments/{id}"),
    "payment.credit": Place("/treasury#credits", "确认到账"),
    "payment.owed": Place("/payments/{id}", "支付"),
    "payment.card_failed": Place("/payments/{id}"),
    "payment.taken_back": Place("/payments/{id}"),
    "payment.slip": Place("/treasury/{id}", "查银行流水"),
    "payment.came_in": Place("/commissions/{id}"),
    "payment.return": Place("/treasury#returns", "确认付出"),
    "payment.surplus": Place("/treasury/{id}", "退回多付的款"),
    "payment.send_on": Place("/treasury#transfers", "确认付出"),
    "payment.sent_on": Place("/commissions/{id}"),
    "payment.dispute": Place("/treasury/{id}"),
    "payment.failed": Place("/treasury/{id}"),
    "payment.lost": Place("/treasury/{id}"),
    "payment.mismatch": Place("/treasury/{id}"),
    "payment.unrefunded": Place("/payments/{id}"),
    "bypass.flagged": Place("/bypasses/{id}"),
    "bypass.decided": Place("/bypasses/{id}"),
    "bypass.contested": Place("/bypasses/{id}", "处理"),
    "deal.clause": Place(_DEAL),
    "introduction.decided": Place("/introductions/{id}"),
    "deal.terms": Place(_DEAL, "看条件"),
    "deal.price": Place("/deals/{id}/pricing", "选定定价方式", _DEAL),
    "deal.dealt": Place(_DEAL, "填写成交结果"),
    "deal.draft": Place("/deals/{id}/contract", "起草合同", _DEAL),
    "deal.sign_seller": Place(_DEAL, "确认合同"),
    "deal.sign_buyer": Place(_DEAL, "确认合同"),
    "deal.next": Place(_DEAL + "#plan", "看下一步"),
    "deal.objection": Place(_DEAL + "#objections", "处理异议"),
    "deal.share": Place(_DEAL + "#parties", "确认份额"),
    "deal.party": Place(_DEAL),
    "deal.agreed": Place(_DEAL),
    "deal.reopened": Place(_DEAL),
    "deal.lost": Place(_DEAL),
    "contract.signed": Place(_DEAL),
    "registration.due": Place(_DEAL, "提交登记"),
    "registration.submitted": Place(
        "/desk/registrations/{id}", "审查登记申请", "/registrations/{id}"
    ),
    "registration.correction": Place("/registrations/{id}/edit", "补正材料", _REGISTRATION),
    "registration.objection": Place("/desk/registrations/{id}", "复核异议", "/registrations/{id}"),
    "contract.filing": Place("/deals/{id}/kept", "记下备案", _DEAL),
    "registration.registered": Place(_REGISTRATION),
    "registration.refused": Place(_REGISTRATION),
    "registration.returned": Place(_REGISTRATION),
    "registration.accepted": Place(_REGISTRATION),
    "registration.review": Place(_REGISTRATION),
    "registration.changed": Place(_REGISTRATION),
    "registration.cancelled": Place(_REGISTRATION),
    "registration.revoked": Place(_REGISTRATION),
    "registration.resolved": Place(_REGISTRATION),
    "registration.undone": Place(_REGISTRATION),
    "job.failed": Place("/operations", "看任务"),
    "import.map": Place(_IMPORT, "对应表头"),
    "import.confirm": Place(_IMPORT, "确认导入"),
}
_BY_SUBJECT: Final[Mapping[str, Place]] = {
    "import": Place(_IMPORT),
    "deal": Place(_DEAL),
    "registration": Place(_REGISTRATION),
    "job": Place("/operations"),
    "delivery": Place("/operations"),
}
_ELSEWHERE: Final = Place("/work")


def _place(row: Notice) -> Place:
    return PLACES.get(row.kind) or _BY_SUBJECT.get(row.subject_kind) or _ELSEWHERE


def href(row: Notice, *, theirs: bool = False) -> str:
    """Return the page that a notice leads to."""
    place = _place(row)
    pattern = place.theirs or place.mine if theirs else place.mine
    return pattern.replace("{id}", row.subject_id)


def verb(row: Notice) -> str:
    return _place(row).verb


@dataclass(frozen=True, slots=True)
class Line:
    """A task as the worklist shows it: the design's state of its day, and the words of it."""

    waiting: Waiting
    state: str
    href: str
    verb: str

    @property
    def title(self) -> str:
        return self.waiting.notice.title

    @property
    def detail(self) -> str:
        return self.waiting.notice.detail


_STATES: Final = {
    When.LATE: "late",
    When.TODAY: "soon",
    When.AHEAD: "now",
    When.OPENS: "wait",
    When.OPEN: "todo",
}


def line(waiting: Waiting, *, theirs: bool = False) -> Line:
    row = waiting.notice
    return Line(
        waiting=waiting,
        state="wait" if theirs and waiting.when is not When.LATE else _STATES[waiting.when],
        href=href(row, theirs=theirs),
        verb="查看" if theirs else verb(row),
    )
