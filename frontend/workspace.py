"""What a role finds in the second bar: its places of work, by kind of organisation."""

from starlette.requests import Request

from frontend.edge import Visitor
from frontend.render import Membership, ViewerContext, WorkspaceLink
from market.accounts.policy import Action, OrganisationKind, Role
from market.accounts.work import Actor

ROLE_NAMES = {
    Role.VIEWER: "查看",
    Role.EDITOR: "编辑",
    Role.MANAGER: "管理员",
    Role.OFFICER: "科技局工作人员",
    Role.OPERATOR: "运营人员",
    Role.AUDITOR: "审计人员",
}

_HOLDER = (
    ("/my/listings", "成果与需求"),
    ("/inquiries", "询问"),
    ("/introductions", "引荐"),
    ("/deals", "洽谈"),
    ("/registrations", "登记"),
    ("/mandates", "委托"),
    ("/commissions", "报酬"),
    ("/rewards", "奖励"),
    ("/payments", "款项"),
    ("/reports", "报告"),
    ("/my/imports", "导入"),
    ("/organisation", "机构"),
)
_AGENCY = (
    ("/mandates", "委托"),
    ("/introductions", "引荐"),
    ("/deals", "洽谈"),
    ("/commissions", "报酬"),
    ("/payments", "款项"),
    ("/organisation", "机构"),
)
_BUREAU = (
    ("/desk/registrations", "登记"),
    ("/desk/reviews", "审核"),
    ("/desk/organisations", "机构"),
    ("/my/imports", "导入"),
    ("/reports", "报告"),
    ("/bypasses", "跳单"),
    ("/desk/plan", "计划"),
    ("/desk/rules", "规则"),
    ("/desk/periods", "账期"),
    ("/desk/calendar", "节假日"),
    ("/desk/transfer-rules", "转化规则"),
    ("/desk/synonyms", "同义词"),
    ("/desk/dictionary", "词典"),
)
_PERSON = (("/organisations", "创建或加入机构"),)
_ASKED = {"/my/imports": Action.IMPORT_USE}
_WITHIN = {
    "/payments": ("/statement", "/fees"),
    "/treasury": ("/payments", "/statement", "/fees"),
}
_WORK = ("/work", "待办")
_MESSAGES = ("/messages", "消息")


def links(actor: Actor) -> tuple[tuple[str, str], ...]:
    """Return (address, label) of the actor's places of work: what waits first, for all."""
    if actor.role is Role.ANONYMOUS:
        return ()
    mine = (place for place in _places(actor) if _opens(actor, place[0]))
    return (_WORK, *mine, _MESSAGES)


def _opens(actor: Actor, place: str) -> bool:
    """Return whether a place that not every role of an organisation may open is the actor's."""
    asked = _ASKED.get(place)
    return asked is None or actor.may_ever(asked)


def _places(actor: Actor) -> tuple[tuple[str, str], ...]:
    if actor.role is Role.PERSON:
        return _PERSON
    if actor.role is Role.OFFICER:
        return _BUREAU
    if actor.role is Role.AUDITOR:
        places = (("/audit", "操作记录"), ("/desk/periods", "账期"), ("/payments", "款项"))
        return (*places, ("/organisation", "机构"))
    if actor.role is Role.OPERATOR:
        return (("/operations", "运行"), ("/treasury", "款项"), ("/organisation", "机构"))
    return _AGENCY if actor.kind is OrganisationKind.AGENCY else _HOLDER


def start_of(actor: Actor) -> str:
    """Return where a person begins after signing in."""
    return "/" if actor.role is Role.ANONYMOUS else _WORK[0]


def viewer(request: Request) -> ViewerContext:
    """Return who looks; nobody where no page's transaction was opened."""
    seen: Visitor | None = getattr(request.state, "seen", None)
    if seen is None:
        return ViewerContext()
    actor = seen.actor
    counts = {_WORK[0]: seen.counts.tasks or None, _MESSAGES[0]: seen.counts.unread or None}
    return ViewerContext(
        signed_in=True,
        name=actor.person_name,
        organisation=actor.organisation_name,
        role=ROLE_NAMES.get(actor.role, ""),
        org_kind=actor.kind or "",
        workspace=tuple(
            WorkspaceLink(label, href, counts.get(href), _WITHIN.get(href, ()))
            for href, label in links(actor)
        ),
        csrf=seen.sign_in.csrf,
        may=frozenset(action.value for action in Action if actor.may_ever(action)),
        memberships=tuple(
            Membership(
                membership.public_id, organisation.name, membership.id == actor.membership_id
            )
            for membership, organisation in seen.organisations
        ),
    )
