"""Cells of a listings' file: what is read, and what can be meant in two ways is not guessed."""

import pytest

from market.catalog.intake import ListingsTarget
from market.catalog.intake_columns import COLUMNS
from market.catalog.vocabulary import ListingKind
from market.kit.intake import Given

TARGETS = {kind: ListingsTarget(kind) for kind in ListingKind}


def read(key: str, cell: str, heading: str = "") -> str | None:
    """Return a cell as it is understood, in the words of an export, None where it is refused."""
    demand = ListingKind.DEMAND
    kind = demand if any(one.key == key for one in COLUMNS[demand]) else ListingKind.ACHIEVEMENT
    row = Given(2, {key: cell}, {key: heading or key}, True)
    return TARGETS[kind].understood(row).get(key)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2027/3/1 12:00", "2027-03-01"),
        ("2027-1-2 15:30", "2027-01-02"),
        ("2027/3/5 12:00", "2027-03-05"),
        ("2027-3-5T08:00:00", "2027-03-05"),
        ("2027年3月5日12:00", "2027-03-05"),
        ("2027年1月2 15:30", "2027-01-02"),
        ("2027. 3. 5", "2027-03-05"),
        ("2027 年 3 月 5 日", "2027-03-05"),
        ("2027 年 3 月 5 日 12:00", "2027-03-05"),
        ("２０２７－３－５", "2027-03-05"),
        ("二〇二七年三月三十一日", "2027-03-31"),
        ("2027年六月", "2027-06-30"),
        ("2027年第二季度", "2027-06-30"),
        ("2027-02-28T16:00:00.000Z", "2027-03-01"),
        ("2027-03-01T00:00:00+08:00", "2027-03-01"),
        ("2027-1-215:30", None),
        ("2027.3-5", None),
        ("2027年3-5日", None),
        ("46023", "2026-01-01"),
        ("20273", None),
        ("2612", None),
        ("2027.1", None),
        ("2027-3-00", None),
        ("2027-3-5 至 2027-6-5", None),
    ],
)
def test_days(cell: str, day: str | None) -> None:
    assert read("deadline", cell) == day


@pytest.mark.parametrize(
    ("heading", "cell", "price"),
    [
        ("价格（千元）", "120", "12万元"),
        ("价格（百万元）", "1.2", "120万元"),
        ("价格（万元/年）", "80", "80万元/年"),
        ("年费（万元）", "50-80", "50万元～80万元/年"),
        ("单价（元/套）", "3000起", "0.3万元起/件"),
        ("价格/万元", "80", "80万元"),
        ("价格（W元）", "80", "80万元"),
        ("元件价格（万元）", "80", "80万元"),
        ("价格（万元）", "三万五千", "3.5万元"),
        ("价格（万元）", "1亿5000万元", "15000万元"),
        ("价格（万元）", "三百", "300万元"),
        ("价格", "1亿5千万", "15000万元"),
        ("价格", "1.5-2千万", "1500万元～2000万元"),
        ("价格", "5-8千元", "0.5万元～0.8万元"),
        ("价格", "5-8百万元", "500万元～800万元"),
        ("价格", "五至八千元", "0.5万元～0.8万元"),
        ("价格", "五十至八十万元", "50万元～80万元"),
        ("价格", "50万-80", "50万元～80万元"),
        ("价格", "一百到二百五十元", "0.01万元～0.025万元"),
        ("价格", "1 200 000元", "120万元"),
        ("价格", "80万元人民币", "80万元"),
    ],
)
def test_prices(heading: str, cell: str, price: str) -> None:
    assert read("price", cell, heading) == price


@pytest.mark.parametrize(
    ("heading", "cell"),
    [
        *(("价格（万元）", cell) for cell in ("三万五", "3万5", "2千", "1,2", "12,34", "80①")),
        *(("价格（万元）", cell) for cell in ("50 80", "50\n80", "1万5000", "5万20")),
        *(("价格", cell) for cell in ("三万五元", "3万5元", "1亿5000元", "一百二元", "3千5元")),
        *(("价格", cell) for cell in ("万元", "亿", "百万元", "50万80万", "50万8000万元")),
        *(
            ("价格", cell)
            for cell in ("五到八百万元", "一到十万元", "50-1万5千元", "50 80万元", "二百三千元")
        ),
        *(("价格", cell) for cell in ("至少50-80万", "50-80万起", "不低于80万以内")),
        *(("价格", cell) for cell in ("每年50万元/件", "1.5万5千元", "1,2万元")),
        ("价格（万元/月）", "80"),
        ("价格（元/千瓦时）", "80"),
        ("价格（百元）", "80"),
        ("价格（元/万元）", "80"),
    ],
)
def test_a_price_that_can_be_meant_otherwise_is_refused(heading: str, cell: str) -> None:
    assert read("price", cell, heading) is None


CURRENCIES = ("美元", "欧元", "日元", "港元", "英镑", "韩元", "USD", "EUR", "HKD", "JPY", "$", "€")


@pytest.mark.parametrize("currency", [*CURRENCIES, "＄", "￡", "us$", "万美元", "Ｕ ＳＤ"])
def test_another_currency_is_no_price(currency: str) -> None:
    assert read("price", "120", f"价格（{currency}）") is None
    assert read("price", f"120万{currency}", "价格") is None
    assert read("price", f"{currency}120", "价格（元）") is None


@pytest.mark.parametrize(
    ("cell", "level"),
    [
        ("一期中试", 6),
        ("第一代样机", 6),
        ("2台样机已完成", 6),
        ("三轮中试", 6),
        ("1台套中试装置", 6),
        ("3月完成中试", 6),
        ("5家企业试用", 8),
        ("2025年中试", 6),
        ("7级，在3家企业应用", 7),
        ("7（中试）", 7),
        ("TRL7样机", 7),
        ("TRL-6", 6),
        ("第七级", 7),
        ("6级-7级", 6),
        ("TRL6-TRL7", 6),
        ("9-7", 7),
        ("达到7级", 7),
        ("6 模拟环境样机演示", 6),
        ("无人机样机", 6),
        ("目前中试", 6),
        *(
            (cell, None)
            for cell in ("20", "0级", "TRL10", "TRL20", "十一级", "6.5级", "7.5", "7/8")
        ),
        *((cell, None) for cell in ("7级或8级", "TRL6、TRL7", "中试（TRL7）", "7中试", "第三阶段")),
        *(
            (cell, None)
            for cell in ("7级（目标）", "7级以下", "小于7级", "预计7级", "三级医院试用", "2台")
        ),
        *((cell, None) for cell in ("即将量产", "可量产", "具备量产条件", "中试前", "争取量产")),
        *((cell, None) for cell in ("正在研制样机", "样机研发中", "无样机", "2027年底量产")),
    ],
)
def test_levels(cell: str, level: int | None) -> None:
    assert read("maturity_level", cell) == (None if level is None else f"{level}级")


@pytest.mark.parametrize(
    ("cell", "field"),
    [
        ("1", "电子信息技术"),
        ("（1）电子信息", "电子信息技术"),
        ("11 城市建设", "城市建设与社会发展"),
        ("新能源及高效节能技术", "新能源与高效节能"),
        *((cell, None) for cell in ("2.电子信息", "1 先进制造技术", "10%", "1.1", "1-1", "1、3")),
        *((cell, None) for cell in ("5G", "技术", "电子信息、先进制造", "节能环保", "0", "12")),
    ],
)
def test_fields(cell: str, field: str | None) -> None:
    assert read("field", cell) == field


@pytest.mark.parametrize(
    ("cell", "region"),
    [
        ("重庆市沙坪坝", "重庆市沙坪坝区"),
        ("重庆沙坪坝", "重庆市沙坪坝区"),
        ("渝北", "重庆市渝北区"),
        ("广东省", "440000"),
        *((cell, None) for cell in ("海南州", "河北区", "400030", "999999", "四川省、重庆市")),
        *((cell, None) for cell in ("重庆市万州区", "广东省深圳市", "重庆市高新区", "火星")),
    ],
)
def test_regions(cell: str, region: str | None) -> None:
    assert read("region", cell) == region


@pytest.mark.parametrize(
    ("cell", "masked"),
    [("√", "是"), ("保密", "是"), ("不是", "否"), ("公开", "否"), ("是否", None)],
)
def test_yes_or_no(cell: str, masked: str | None) -> None:
    assert read("masked", cell) == masked
