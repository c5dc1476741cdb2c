"""The registration form and the contract's summary: as data, as a sheet, and printed."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from market.accounts import repository as accounts
from market.accounts.policy import Action
from market.accounts.work import Work
from market.catalog.vocabulary import FIELDS, region_name
from market.deals import keeping, offers
from market.deals import repository as deals
from market.deals import repository_contracts as contracts
from market.deals import repository_negotiation as beside
from market.deals.keeping import Kept
from market.deals.models import Contract, ContractLine
from market.deals.service import SIDE_NAMES
from market.deals.vocabulary import (
    CONTRACT_TYPES,
    PAY_METHODS,
    ContractType,
    LineKind,
    PayMethod,
    Side,
)
from market.kit import pdf
from market.kit.ids import PublicId
from market.kit.money import fen_to_wan
from market.kit.sheets.writing import write_xlsx
from market.registry import items, reading, stamp, standing
from market.registry.items import Items
from market.registry.repository import Filed
from market.registry.stamp import Stamp
from market.registry.vocabulary import INDUSTRIES, IPRS, NATURES, PLANS, SCALES

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_YES_NO: Final = {True: "是", False: "否"}
_FOREIGN: Final = {
    (False, False): "否",
    (False, True): "否",
    (True, False): "是",
    (True, True): "是，附中文译本，卖方承诺与原文一致",
}


@dataclass(frozen=True, slots=True)
class Joint:
    """A further party of a side; `share` in hundredths of a per cent, None where it has none."""

    side: Side
    name: str
    share: int | None
    note: str

    def words(self) -> tuple[str, str]:
        share = "" if self.share is None else f"份额{offers.percent(self.share)}"
        told = "，".join(part for part in (self.name, share, self.note) if part)
        return f"共同{SIDE_NAMES[self.side]}", told


LINE_KINDS: Final = {LineKind.TECHNICAL: "技术", LineKind.NON_TECHNICAL: "非技术"}


def rows(contract: Contract, told: Items) -> list[tuple[str, str]]:
    """Return (item, words) of the national form that the contract's own facts do not tell."""
    return [
        ("关联交易", "" if told.related is None else _YES_NO[told.related]),
        ("计划来源", PLANS[told.plan] if told.plan else ""),
        ("知识产权", IPRS[told.ipr] if told.ipr else ""),
        ("外文合同", _FOREIGN[told.foreign_language, told.same_text]),
        ("付款方式", PAY_METHODS[PayMethod(contract.pay_method)]),
        ("卖方行政区划", _region(contract.seller_region)),
        ("买方行政区划", _region(contract.buyer_region)),
        ("国民经济行业", INDUSTRIES.get(told.industry or "", "")),
        ("社会经济目标", told.objective),
        ("买方性质", NATURES.get(told.buyer_nature or "", "")),
        ("买方规模", SCALES[told.buyer_scale] if told.buyer_scale else ""),
        ("买方是技术转移机构", _YES_NO[told.buyer_transfer_org]),
        ("买方是研发机构", _YES_NO[told.buyer_rd_org]),
        ("买方是转制院所", _YES_NO[told.buyer_converted]),
        ("买方是高新区内企业", _YES_NO[told.buyer_in_zone]),
        ("买方是上市公司", _YES_NO[told.buyer_listed]),
        ("买方地址", told.buyer_address),
        ("买方法定代表人", told.buyer_representative),
        ("买方联系人", told.buyer_contact),
        ("买方电话", told.buyer_phone),
        ("买方邮编", told.buyer_postcode),
    ]


def _region(code: str) -> str:
    name = region_name(code)
    return code if name == code else f"{code} {name}"


def facts(contract: Contract) -> list[tuple[str, str]]:
    """Return (item, words) of the form that are the contract's own."""
    return [
        ("项目名称", contract.project_name),
        ("合同编号", contract.number),
        ("合同类别", f"{CONTRACT_TYPES[ContractType(contract.type)]}，{contract.sub_type}"),
        ("技术领域", FIELDS[contract.field]),
        ("卖方", contract.seller_name),
        ("卖方统一社会信用代码", contract.seller_credit_code),
        ("买方", contract.buyer_name),
        ("买方统一社会信用代码", contract.buyer_credit_code),
        ("签订日期", str(contract.signed_on or "")),
        ("合同起始日期", str(contract.begins_on)),
        ("合同终止日期", str(contract.ends_on)),
        ("合同成交额（万元）", fen_to_wan(contract.total_fen)),
        ("技术交易额（万元）", fen_to_wan(contract.technical_fen)),
    ]


def joint(work: Work, contract: Contract) -> list[Joint]:
    """Return the further sellers and buyers of a contract, in the order in which they came in."""
    rows = beside.further_parties(work.session, contract.deal_id)
    names = accounts.organisations(work.session, {one.organisation_id for one in rows})
    return [
        Joint(Side(one.side), names[one.organisation_id].name, one.share, one.note) for one in rows
    ]


def stamp_of(work: Work, filed: Filed) -> Stamp | None:
    """Return what a paper says of its registration first, as the actor reads it."""
    return stamp.of(filed, reading.events(work, filed))


def _top(work: Work, filed: Filed) -> list[tuple[str, str]]:
    found = stamp_of(work, filed)
    return found.rows() if found else []


def data(work: Work, public_id: PublicId) -> dict[str, Any]:
    """Return the form by the item names of the national system; amounts in fen.

    `status` is null where the registration stands as it was decided, or is not decided.
    """
    filed, told = of(work, public_id)
    contract, found = filed.contract, stamp_of(work, filed)
    buyer = {
        name.removeprefix("buyer_"): value
        for name, value in told.model_dump(mode="json").items()
        if name.startswith("buyer_")
    }
    return {
        "projectname": contract.project_name,
        "seller": contract.seller_name,
        "buyer": contract.buyer_name,
        "totalamount_fen": contract.total_fen,
        "technicalamount_fen": contract.technical_fen,
        "signdate": _day(contract.signed_on),
        "contractbegindate": _day(contract.begins_on),
        "contractenddate": _day(contract.ends_on),
        "paymethod": PAY_METHODS[PayMethod(contract.pay_method)],
        "isrelated": told.related,
        "projectplantype": PLANS[told.plan] if told.plan else None,
        "ipr": IPRS[told.ipr] if told.ipr else None,
        "contracttype": contract.type,
        "contractsubtype": contract.sub_type,
        "techarea": contract.field,
        "region": contract.seller_region,
        "industry": told.industry,
        "objective": told.objective or None,
        "buyer_items": buyer,
        "jointparties": [
            {"side": one.side.value, "name": one.name, "share": one.share, "note": one.note}
            for one in joint(work, contract)
        ],
        "status": found.data() if found else None,
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def of(work: Work, public_id: PublicId) -> tuple[Filed, Items]:
    """Return a registration with its items, for its parties and the bureau. Raises NotFound."""
    filed, related = reading.seen(work, public_id)
    work.require(Action.REGISTRATION_FILE, related)
    return filed, items.read(filed.row.items)


def sheet(work: Work, public_id: PublicId) -> bytes:
    """Return the form as a spreadsheet of two columns."""
    filed, told = of(work, public_id)
    out = io.BytesIO()
    contract = filed.contract
    cells = [
        *_top(work, filed),
        *facts(contract),
        *_joint(work, contract),
        *rows(contract, told),
        *decided(filed),
    ]
    write_xlsx(out, ["项目", "内容"], cells, sheet="登记表")
    return out.getvalue()


def _joint(work: Work, contract: Contract) -> list[tuple[str, str]]:
    return [one.words() for one in joint(work, contract)]


def decided(filed: Filed) -> list[tuple[str, str]]:
    """Return what the certificate says, once there is one."""
    row = filed.row
    if row.number is None or row.total_fen is None or row.technical_fen is None:
        return []
    return [
        ("登记编号", row.number),
        ("登记日期", str(row.decided_on)),
        ("认定成交额（万元）", fen_to_wan(row.total_fen)),
        ("认定技术交易额（万元）", fen_to_wan(row.technical_fen)),
        *standing.words(row, filed.contract),
    ]


_TABLE: Final = """
#let cells(rows) = table(
  columns: (34%, 1fr), fill: (x, _) => if x == 0 { luma(95%) },
  ..rows.flatten().map(cell => [#cell]),
)
#let top(rows) = if rows.len() > 0 [
  #align(center)[*#rows.first().last()*]
  #cells(rows)
]
"""
_FORM: Final = (
    _TABLE
    + """
#align(center)[= 技术合同认定登记表]
#top(data.status)
== 合同
#cells(data.facts)
== 登记项目
#cells(data.rows)
#if data.decided.len() > 0 [
  == 认定结果
  #cells(data.decided)
]
#v(1em)
#text(size: 9pt)[适用规则：#data.rule。编号由登记机构给出，本站不生成编号。]
"""
)
_SUMMARY: Final = (
    _TABLE
    + """
#align(center)[= 技术合同摘要]
#top(data.status)
#cells(data.facts)
== 金额明细
#table(
  columns: (1fr, auto, auto, auto), align: (left, left, left, right),
  table.header([明细], [性质], [合理数量], [金额（万元）]),
  ..data.lines.flatten().map(cell => [#cell]),
)
#if data.patents.len() > 0 [
  == 专利
  #table(
    columns: (1fr, auto, auto, auto, auto),
    table.header([名称], [权利人], [申请日], [申请号], [专利号和期限]),
    ..data.patents.flatten().map(cell => [#cell]),
  )
]
#if data.instalments.len() > 0 [
  == 付款约定
  #table(
    columns: (auto, 1fr, auto), align: (left, left, right),
    table.header([期次], [付款日或条件], [金额（万元）]),
    ..data.instalments.flatten().map(cell => [#cell]),
  )
]
"""
)


def printed(work: Work, public_id: PublicId) -> bytes:
    """Return the registration form as a PDF."""
    filed, told = of(work, public_id)
    told_data = {
        "status": _top(work, filed),
        "facts": [*facts(filed.contract), *_joint(work, filed.contract)],
        "rows": [*rows(filed.contract, told), *_points(work, filed.contract)],
        "decided": decided(filed),
        "rule": reading.version_of(work, filed).row.code,
    }
    return pdf.render(_FORM, told_data, at=work.now)


def summary(work: Work, public_id: PublicId) -> bytes:
    """Return the contract's summary as a PDF: what it says, its lines, patents and payments."""
    filed, _ = of(work, public_id)
    contract = filed.contract
    kept = keeping.of(work.session, contract.id)
    told = {
        "status": _top(work, filed),
        "facts": [
            *facts(contract),
            *_joint(work, contract),
            ("付款方式", PAY_METHODS[PayMethod(contract.pay_method)]),
            *_points(work, contract),
        ],
        "lines": _lines(contracts.lines_of(work.session, contract.id)),
        **_kept(kept),
    }
    return pdf.render(_SUMMARY, told, at=work.now)


def _points(work: Work, contract: Contract) -> list[tuple[str, str]]:
    agreed = deals.terms_of(work.session, [contract.deal_id])
    return offers.points(contract, agreed[0] if agreed else None)


def _lines(lines: Sequence[ContractLine]) -> list[list[str]]:
    return [
        [
            line.name,
            LINE_KINDS[LineKind(line.kind)],
            "是" if line.reasonable_quantity else "",
            fen_to_wan(line.amount_fen),
        ]
        for line in lines
    ]


def _kept(kept: Kept) -> dict[str, list[list[str]]]:
    return {
        "patents": [
            [
                one.name,
                one.owner,
                str(one.filed_on),
                one.application_number,
                " ".join(str(part) for part in (one.patent_number, one.expires_on) if part),
            ]
            for one in kept.patents
        ],
        "instalments": [
            [
                f"第{one.position}期",
                "，".join(str(part) for part in (one.due_on, one.condition) if part),
                fen_to_wan(one.amount_fen),
            ]
            for one in kept.instalments
        ],
    }
