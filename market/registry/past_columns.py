"""The columns of a file of contracts registered elsewhere: the national form's items (2021), and
the headings under which registries and bureaus keep them.
"""

from typing import Final

from market.kit.intake import Column

_UNITS = ("(万元)", "(元)", "(亿元)", "(单位:万元)", "(单位:元)", "/万元", "/元", "万元", "")


def _side(key: str, label: str, names: tuple[str, ...], example: str) -> Column:
    ends = ("", "名称", "单位", "单位名称", "机构名称", "全称")
    aliases = tuple(name + end for name in names for end in ends)
    return Column(key, label, (*aliases, key, f"{key}name"), required=True, example=example)


def _of_side(
    key: str, label: str, sides: tuple[str, ...], what: tuple[str, ...], example: str
) -> Column:
    return Column(
        key, label, (*(side + one for side in sides for one in what), key), example=example
    )


def _money(key: str, label: str, names: tuple[str, ...], example: str) -> Column:
    aliases = tuple(name + unit for name in names for unit in _UNITS)
    return Column(key, label, aliases, required=True, example=example)


_SELLERS = ("卖方", "技术卖方", "出让方", "让与方", "转让方", "许可方", "受托方", "输出方")
_BUYERS = ("买方", "技术买方", "受让方", "被许可方", "委托方", "吸纳方")
_CODES = ("统一社会信用代码", "社会信用代码", "信用代码", "组织机构代码")
_PLACES = ("所在地", "地区", "所在地区", "所属地区", "行政区划", "行政区划代码", "所在区县")
_FACTS: Final = {
    "buyer_kind": ("买方类型", ("买方性质", "买方单位性质", "buyertype"), "内资企业"),
    "buyer_transfer_body": ("买方是技术转移机构", ("买方是否技术转移机构", "技术转移机构"), "否"),
    "buyer_research_body": ("买方是研发机构", ("买方是否研发机构", "研发机构"), "否"),
    "buyer_converted": ("买方是转制院所", ("买方是否转制院所", "转制院所"), "否"),
    "buyer_in_zone": ("买方是高新区内企业", ("买方是否高新区内企业", "高新区内企业"), "是"),
    "buyer_listed": ("买方是上市公司", ("买方是否上市公司", "上市公司", "买方是否上市"), "否"),
    "buyer_scale": ("买方规模", ("买方企业规模", "企业规模"), "中型"),
    "buyer_address": ("买方地址", ("买方通讯地址", "买方通信地址"), ""),
    "buyer_representative": ("买方法定代表人", ("买方法人代表", "买方法人"), ""),
    "buyer_contact": ("买方联系人", ("买方经办人",), ""),
    "buyer_telephone": ("买方电话", ("买方联系电话", "买方联系方式"), ""),
    "buyer_postcode": ("买方邮编", ("买方邮政编码",), ""),
    "industry": ("国民经济行业", ("所属行业", "行业", "服务的国民经济行业"), ""),
    "goal": ("社会经济目标", ("社会-经济目标", "服务的社会经济目标"), ""),
}

PERSONAL: Final = ("buyer_representative", "buyer_contact", "buyer_telephone")
"""Items about a person: shown to officers only."""

COLUMNS: Final = (
    Column(
        "number",
        "登记编号",
        (
            "合同登记编号",
            "认定登记编号",
            "认定登记号",
            "合同认定登记编号",
            "技术合同登记编号",
            "合同登记号",
            "登记号",
            "登记证号",
            "登记证明编号",
            "认定编号",
            "registrationnumber",
            "number",
        ),
        required=True,
        example="2024500106000123",
    ),
    Column(
        "registered_on",
        "登记日期",
        (
            "认定登记日期",
            "合同登记日期",
            "认定日期",
            "登记时间",
            "认定登记时间",
            "合同登记时间",
            "registrationdate",
            "registered_on",
        ),
        required=True,
        example="2024-05-20",
    ),
    Column(
        "registry_label",
        "登记机构",
        ("登记机关", "认定登记机构", "合同登记机构", "登记点", "认定机构", "registry"),
        example="技术合同登记处",
    ),
    Column(
        "project_name",
        "项目名称",
        ("合同名称", "技术合同名称", "合同项目名称", "技术项目名称", "项目", "projectname"),
        required=True,
        example="焊缝超声检测系统开发",
    ),
    Column(
        "contract_type",
        "合同类型",
        ("合同类别", "技术合同类型", "技术合同类别", "合同种类", "类型", "类别", "contracttype"),
        required=True,
        example="技术开发",
    ),
    Column(
        "sub_type",
        "合同细类",
        ("合同子类", "合同小类", "合同子类型", "合同类型细分", "二级类型", "subtype"),
        example="委托开发",
    ),
    Column(
        "field",
        "技术领域",
        ("领域", "所属技术领域", "所属领域", "技术领域分类", "techarea", "field"),
        required=True,
        example="先进制造技术",
    ),
    _side("seller", "卖方", _SELLERS, "示范大学"),
    _of_side("seller_credit_code", "卖方统一社会信用代码", _SELLERS, _CODES, ""),
    Column(
        "seller_region",
        "卖方所在地",
        (
            *(side + place for side in _SELLERS for place in _PLACES),
            "行政区划",
            "行政区划代码",
            "seller_region",
        ),
        example="重庆市沙坪坝区",
    ),
    _side("buyer", "买方", _BUYERS, "示范装备有限公司"),
    _of_side("buyer_credit_code", "买方统一社会信用代码", _BUYERS, _CODES, ""),
    _of_side("buyer_region", "买方所在地", _BUYERS, _PLACES, "重庆市渝北区"),
    _money(
        "total",
        "合同成交额(万元)",
        (
            "合同成交额",
            "合同成交金额",
            "成交额",
            "成交金额",
            "合同成交总额",
            "合同总金额",
            "合同总额",
            "合同金额",
            "totalamount",
        ),
        "120",
    ),
    _money(
        "technical",
        "技术交易额(万元)",
        ("技术交易额", "技术交易金额", "其中技术交易额", "其中:技术交易额", "technicalamount"),
        "100",
    ),
    Column(
        "signed_on",
        "签订日期",
        (
            "合同签订日期",
            "合同签订时间",
            "签订时间",
            "签约日期",
            "签约时间",
            "签署日期",
            "signdate",
        ),
        required=True,
        example="2024-04-08",
    ),
    Column(
        "begins_on",
        "合同开始日期",
        ("合同起始日期", "起始日期", "开始日期", "履行开始日期", "contractbegindate"),
        example="2024-04-08",
    ),
    Column(
        "ends_on",
        "合同结束日期",
        (
            "合同终止日期",
            "合同截止日期",
            "终止日期",
            "结束日期",
            "履行结束日期",
            "contractenddate",
        ),
        example="2026-04-07",
    ),
    Column("pay_method", "支付方式", ("付款方式", "价款支付方式", "paymethod"), example="分期支付"),
    Column("related", "关联交易", ("是否关联交易", "关联交易合同", "isrelated"), example="否"),
    Column(
        "plan_source",
        "计划来源",
        ("项目计划来源", "计划类别", "计划类型", "项目计划类别", "projectplantype"),
        example="计划外",
    ),
    Column(
        "ip", "知识产权", ("知识产权类型", "涉及知识产权", "知识产权形式", "ipr"), example="专利"
    ),
    *(
        Column(key, label, aliases, example=example)
        for key, (label, aliases, example) in _FACTS.items()
    ),
    Column("public", "双方同意公开", ("同意公开", "是否公开", "public"), example="否"),
)

LABELS: Final = {column.key: column.label for column in COLUMNS}
YES_OR_NO: Final = frozenset(
    {
        "related",
        "public",
        "buyer_transfer_body",
        "buyer_research_body",
        "buyer_converted",
        "buyer_in_zone",
        "buyer_listed",
    }
)
