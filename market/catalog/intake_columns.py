"""The columns of import files of achievements and demands, and the headings they are met under."""

from typing import Final

from market.catalog.vocabulary import LABELS, ListingKind
from market.kit.intake import Column

REFERENCE: Final = "reference"
"""The site's own id of a listing, by which an export is known again."""

_SHARED: dict[str, tuple[str, ...]] = {
    "title": ("名称", "标题", "题目", "项目名称", "技术名称", "项目", "技术成果"),
    "summary": ("简介", "概述", "一句话介绍", "项目简介", "简要说明"),
    "body": (
        "content",
        "内容",
        "正文",
        "说明",
        "描述",
        "详细描述",
        "详细介绍",
        "具体内容",
        "备注说明",
    ),
    "keywords": ("关键字", "标签", "技术关键词", "主题词"),
    "field": ("领域", "所属领域", "技术方向", "行业领域", "产业领域", "所属技术领域", "学科领域"),
    "region": ("行政区划", "所在地", "所在地区", "区域", "属地", "所属区县", "区县", "所在区县"),
    "modes": (
        "转化方式",
        "转让方式",
        "拟转化方式",
        "拟转让方式",
        "合作模式",
        "合作意向",
        "交易方式",
        "成果转化方式",
        "意向合作方式",
        "拟合作方式",
    ),
    "masked": ("名称保密", "是否保密", "隐去名称", "匿名发布", "是否匿名", "隐去单位名称"),
    "own_number": ("id", "编号", "项目编号", "序列号", "内部编号", "档案号", "登记号", "no", "no."),
}
_OWN: dict[ListingKind, dict[str, tuple[str, ...]]] = {
    ListingKind.ACHIEVEMENT: {
        "title": ("科技成果名称", "科技成果", "成果题目", "成果", "专利名称", "产品名称"),
        "summary": (
            "成果简介",
            "成果简介及创新点",
            "简介及创新点",
            "成果概述",
            "成果摘要",
            "技术简介",
        ),
        "body": (
            "成果介绍",
            "成果内容",
            "成果描述",
            "成果说明",
            "技术介绍",
            "技术内容",
            "技术描述",
            "主要内容",
        ),
        "application": ("应用领域", "应用范围", "应用前景", "适用范围", "应用方向", "市场前景"),
        "advantage": (
            "优势",
            "技术优势",
            "创新点",
            "技术特点",
            "先进性",
            "主要创新点",
            "特点",
            "技术指标",
        ),
        "maturity_level": (
            *(
                "技术成熟度",
                "成熟程度",
                "成果成熟度",
                "所处阶段",
                "目前所处阶段",
                "研发阶段",
                "技术阶段",
            ),
            *("项目阶段", "成果阶段", "trl", "技术就绪度", "成熟度等级"),
        ),
        "ip_status": ("知识产权", "知识产权情况", "专利情况", "专利状态", "知识产权类型"),
        "ip_numbers": (
            "专利号",
            "专利(申请)号",
            "申请号",
            "知识产权编号",
            "专利号/申请号",
            "授权号",
        ),
        "completers": (
            *("成果完成人", "主要完成人", "发明人", "负责人", "项目负责人", "成果负责人"),
            *("研发团队", "完成团队"),
        ),
        "price": (
            "报价",
            "转让价格",
            "意向价格",
            "拟转让价格",
            "转让费",
            "拟交易价格",
            "参考价格",
            "挂牌价",
        ),
        "own_number": ("成果编号", "成果登记号", "成果序号"),
    },
    ListingKind.DEMAND: {
        "title": ("技术需求名称", "技术需求", "需求题目", "需求", "难题名称", "需求标题"),
        "summary": ("需求简介", "需求概述", "需求摘要"),
        "body": ("需求内容", "需求描述", "需求介绍", "需求详情", "技术需求说明", "技术需求内容"),
        "problem": ("技术难题", "问题描述", "存在问题", "要解决的问题", "拟解决的问题", "难题描述"),
        "key_technology": ("关键技术", "技术要求", "所需技术", "核心技术"),
        "expected_goal": (
            "目标",
            "预期效果",
            "预期指标",
            "技术指标",
            "期望目标",
            "主要指标",
            "预期成果",
        ),
        "need_maturity": ("希望成熟度", "技术成熟度", "成熟度", "期望成熟度"),
        "deadline": (
            "截止时间",
            "有效期",
            "有效期至",
            "完成时间",
            "期限",
            "期望完成时间",
            "需求截止日期",
        ),
        "price": (
            "经费",
            "拟投入",
            "投入资金",
            "拟投入资金",
            "项目预算",
            "经费预算",
            "预计投入",
            "预算金额",
        ),
        "own_number": ("需求编号", "需求序号"),
    },
}
_EXAMPLES: dict[str, str] = {
    "summary": "边焊边报，缺陷处自动标记",
    "field": "先进制造技术",
    "keywords": "焊缝、视觉检测",
    "body": "双波段相机实时识别气孔与未熔合。",
    "application": "车架、压力容器、管道的焊接",
    "advantage": "漏检率由3%降到0.4%",
    "maturity_level": "中试",
    "ip_status": "有效发明专利2件",
    "ip_numbers": "ZL202200000000.0",
    "completers": "示范张甲",
    "modes": "普通许可、合作开发",
    "price": "50～80万元",
    "region": "沙坪坝区",
    "masked": "否",
    "own_number": "示例-001",
    "problem": "人工抽检漏检率高",
    "key_technology": "弧光下的成像与实时识别",
    "expected_goal": "漏检率低于0.5%",
    "need_maturity": "6级",
    "deadline": "2027年6月",
}
_TITLES = {
    ListingKind.ACHIEVEMENT: "焊缝气孔在线视觉检测",
    ListingKind.DEMAND: "求焊缝气孔的在线检测方法",
}


def _columns(kind: ListingKind) -> tuple[Column, ...]:
    found = [
        Column(
            key=key,
            label=label,
            aliases=(key, *_SHARED.get(key, ()), *_OWN[kind].get(key, ())),
            required=key == "title",
            example=_TITLES[kind] if key == "title" else _EXAMPLES[key],
        )
        for key, label in LABELS[kind].items()
    ]
    return (*found, Column(REFERENCE, "平台编号", aliases=(REFERENCE,)))


COLUMNS: Final = {kind: _columns(kind) for kind in ListingKind}
