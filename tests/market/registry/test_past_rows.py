"""Rows of registered contracts: what is wrong is named, and what people write is understood."""

import csv
from pathlib import Path

import pytest

from market.accounts.policy import Role
from market.accounts.work import Parts
from market.kit.intake import Effect
from market.registry.past_columns import COLUMNS
from tests import factories
from tests.support import history, papers

SAMPLE = Path(__file__).parents[3] / "docs" / "samples" / "contracts.csv"

FAULTS = [
    ("number", "123", "登记编号：应为16位数字（旧证14位），现在是3位"),
    ("number", "2.0245E+15", "科学计数"),
    ("number", None, "登记编号：必须填写，现在是空的"),
    ("total", "0", "合同成交额(万元)：应大于0，现在是“0”"),
    ("total", "一百万", "合同成交额(万元)：应为数字"),
    ("total", "100.0000001", "金额最细到分"),
    ("technical", "121", "技术交易额(万元)：不能超过成交额120万元，现在是121万元"),
    ("registered_on", "2026-12-31", "登记日期：不能晚于今天2026-11-02"),
    ("registered_on", "2023-02-30", "登记日期：没有这一天"),
    ("registered_on", "2023年6月", "登记日期：应写到哪一天"),
    ("registered_on", "2023-05-01", "登记日期：不能早于合同签订日2023-05-08"),
    ("signed_on", "昨天", "签订日期：应写成2024-05-20的样子，现在是“昨天”"),
    ("ends_on", "2022-01-01", "合同结束日期：不能早于合同开始日期2023-01-01"),
    (
        "contract_type",
        "技术合作",
        "合同类型：应为技术开发、技术转让、技术许可、技术咨询、技术服务之一",
    ),
    ("field", "12", "技术领域：应为11个技术领域之一或它的序号，现在是“12”"),
    ("seller_region", "火星", "卖方所在地：应为六位行政区划代码"),
    ("seller_region", "重庆市沙坪垻区", "认不出“沙坪垻区”是哪个区县"),
    ("seller_region", "重庆市高新区", "认不出“高新区”是哪个区县"),
    ("seller_region", "重庆市江北县", "认不出“江北县”是哪个区县"),
    ("seller_region", "海南州", "卖方所在地：应为六位行政区划代码"),
    ("seller_region", "重庆市沙坪坝区、渝北区", "卖方所在地：应为六位行政区划代码"),
    ("seller_region", "四川省、重庆市", "卖方所在地：应为六位行政区划代码"),
    ("seller_region", "400030", "卖方所在地：应为六位行政区划代码"),
    ("field", "2.电子信息", "序号和名称应为同一个领域，2是航空航天技术，现在是“2.电子信息”"),
    ("field", "1 先进制造技术", "序号和名称应为同一个领域，1是电子信息技术"),
    ("field", "10%", "技术领域：应为11个技术领域之一或它的序号，现在是“10%”"),
    ("field", "1.1", "技术领域：应为11个技术领域之一或它的序号，现在是“1.1”"),
    ("total", "12,34", "合同成交额(万元)：应为数字"),
    ("total", "12 34", "合同成交额(万元)：应为数字"),
    ("total", "USD 120", "应为人民币，请换算成人民币再导入，现在是“USD 120”"),
    ("total", "￥1,200,000", "按“¥”是1,200,000元，按表头是1,200,000万元"),
    ("signed_on", "2023年1月215:30", "签订日期：应写成2024-05-20的样子"),
    ("seller", "  ", "卖方：必须填写"),
    ("buyer_credit_code", "93990000000000001X", "统一社会信用代码"),
    ("related", "也许", "关联交易：应为“是”或“否”"),
    ("project_name", "长" * 201, "项目名称：最多200个字，现在是201个字"),
]


@pytest.mark.parametrize(("key", "value", "said"), FAULTS)
def test_a_fault_names_column_reason_and_what_would_be_right(
    parts: Parts, key: str, value: str | None, said: str
) -> None:
    officer = factories.actor(parts, Role.OFFICER)
    row = history.row(begins_on="2023-01-01", **{key: value})
    outcome = history.bring_in(parts, officer, [row])[0]
    assert outcome.effect is Effect.REFUSED
    assert said in history.reasons(outcome)
    assert papers.transactions(parts) == []


READ = [
    ("number", "2024-5001-0600 0123", "2024500106000123"),
    ("number", "24500106000123", "24500106000123"),
    ("registered_on", "2023/6/5", "2023-06-05"),
    ("registered_on", "2023年6月5日", "2023-06-05"),
    ("registered_on", "20230605", "2023-06-05"),
    ("registered_on", "2023-06-05 00:00:00", "2023-06-05"),
    ("registered_on", "2023/6/5 12:00", "2023-06-05"),
    ("registered_on", "2023年6月5 15:30", "2023-06-05"),
    ("registered_on", "二〇二三年六月五日", "2023-06-05"),
    ("total", "1,234.56", "1234.56"),
    ("total", "1 200", "1200"),
    ("total", "120万元人民币", "120"),
    ("total", "人民币120万元整", "120"),
    ("total", "￥0.000001", "0.000001"),
    ("contract_type", "技术开发合同", "技术开发"),
    ("contract_type", "3 技术转让", "技术转让"),
    ("contract_type", "DEV", "技术开发"),
    ("contract_type", "技术秘密转让", "技术转让"),
    ("contract_type", "技术培训", "技术服务"),
    ("field", "04", "生物、医药和医疗器械技术"),
    ("field", "4.生物、医药和医疗器械技术", "生物、医药和医疗器械技术"),
    ("field", "电子信息", "电子信息技术"),
    ("field", "环境保护与资源综合利用", "环境保护与资源综合利用技术"),
    ("field", "新能源及高效节能技术", "新能源与高效节能"),
    ("seller_region", "沙坪坝区", "500106"),
    ("seller_region", "重庆市沙坪坝", "500106"),
    ("seller_region", "重庆沙坪坝", "500106"),
    ("seller_region", "重庆市渝北", "500112"),
    ("seller_region", "重庆市沙坪坝区大学城南路55号", "500106"),
    ("seller_region", "重庆市万州区", "500000"),
    ("seller_region", "重庆綦江县", "500000"),
    ("seller_region", "重庆酉阳土家族苗族自治县", "500000"),
    ("seller_region", "青海省海南州", "630000"),
    ("seller_region", "浙江省宁波市江北区", "330000"),
    ("seller_region", "广东省深圳市", "440000"),
    ("related", "√", "是"),
    ("seller", " 示范\u200b大学 ", "示范大学"),
]


@pytest.mark.parametrize(("key", "written", "read"), READ)
def test_what_people_write_is_understood(key: str, written: str, read: str) -> None:
    row = history.given([history.row(**{key: written})])[0]
    assert history.TARGET.understood(row)[key] == read


@pytest.mark.parametrize(
    ("heading", "cell", "fen"),
    [
        ("合同成交额（元）", "1200000.01", 120_000_001),
        ("合同成交额", "120万", 120_000_000),
        ("成交额(亿元)", "0.012", 120_000_000),
        ("合同成交额（千元）", "1200", 120_000_000),
        ("合同成交额（百万元）", "1.2", 120_000_000),
        ("合同金额/万元", "120万元", 120_000_000),
        ("totalamount", "1200000元", 120_000_000),
    ],
)
def test_the_unit_stands_in_the_heading_or_the_cell(
    parts: Parts, heading: str, cell: str, fen: int
) -> None:
    officer = factories.actor(parts, Role.OFFICER)
    row = history.row(total=cell, technical="1")
    outcome = history.bring_in(parts, officer, [row], headings={"total": heading})[0]
    assert outcome.effect is Effect.CREATED, history.reasons(outcome)
    assert papers.transactions(parts)[0].total_fen == fen


@pytest.mark.parametrize("currency", ["万美元", "欧元", "港元", "USD", "＄", "€", "JPY", "万韩元"])
def test_another_currency_never_comes_into_the_ledger(parts: Parts, currency: str) -> None:
    officer = factories.actor(parts, Role.OFFICER)
    headings = {"total": f"合同成交额({currency})"}
    outcome = history.bring_in(parts, officer, [history.row()], headings=headings)[0]
    assert outcome.effect is Effect.REFUSED
    assert "应为人民币，表头写的是" in history.reasons(outcome)
    assert papers.transactions(parts) == []


@pytest.mark.parametrize("unit", ["百元", "元/万元"])
def test_a_unit_that_is_not_known_is_named(parts: Parts, unit: str) -> None:
    officer = factories.actor(parts, Role.OFFICER)
    headings = {"total": f"合同成交额({unit})"}
    outcome = history.bring_in(parts, officer, [history.row()], headings=headings)[0]
    assert "表头的单位应为元、千元、万元" in history.reasons(outcome)


def test_an_amount_without_a_unit_is_not_guessed(parts: Parts) -> None:
    officer = factories.actor(parts, Role.OFFICER)
    headings = {"technical": "技术交易额"}
    outcome = history.bring_in(parts, officer, [history.row()], headings=headings)[0]
    said = history.reasons(outcome)
    assert "请把表头写成“技术交易额(万元)”" in said, "its own column, not another"
    assert "“120”" not in said, "one sentence for all rows of the column"


def test_the_sample_file_comes_in_whole(parts: Parts) -> None:
    keys = {column.label: column.key for column in COLUMNS}
    text = SAMPLE.read_text(encoding="utf-8-sig")
    rows = [
        {keys[name]: cell for name, cell in row.items()}
        for row in csv.DictReader(text.splitlines())
    ]
    outcomes = history.bring_in(parts, factories.actor(parts, Role.OFFICER), rows)
    assert len(rows) == 12
    assert set(history.effects(outcomes)) == {"created"}, [history.reasons(one) for one in outcomes]


def test_no_heading_stands_for_two_columns() -> None:
    met: dict[str, str] = {}
    for column in COLUMNS:
        for name in {column.label, *column.aliases}:
            assert met.setdefault(name.casefold(), column.key) == column.key, name
