"""What the help page says of searching, tried: each example finds what it should and nothing else."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx

from market.discovery.documents import SCHEMA
from search.document import Document
from search.evaluate import Reading
from search.parse import parse
from tests.support.running import Running

# typed → documents that it finds, and documents that it does not.
FINDS = {
    "焊缝 气孔 检测": (
        [{"title": "焊缝检测", "body": "看得见气孔"}],
        [{"title": "焊缝检测", "body": "看得见裂纹"}],
    ),
    "“焊缝气孔”": ([{"title": "管道焊缝 气孔"}, {"body": "找出焊缝气孔。"}], [{"title": "气孔与焊缝"}]),
    "焊缝 -射线": ([{"title": "焊缝检测"}], [{"title": "焊缝检测", "body": "射线底片"}]),
    "-“射线探伤” 焊缝": ([{"title": "焊缝", "body": "射线评片"}], [{"title": "焊缝射线探伤"}]),
    "标题：石墨烯": ([{"title": "石墨烯电极"}], [{"title": "电极", "body": "石墨烯"}]),
    "关键词：石墨烯": ([{"title": "电极", "keywords": "石墨烯 电极"}], [{"title": "石墨烯"}]),
    "说明：石墨烯": ([{"title": "电极", "body": "石墨烯"}], [{"title": "石墨烯"}]),
    "机构：示范大学 镁合金": (
        [{"title": "镁合金成形", "holder": "示范大学二"}],
        [{"title": "镁合金成形", "holder": "示范学院"}, {"title": "成形", "holder": "示范大学二"}],
    ),
    "焊缝 -标题：射线": ([{"title": "焊缝检测", "body": "不用射线"}], [{"title": "焊缝射线检测"}]),
    "TC4": ([{"title": "TC-4板材"}, {"body": "ＴＣ４ 薄板"}, {"title": "tc4"}], [{"title": "TC 与 5"}]),
    "耐温 -20℃": ([{"title": "耐温", "body": "可到-20°C"}], [{"title": "耐温", "body": "可到30℃"}]),
}  # fmt: skip


def test_every_example_of_the_help_page_does_what_it_says(running: Running) -> None:
    page = httpx.get(f"{running.url}/help").text
    links = re.findall(r'href="(/search\?q=[^"]+)"[^>]*>([^<]+)<', page)
    typed = [unescape(text) for _, text in links]
    assert [parse_qs(urlsplit(unescape(link)).query)["q"][0] for link, _ in links] == typed
    assert set(typed) == set(FINDS)
    for one in typed:
        query, (those, others) = parse(one, SCHEMA).query, FINDS[one]
        for texts, found in [(those, True), (others, False)]:
            for text in texts:
                assert Reading(Document(1, 1, text), SCHEMA).matches(query) is found, (one, text)
