"""The words of the field that both kinds of listing use, each with the rule it comes from."""

from enum import StrEnum
from typing import Final


class ListingKind(StrEnum):
    ACHIEVEMENT = "achievement"  # 成果
    DEMAND = "demand"  # 需求


class PriceForm(StrEnum):
    """How a price or a budget is stated; `none` is 面议, never 0."""

    NONE = "none"
    FIXED = "fixed"
    FROM = "from"
    UP_TO = "up_to"
    RANGE = "range"


class PriceBasis(StrEnum):
    TOTAL = "total"
    YEAR = "year"
    UNIT = "unit"


# 技术领域, eleven, in the order of the national form of technology contracts.
FIELDS: Final[dict[int, str]] = {
    1: "电子信息技术",
    2: "航空航天技术",
    3: "先进制造技术",
    4: "生物、医药和医疗器械技术",
    5: "新材料及其应用",
    6: "新能源与高效节能",
    7: "环境保护与资源综合利用技术",
    8: "核应用技术",
    9: "农业技术",
    10: "现代交通",
    11: "城市建设与社会发展",
}

# 成熟度, nine levels; 1–4 read in the standard's text, 5–9 from secondary sources.
MATURITY: Final[dict[int, str]] = {
    1: "基本原理清晰",
    2: "技术概念和应用设想明确",
    3: "关键功能可行性论证",
    4: "实验室环境验证",
    5: "模拟环境部件验证",
    6: "模拟环境样机演示",
    7: "典型使用环境工程样机",
    8: "原型机使用环境试用",
    9: "实际应用",
}
MATURITY_SCALE: Final = "9"


class Mode(StrEnum):
    """合作方式, as listings elsewhere state it."""

    PATENT_ASSIGNMENT = "专利转让"
    APPLICATION_ASSIGNMENT = "专利申请权转让"
    SOLE = "独占许可"
    EXCLUSIVE = "排他许可"
    PLAIN = "普通许可"
    JOINT = "合作开发"
    EQUITY = "作价投资"
    OTHER = "其他"


# GB/T 2260 codes offered in forms; a deployment elsewhere adds its own.
REGIONS: Final[dict[str, str]] = {
    "500106": "重庆市沙坪坝区",
    "500103": "重庆市渝中区",
    "500105": "重庆市江北区",
    "500107": "重庆市九龙坡区",
    "500108": "重庆市南岸区",
    "500109": "重庆市北碚区",
    "500112": "重庆市渝北区",
    "500113": "重庆市巴南区",
    "500000": "重庆市",
    "510000": "四川省",
}

# The districts and counties of Chongqing that are not offered, without 区 or 县: some have changed
# from one to the other. 开县 is 开州 until 2016.
OTHER_DISTRICTS: Final = (
    *("万州", "涪陵", "大渡口", "綦江", "大足", "黔江", "长寿", "江津", "合川", "永川", "南川"),
    *("璧山", "铜梁", "潼南", "荣昌", "开州", "开县", "梁平", "武隆", "城口", "丰都", "垫江"),
    *("忠县", "云阳", "奉节", "巫山", "巫溪", "石柱", "秀山", "酉阳", "彭水"),
)

MASKED_NAME: Final = "名称保密"

# What a column of a listing is called in forms, import files and messages, in reading order.
LABELS: Final[dict[ListingKind, dict[str, str]]] = {
    ListingKind.ACHIEVEMENT: {
        "title": "成果名称",
        "summary": "摘要",
        "field": "技术领域",
        "keywords": "关键词",
        "body": "详细说明",
        "application": "应用场景",
        "advantage": "比现有技术好在哪里",
        "maturity_level": "成熟度",
        "ip_status": "知识产权状态",
        "ip_numbers": "知识产权号码",
        "completers": "完成人",
        "modes": "合作方式",
        "price": "价格",
        "region": "地区",
        "masked": "隐去机构名称",
        "own_number": "本单位编号",
    },
    ListingKind.DEMAND: {
        "title": "需求名称",
        "summary": "摘要",
        "field": "技术领域",
        "keywords": "关键词",
        "body": "需求说明",
        "problem": "主要问题",
        "key_technology": "技术关键",
        "expected_goal": "预期目标",
        "need_maturity": "成熟度要求",
        "deadline": "截止日期",
        "modes": "合作方式",
        "price": "预算",
        "region": "地区",
        "masked": "隐去机构名称",
        "own_number": "本单位编号",
    },
}
KIND_NAMES: Final[dict[ListingKind, str]] = {
    ListingKind.ACHIEVEMENT: "成果",
    ListingKind.DEMAND: "需求",
}


def region_name(code: str) -> str:
    return REGIONS.get(code, code)
