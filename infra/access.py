"""One table of routes × roles from both applications; `docs/access.md` is printed from it.

    python -m infra.access        rewrites docs/access.md

A route that declares no action is an error: nobody could say who may use it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from market.accounts.edge import declared_action
from market.accounts.policy import (
    MEMBERS,
    POLICY,
    Action,
    OrganisationKind,
    Relation,
    Role,
    allows,
)
from market.api import PREFIX

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "access.md"


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    action: Action
    write: bool
    api: bool


class UndeclaredRoute(Exception):
    """A route without an action."""


def routes(pages: FastAPI, api: FastAPI) -> list[Route]:
    """Return every route of both applications. Raises UndeclaredRoute."""
    found = [*_routes(pages, api=False), *_routes(api, api=True)]
    return sorted(found, key=lambda route: (route.api, route.path, route.method))


def _routes(app: FastAPI, *, api: bool) -> Iterator[Route]:
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute):
            continue  # static files, the mounted API, the OpenAPI document
        declared = declared_action(list(route.dependant.dependencies))
        if declared is None:
            raise UndeclaredRoute(f"{sorted(route.methods or ())} {context.path}")
        for method in sorted(route.methods or ()):
            path = f"{PREFIX}{context.path}" if api else str(context.path)
            yield Route(method, path, declared.action, declared.write, api)


RELATIONS = {
    Relation.OWN: "自己的",
    Relation.COUNTERPART: "对方的",
    Relation.MANDATED: "受托的",
    Relation.OTHER: "其他",
}
ROLES = {
    Role.ANONYMOUS: "未登录",
    Role.PERSON: "个人",
    Role.VIEWER: "查看",
    Role.EDITOR: "编辑",
    Role.MANAGER: "管理员",
    Role.OFFICER: "科技局",
    Role.OPERATOR: "运营",
    Role.AUDITOR: "审计",
}
KINDS = {
    OrganisationKind.UNIVERSITY: "高校",
    OrganisationKind.COMPANY: "企业",
    OrganisationKind.AGENCY: "机构",
}


def cell(action: Action, role: Role) -> str:
    """Return for which relations a role may do an action, as the table shows it."""
    kinds: list[OrganisationKind | None] = (
        [*MEMBERS] if role in (Role.VIEWER, Role.EDITOR, Role.MANAGER) else [None]
    )
    return "、".join(
        text
        for relation, text in RELATIONS.items()
        if any(allows(action, relation, role=role, kind=kind, verified=True) for kind in kinds)
    )


def document(table: list[Route]) -> str:
    """Return docs/access.md."""
    lines = [
        "# 谁能做什么",
        "",
        "由 `python -m infra.access` 从路由的声明和 `market/accounts/policy.py` 打印，",
        "测试逐条走过。不能看到的答404，能看到而不能做的答403，未登录的接口答401、页面转到登录。",
        "",
        "## 动作与角色",
        "",
        f"| 动作 | {' | '.join(ROLES.values())} | 限机构类型 | 须已核验 |",
        "|---|" + "---|" * (len(ROLES) + 2),
    ]
    for action, rule in POLICY.items():
        cells = " | ".join(cell(action, role) for role in ROLES)
        kinds = "、".join(name for kind, name in KINDS.items() if rule.kinds and kind in rule.kinds)
        lines.append(f"| `{action}` | {cells} | {kinds} | {'是' if rule.verified else ''} |")
    lines += ["", "## 路由", "", "| 方法 | 地址 | 动作 |", "|---|---|---|"]
    lines += [f"| {route.method} | `{route.path}` | `{route.action}` |" for route in table]
    return "\n".join(lines) + "\n"


def composed() -> list[Route]:
    """Return the table of the applications as they are wired, on a throw-away database."""
    from tempfile import TemporaryDirectory  # noqa: PLC0415  only for this command

    from infra.migrate import migrate  # noqa: PLC0415
    from infra.settings import Settings  # noqa: PLC0415
    from infra.web import create_app  # noqa: PLC0415
    from infra.wiring import build_parts, close_parts, open_reader  # noqa: PLC0415

    with TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        migrate(settings.database)
        parts = build_parts(settings)
        try:
            app = create_app(parts, open_reader(settings), settings)
            return routes(app, app.state.api)
        finally:
            close_parts(parts)


if __name__ == "__main__":
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(document(composed()), encoding="utf-8")
