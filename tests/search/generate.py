"""Generated listings and queries: everything follows from one random.Random."""

import random
from collections.abc import Sequence

from search.document import Document
from search.parse import parse
from search.query import (
    RELEVANCE,
    All,
    And,
    AnyOf,
    AtLeast,
    Ids,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Scaled,
    SearchRequest,
    Sort,
    Weighted,
    Words,
)
from search.schema import Schema, TextField
from search.synonyms import Synonyms

SCHEMA = Schema(
    texts=(
        TextField("title", boost=3.0, grams=True, spelled=True, called=("标题", "title")),
        TextField("owner", boost=2.0, grams=True, called=("机构", "org")),
        TextField("body", called=("正文",)),
    ),
    facets=("kind", "field", "owner_name"),
    numbers=("price", "published"),
)

_WORDS = [
    "锂离子",
    "电池",
    "隔膜",
    "石墨烯",
    "涂层",
    "钢板",
    "表面",
    "缺陷",
    "检测",
    "深度学习",
    "机器视觉",
    "污泥",
    "干化",
    "余热",
    "回收",
    "氢燃料电池",
    "双极板",
    "轴承",
    "钛合金",
    "铸造",
    "数控机床",
    "主轴",
    "振动",
    "抑制",
    "光伏",
    "组件",
    "逆变器",
    "储能",
    "热管理",
    "传感器",
    "芯片",
    "封装",
    "碳纤维",
    "复合材料",
    "水性",
    "涂料",
    "催化剂",
    "膜分离",
    "废水",
    "处理",
    "基因",
    "疫苗",
    "中药",
    "提取",
    "农药",
    "残留",
    "育种",
    "灌溉",
    "无人机",
    "导航",
    "卫星",
    "遥感",
    "区块链",
    "语音",
    "识别",
    "5G",
    "IGBT",
    "TC4",
    "Ti-6Al-4V",
    "99.9%",
    "ＡＢＳ",
    "PEM",
    "3.5mm",
    "的",
    "与",
    "及",
    "高性能",
    "低成本",
    "制备",
    "方法",
    "装置",
    "系统",
    "工艺",
    "应用",
    "研究",
]
SYNONYMS = Synonyms((
    ("IGBT", "绝缘栅双极型晶体管", "芯片"), ("锂离子", "锂电"), ("机器视觉", "深度学习"),
    ("钛合金", "TC4", "Ti-6Al-4V"),
))  # fmt: skip
_OWNERS = tuple(
    f"示范{kind}{number}" for kind in ("大学", "研究院", "Lab ") for number in range(1, 6)
)
_FIELDS = ("新材料", "装备 制造", "生物医药", "环保", "ICT")
_GLUE = ("", "", "", "", " ", "、", "，", "（", "）", "-", "\n")


def text(rng: random.Random, words: int) -> str:
    return "".join(rng.choice(_WORDS) + rng.choice(_GLUE) for _ in range(words))


def listing(rng: random.Random, key: int, version: int = 1) -> Document:
    owner = rng.choice(_OWNERS)
    texts = {"title": text(rng, rng.randint(1, 7)), "owner": owner}
    if rng.random() < 0.8:
        texts["body"] = text(rng, rng.randint(0, 40))
    numbers = {"published": rng.randint(0, 30)}
    if rng.random() < 0.7:
        numbers["price"] = rng.choice((0, -1, 5, 10_000_000_000_000, rng.randint(0, 50)))
    facets = {
        "kind": (rng.choice(("成果", "需求")),),
        "field": tuple(rng.sample(_FIELDS, rng.randint(0, 3))),
        "owner_name": (owner,),
    }
    return Document(key, version, texts, facets, numbers)


def listings(rng: random.Random, count: int) -> list[Document]:
    return [listing(rng, key) for key in rng.sample(range(1, 50 * count), count)]


class Queries:
    """Random queries over given documents: terms mostly stand in some of them."""

    def __init__(self, rng: random.Random, documents: Sequence[Document]) -> None:
        self._rng = rng
        self._documents = documents

    def request(self, number: int) -> SearchRequest:
        """Every third by a typed text, the others by a random tree."""
        rng = self._rng
        typed = number % 3 == 0
        query = parse(self._typed(), SCHEMA, SYNONYMS).query if typed else self.tree(3)
        filters = {
            name: frozenset(self._values(name)) for name in SCHEMA.facets if rng.random() < 0.3
        }
        sort = rng.choice(
            (RELEVANCE, RELEVANCE, *(Sort(n, d) for n in SCHEMA.numbers for d in (True, False)))
        )
        return SearchRequest(query, filters, SCHEMA.facets, sort=sort, limit=rng.randint(1, 25))

    def tree(self, depth: int) -> Query:
        rng = self._rng
        if depth and rng.random() < 0.5:
            parts = tuple(self.tree(depth - 1) for _ in range(rng.randint(1, 3)))
            least = AtLeast(parts, rng.randint(1, len(parts)))
            return rng.choice((
                And(parts), Or(parts), Not(parts[0]), And((*parts, Not(self.tree(0)))), least,
                Scaled(parts[0], rng.uniform(0.1, 2)),
            ))  # fmt: skip
        return rng.choice((
            self._words, self._words, self._phrase, self._phrase, self._weighted, self._prefix,
            self._any_of, self._range, self._ids, All,
        ))()  # fmt: skip

    def _tokens(self, field: str) -> list[str]:
        """Of a random document that has any."""
        while True:
            tokens = SCHEMA.tokens(self._rng.choice(self._documents))[field]
            if tokens:
                return tokens

    def _fields(self) -> tuple[str, ...]:
        return tuple(self._rng.sample(SCHEMA.token_fields, self._rng.randint(1, 3)))

    def _words(self) -> Words:
        fields = self._fields()
        tokens = self._tokens(fields[0]) + self._rng.choice(([], ["没有这个词"]))
        terms = tuple(dict.fromkeys(self._rng.sample(tokens, min(len(tokens), 4))))
        return Words(terms, fields, self._rng.randint(1, len(terms)))

    def _weighted(self) -> Weighted:
        fields = self._fields()
        terms = dict.fromkeys(self._tokens(fields[0])[:5])
        return Weighted(tuple((term, self._rng.uniform(0.1, 3)) for term in terms), fields)

    def _phrase(self) -> Phrase:
        field = self._rng.choice(SCHEMA.token_fields)
        tokens = self._tokens(field)
        start = self._rng.randrange(len(tokens))
        terms = tokens[start : start + self._rng.randint(1, 5)]
        if self._rng.random() < 0.2:
            self._rng.shuffle(terms)
        return Phrase(tuple(terms), field)

    def _prefix(self) -> Prefix:
        field = self._rng.choice(SCHEMA.token_fields)
        token = self._rng.choice(self._tokens(field))
        return Prefix(token[: self._rng.randint(1, 2)], field)

    def _values(self, field: str) -> list[str]:
        values = [value for document in self._documents for value in document.facets[field]]
        return self._rng.sample([*dict.fromkeys(values), "没有"], self._rng.randint(1, 3) - 1)

    def _any_of(self) -> AnyOf:
        field = self._rng.choice(SCHEMA.facets)
        return AnyOf(field, frozenset(self._values(field)))

    def _range(self) -> Range:
        low, high = sorted(self._rng.choices((-1, 0, 5, 10, 20, 40, 2**70, -(2**70)), k=2))
        field = self._rng.choice(SCHEMA.numbers)
        return Range(field, self._rng.choice((None, low)), self._rng.choice((None, high)))

    def _ids(self) -> Ids:
        some = self._rng.sample(self._documents, 5)
        return Ids(frozenset(document.id for document in some) | {0, 2**80})

    def _typed(self) -> str:
        rng = self._rng
        title = rng.choice(self._documents).texts["title"]
        start = rng.randrange(len(title))
        piece = title[start : start + rng.randint(1, 12)]
        other = rng.choice(_WORDS)
        return rng.choice(
            (
                piece,
                piece,
                f"“{piece}”",
                f"{piece} -{other}",
                f'{other} "{piece}"',
                f"标题：{piece}",
                f"{other} -正文:{piece}",
                f"-{other}",
                text(rng, 8),
            )
        )
