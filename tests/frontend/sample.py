"""A small site of the parts alone: no database, real requests."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from fastapi import FastAPI, Request
from jinja2 import ChoiceLoader, FileSystemLoader
from markupsafe import Markup
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import charts, csrf, forms, notices
from frontend.assets import URL, Assets, StaticAssets
from frontend.headers import SecurityHeaders
from frontend.render import Membership, Renderer, Site, ViewerContext, WorkspaceLink
from frontend.rows import ListingRow
from frontend.templating import environment
from market.kit.errors import MarketError

TOKEN = "sample-token"
NOW = datetime(2026, 11, 20, 2, 15, tzinfo=UTC)
BUILT = Assets(
    {
        "frontend/assets/main.ts": {"file": "main-1a.js"},
        "frontend/assets/main.css": {"file": "main-1b.css"},
    }
)
POSTED = notices.done("sample-posted", "已提交审核", "审核通过后公开，100%可改。")
VIEWER = ViewerContext(
    signed_in=True,
    name="周示例",
    organisation="示范大学一",
    role="管理者",
    org_kind="university",
    workspace=(WorkspaceLink("待办", "/parts", 7), WorkspaceLink("洽谈", "/deals")),
    csrf=TOKEN,
    memberships=(Membership("m1", "示范大学一", current=True), Membership("m2", "示例技术转移")),
)


class DemandForm(BaseModel):
    title: str = Field(title="需求名称", min_length=2, max_length=40)
    problem: str = Field("", title="主要问题", max_length=10_000)
    field: Literal["1", "2"] = Field(title="技术领域")
    budget: forms.Wan | None = Field(None, title="预算")
    deadline: forms.Day | None = Field(None, title="截止日期")
    level: forms.Whole | None = Field(None, title="最低成熟度", ge=1, le=9)
    modes: list[Literal["license", "transfer", "joint"]] = Field(title="合作方式", max_length=2)
    seen: Literal["public", "masked"] = Field("public", title="谁能看")
    agree: bool = Field(False, title="代表本机构")
    number: str = Field("", title="登记编号", pattern=r"^(\d{16})?$", description="16位数字")


def rows() -> list[ListingRow]:
    return [
        ListingRow(
            href="/achievements/a1",
            title=Markup("<mark>焊缝</mark>内部气孔在线视觉检测装置与算法"),
            holder="示范大学一",
            summary="在焊枪后方40毫米处用双波段相机实时识别气孔与未熔合，漏检率0.4%。",
            fields=("先进制造技术", "电子信息技术"),
            maturity=7,
            maturity_label="工程样机",
            price="80万元起",
            modes=("普通许可",),
            note=("发明专利3件",),
            published=date(2026, 11, 12),
        ),
        ListingRow(
            href="/demands/d1",
            title="压铸铝屑回收率由82%提到93%，适用于三条产线并保留现有熔炉与除尘设备的改造方案征集",
            holder="某铝业公司（名称保密）",
            price="60～90万元",
            deadline=date(2027, 1, 20),
        ),
    ]


def groups() -> list[dict[str, object]]:
    fields = ["先进制造技术", "电子信息技术", "现代交通", "航空航天技术", "核应用技术"]
    options = [
        {"value": str(n), "label": label, "count": 20 - n, "checked": n == 0}
        for n, label in enumerate(fields)
    ]
    return [
        {"name": "field", "label": "技术领域", "options": options, "open": True, "more": 3},
        {"name": "area", "label": "地区", "options": [], "open": True, "more": 0},
    ]


def context(form: forms.Form[DemandForm]) -> dict[str, object]:
    wan = [5120, 3280, 7410, 5860, 6930, 11240, 5070, 4880, 8360, 6150, 8800]
    return {
        "form": form,
        "rows": rows(),
        "groups": groups(),
        "day": date(2026, 11, 20),
        "moment": datetime(2026, 11, 12, 1, 10, tzinfo=UTC),
        "line": charts.cumulative(
            [
                (date(2024, 12, 31), 61_200_000_000),
                (date(2025, 12, 31), 145_500_000_000),
                (date(2026, 11, 20), 218_600_000_000),
            ],
            start=date(2024, 1, 1),
            end=date(2028, 12, 31),
            today=date(2026, 11, 20),
            target=400_000_000_000,
            label="累计技术交易额：2026-11-20为21.86亿元，目标40.00亿元。",
        ),
        "bars": charts.months(
            [
                ("1月" if n == 1 else str(n), one * 1_000_000, n < 11)
                for n, one in enumerate(wan, start=1)
            ],
            need=7_170_000_000,
            label="2026年各月技术交易额，万元：1月5,120，11月8,800（至20日）。",
        ),
    }


def site(
    assets: Assets = BUILT,
    *,
    viewer: Callable[[Request], ViewerContext] = lambda _request: VIEWER,
    language: str = "zh",
) -> FastAPI:
    made = environment(assets, language)
    assert made.loader is not None
    made.loader = ChoiceLoader([made.loader, FileSystemLoader(Path(__file__).parent)])
    pages = Renderer(made, site=Site(demo_mode=True, icp=""), viewer=viewer, now=lambda: NOW)
    app = FastAPI()
    app.add_middleware(SecurityHeaders)
    app.mount(URL, StaticAssets())

    @app.get("/parts")
    def parts(request: Request) -> Response:
        values = {"budget": forms.wan(120_500_000), "modes": ["license"], "seen": "public"}
        shown = context(forms.blank(DemandForm, values))
        return pages.page(request, "parts.html", shown, block="form")

    @app.post("/sample")
    def sample(request: Request, sent: forms.Sent) -> Response:
        csrf.check(request, sent=sent.first("csrf"), expected=TOKEN)
        form = forms.parse(DemandForm, sent)
        if form.data is None:
            return pages.page(request, "parts.html", context(form), status=422, block="form")
        return pages.redirect(request, "/parts?kind=demand#form", done=POSTED)

    @app.get("/search/suggest")
    def suggestions(request: Request, q: str = "") -> Response:
        found = [(f"{q}检测", "/parts?chosen=1", "成果"), (f"{q}机器人", "/parts?chosen=2", "")]
        options = {"suggestions": found if q else []}
        return pages.page(request, "parts/suggestions.html", options)

    @app.exception_handler(MarketError)
    def told(request: Request, error: MarketError) -> Response:
        return pages.error(request, error.status, text=error.message)

    return app
