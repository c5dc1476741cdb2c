"""The statement of a reward as a paper."""

from typing import Final

from market.accounts.models import Organisation
from market.kit import pdf
from market.kit.clock import local_text
from market.kit.money import yuan_in_words
from market.rewards.models import RewardState, Way
from market.rewards.service import BASES, WAYS, RewardView
from market.rules.models_transfer import TransferRule

SOURCE: Final = """
= 科技成果转化奖励和报酬说明
#table(
  columns: (32mm, 1fr),
  ..data.facts.flatten(),
)
== 分配
#table(
  columns: (auto, 1fr, auto, auto),
  align: (left, left, right, right),
  table.header[完成人][贡献][份额][#data.unit],
  ..data.shares.flatten(),
  [合计], [], [], [#data.amount],
)
#text(size: 9pt)[#data.note]

#v(16mm)
#grid(columns: (1fr, 1fr), [单位（盖章）：], [日期：])
"""


def told(way: Way, amount: int) -> str:
    """Return an amount in its unit: 元 to the fen, or shares."""
    return f"{amount:,}股" if way is Way.EQUITY else yuan_in_words(amount)


def paper(view: RewardView, holder: Organisation, rule: TransferRule) -> bytes:
    """Return the statement as a PDF."""
    row = view.row
    way = Way(row.way)
    floor = f"{row.floor_bp / 100:g}%"
    held = f"国家设立的单位不低于{floor}" if row.floor_binding else f"没有约定的按{floor}"
    facts = [
        ["单位", holder.name],
        ["成果或项目", row.title],
        ["转化方式", WAYS[way]],
        *([["合同", view.contract.project_name]] if view.contract else []),
        *([["利润年份", f"{row.profit_year}年"]] if row.profit_year else []),
        ["收入" if way is not Way.EQUITY else "股份总数", told(way, row.income)],
        *([["扣除的成本", told(way, row.cost)]] if way is not Way.EQUITY else []),
        [BASES[way], told(way, row.base)],
        ["奖励比例", f"{row.rate_bp / 100:g}%（{held}）"],
        ["奖励总额", told(way, row.amount)],
        ["决定日期", row.decided_on.isoformat()],
        ["状态", _state(view)],
    ]
    years = (
        f"实施转化成功投产后应连续{rule.own_years_least}至{rule.own_years_most}年提取。"
        if way is Way.OWN
        else ""
    )
    data = {
        "facts": facts,
        "unit": "股数" if way is Way.EQUITY else "金额",
        "shares": [
            [one.name, one.part, str(one.weight), told(way, one.amount)] for one in view.shares
        ],
        "amount": told(way, row.amount),
        "note": f"依据：{rule.source}（自{rule.effective_from}起）。{years}"
        "按份额分到分（股），余数按最大余数法分配，各人合计等于奖励总额。",
    }
    return pdf.render(SOURCE, data, at=row.confirmed_at or row.created_at)


def _state(view: RewardView) -> str:
    if view.row.state == RewardState.DRAFTED:
        return "草稿，未确认"
    assert view.row.confirmed_at is not None
    return f"已确认，{local_text(view.row.confirmed_at)}"
