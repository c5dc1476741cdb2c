"""What the machinery does, for operators: what does not go on by itself, and setting it going."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from market.accounts.policy import Action
from market.discovery import service as discovery
from market.discovery import tasks
from market.discovery.endpoints import engine_of
from market.kit.errors import NotFound
from market.operations import marks, service
from market.operations.schemas import LoadOut, Number, OperationsOut
from market.registry.tasks import COMPARABLES
from search.port import SearchEngine

router = APIRouter()

JOB_AGAIN = notices.done("job-again", "任务已重新排队", "从停下的地方接着做，结果会在这里显示。")
REMATCH = notices.done(
    "rematch", "已排队重新匹配", "逐项需求重新比对，进度见“等待匹配”；人已作的决定不受影响。"
)
DELIVERY_AGAIN = notices.done("delivery-again", "变更已重新排队", "送到以后从这里消失。")

KINDS: Final = {
    "imports.read": "导入：读表格",
    "imports.bring": "导入：写入",
    "imports.undo": "导入：撤销",
    "discovery.organisation": "更新机构名下的成果与需求",
    tasks.REMATCH: "全部重新匹配",
    "retention": "清理到期的数据",
    COMPARABLES: "可比交易成组",
    "contract.signed": "报酬：合同签订以后",
    "brokerage.costs": "报酬：到期委托的必要费用",
    "ledger.heads": "账册：写出签下的末尾",
    "waiting.recount": "待办：按新的工作日重算",
    "payments.event": "款项：处理 Stripe 的事件",
    "payments.look": "款项：查看在线支付的结果",
    "payments.refund": "款项：退款",
    "payments.returns": "款项：查看收款前的退款",
    "payments.transfer": "款项：转给机构",
    "payments.sweep": "款项：补收没有送到的事件",
}
CONSUMERS: Final = {"index": "搜索", "match": "匹配"}
PROCESSES: Final = {"web": "网页", "worker": "任务", "indexer": "索引"}
BUSY: Final = {
    "starting": "启动中",
    "serving": "应答",
    "working": "干活",
    "resting": "等活",
    "failing": "出错后重试",
}
ROUTINE: Final = {marks.BACKUP: "备份", marks.AUDIT: "核对", marks.RETENTION: "清理到期的数据"}
_KILO: Final = 1024


class RetryForm(BaseModel):
    id: Number | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How much of everything there is, not only of what the page lists."""

    failed: int
    running: int
    waiting: int
    imports: int
    aside: int
    index: int
    match: int
    index_since: str
    match_since: str


@router.get("/operations")
def operations(
    page: Annotated[Page, opens_page(Action.OPERATIONS_VIEW)],
    engine: Annotated[SearchEngine, Depends(engine_of)],
) -> Response:
    found = service.overview(page.work)
    return page.render(
        "operations/operations.html",
        {
            "now_": found,
            "index_answers": discovery.answers(engine),
            "counts": _counts(found, page.work.now),
            "free": None if found.free_bytes is None else size(found.free_bytes).split(" "),
            "total": size(found.total_bytes or 0),
            "size": size,
            "kinds": kind_name,
            "consumers": CONSUMERS,
            "processes": PROCESSES,
            "busy": BUSY,
            "routine": ROUTINE,
        },
    )


@router.post("/operations/jobs/retry")
def retry_job(
    page: Annotated[Page, opens_page(Action.OPERATIONS_RETRY, write=True)],
) -> Response:
    service.retry_job(page.work, _asked(page))
    return page.redirect("/operations", done=JOB_AGAIN)


@router.post("/operations/deliveries/retry")
def retry_delivery(
    page: Annotated[Page, opens_page(Action.OPERATIONS_RETRY, write=True)],
) -> Response:
    service.retry_delivery(page.work, _asked(page))
    return page.redirect("/operations", done=DELIVERY_AGAIN)


@router.post("/operations/rematch")
def rematch(page: Annotated[Page, opens_page(Action.OPERATIONS_RETRY, write=True)]) -> Response:
    """Compare every demand anew; asked twice while under way it is done once."""
    tasks.ask_rematch(page.work)
    return page.redirect("/operations", done=REMATCH)


def kind_name(kind: str) -> str:
    return KINDS.get(kind, kind)


def size(count: int) -> str:
    """Return a number of bytes as people read it, `41.2 GB`."""
    value, unit = float(count), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if value < _KILO:
            break
        value, unit = value / _KILO, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"


def _asked(page: Page) -> int | None:
    form = forms.parse(RetryForm, page.sent)
    if form.data is None:
        raise NotFound
    return form.data.id


def _counts(found: OperationsOut, now: datetime) -> Counts:
    jobs = dict.fromkeys(("failed", "running", "waiting"), 0)
    imports = 0
    for load in found.jobs:
        jobs[load.state] += load.count
        imports += load.count if "import" in load.kind and load.state != "failed" else 0
    open_ones = [load for load in found.deliveries if load.state != "aside"]
    by = {name: [load for load in open_ones if load.kind == name] for name in CONSUMERS}
    return Counts(
        **jobs,
        imports=imports,
        aside=sum(load.count for load in found.deliveries if load.state == "aside"),
        index=sum(load.count for load in by["index"]),
        match=sum(load.count for load in by["match"]),
        index_since=_since(by["index"], now),
        match_since=_since(by["match"], now),
    )


def _since(loads: list[LoadOut], now: datetime) -> str:
    if not loads:
        return ""
    seconds = int((now - min(load.oldest for load in loads)).total_seconds())
    return f"最早的等了{seconds}秒" if seconds < 120 else f"最早的等了{seconds // 60}分钟"
