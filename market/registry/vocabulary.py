"""The words of the registration desk and of the national form.

What the rules say (deadlines, refusal reasons) is data: `market/rules`.
"""

from enum import StrEnum
from typing import Final

REGISTRY: Final = "default"  # one registry; its numbers are unique within it


class CancelCause(StrEnum):
    """Why a registration is cancelled (注销)."""

    RESCINDED = "rescinded"
    ANNULLED = "annulled"


class RevokeCause(StrEnum):
    """Why a registration is revoked (撤销)."""

    FRAUD = "fraud"
    VOID = "void"
    TWICE = "twice"


END_CAUSES: Final[dict[str, str]] = {
    CancelCause.RESCINDED: "合同解除",
    CancelCause.ANNULLED: "合同被撤销",
    RevokeCause.FRAUD: "提供虚假材料",
    RevokeCause.VOID: "合同无效",
    RevokeCause.TWICE: "重复登记",
}


class PlanSource(StrEnum):
    """计划来源; 地市县计划 wants checking."""

    STATE = "state"
    MINISTRY = "ministry"
    PROVINCE = "province"
    CITY = "city"
    NONE = "none"


class Ipr(StrEnum):
    """知识产权."""

    SECRET = "secret"  # noqa: S105  技术秘密
    PATENT = "patent"
    SOFTWARE = "software"
    LAYOUT = "layout"
    MEDICINE = "medicine"
    PLANT = "plant"
    NONE = "none"


class Scale(StrEnum):
    LARGE = "large"
    MEDIUM = "medium"
    SMALL = "small"
    MICRO = "micro"
    NO_FIRM = "no_firm"


PLANS: Final[dict[PlanSource, str]] = {
    PlanSource.STATE: "国家科技计划",
    PlanSource.MINISTRY: "部门计划",
    PlanSource.PROVINCE: "省、自治区、直辖市及计划单列市计划",
    PlanSource.CITY: "地市县计划",
    PlanSource.NONE: "计划外",
}
IPRS: Final[dict[Ipr, str]] = {
    Ipr.SECRET: "技术秘密",
    Ipr.PATENT: "专利",
    Ipr.SOFTWARE: "计算机软件著作权",
    Ipr.LAYOUT: "集成电路布图设计",
    Ipr.MEDICINE: "生物、医药新品种",
    Ipr.PLANT: "植物新品种",
    Ipr.NONE: "未涉及知识产权",
}
SCALES: Final[dict[Scale, str]] = {
    Scale.LARGE: "大型企业",
    Scale.MEDIUM: "中型企业",
    Scale.SMALL: "小型企业",
    Scale.MICRO: "微型企业",
    Scale.NO_FIRM: "非企业",
}
# 买卖方性质: the groups of the form's code list.
NATURES: Final[dict[str, str]] = {
    "010": "机关法人",
    "021": "事业法人，科研机构",
    "022": "事业法人，高等院校",
    "023": "事业法人，医疗卫生",
    "024": "事业法人，其它",
    "030": "社团法人",
    "100": "内资企业",
    "200": "港澳台投资企业",
    "300": "外商投资企业",
}
# GB/T 4754-2017, sections.
INDUSTRIES: Final[dict[str, str]] = {
    "A": "农、林、牧、渔业",
    "B": "采矿业",
    "C": "制造业",
    "D": "电力、热力、燃气及水生产和供应业",
    "E": "建筑业",
    "F": "批发和零售业",
    "G": "交通运输、仓储和邮政业",
    "H": "住宿和餐饮业",
    "I": "信息传输、软件和信息技术服务业",
    "J": "金融业",
    "K": "房地产业",
    "L": "租赁和商务服务业",
    "M": "科学研究和技术服务业",
    "N": "水利、环境和公共设施管理业",
    "O": "居民服务、修理和其他服务业",
    "P": "教育",
    "Q": "卫生和社会工作",
    "R": "文化、体育和娱乐业",
    "S": "公共管理、社会保障和社会组织",
    "T": "国际组织",
}
