"""Our Elasticsearch engine beside the raw client that is given the finished body.

The same index, the same calls in turn: what is left is what our side of it costs, compiling the
request and reading the answer.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import islice
from secrets import token_hex

from elasticsearch import Elasticsearch

from infra import elastic
from infra.bench import asking
from infra.bench.figures import Figure, percentile, rounded
from infra.bench.market import BATCH, Plan
from infra.settings import Settings
from market.discovery.documents import SCHEMA, document
from search.engines.elastic import PATIENCE, ElasticEngine, live_alias
from search.engines.elastic_page import Page
from search.engines.elastic_query import Compiler
from search.query import SearchRequest

LISTINGS = 20_000
"""Of the market; with more the server takes longer and our share of the time is smaller."""
ASKED = 200
ROUNDS = 3
LIMIT = 1.15


def figures(plan: Plan, url: str) -> Iterator[Figure]:
    """Raises SearchUnavailable where there is no such server."""
    settings = Settings(search_url=url, search_prefix=f"bench-{token_hex(4)}")
    client = elastic.client(settings)
    raw_of = partial(_raw, client, settings.search_prefix)
    with closing(elastic.open_engine(settings, SCHEMA, read_only=False)) as engine:
        try:
            sources = islice(plan.sources(), LISTINGS)
            while some := [document(one, 1) for one in islice(sources, BATCH)]:
                engine.write(some)
            small = replace(plan, achievements=min(plan.achievements, LISTINGS), demands=0)
            for kind, pages in asking.typed(small, ASKED).items():
                yield _figure(engine, raw_of, kind, [asking.request_of(one) for one in pages])
        finally:
            for name in client.indices.get(index=f"{live_alias(settings.search_prefix, SCHEMA)}-*"):
                client.indices.delete(index=name)
            client.close()


def _raw(client: Elasticsearch, prefix: str, request: SearchRequest) -> Callable[[], object]:
    page = Page(Compiler(SCHEMA), request)
    return partial(
        client.options(request_timeout=PATIENCE.ask).search,
        index=live_alias(prefix, SCHEMA),
        body={**page.body, "_source": False, "timeout": f"{round(PATIENCE.ask * 1000)}ms"},
        search_type="dfs_query_then_fetch",
        preference=page.preference(),
        allow_partial_search_results=False,
    )


def _figure(
    engine: ElasticEngine,
    raw_of: Callable[[SearchRequest], Callable[[], object]],
    kind: str,
    requests: list[SearchRequest],
) -> Figure:
    ours: list[float] = []
    raw: list[float] = []
    for request in requests:
        pair = (partial(engine.search, request), raw_of(request))
        asking.each(pair)  # both find the server's caches as the other left them
        for n in range(ROUNDS):
            order = pair if n % 2 else pair[::-1]
            taken = asking.each(order)
            ours.append(taken[order.index(pair[0])])
            raw.append(taken[order.index(pair[1])])
    peer = percentile(raw, 0.5)
    return Figure(
        f"Elasticsearch，{kind}，p50（客户端：同样的请求体）",
        "毫秒",
        rounded(percentile(ours, 0.5)),
        rounded(peer),
        rounded(LIMIT * peer),
    )
