"""Connections to Elasticsearch; imported only where ZHIHE_SEARCH_URL is given.

A person waits for a search, and the database can answer instead: nothing is tried twice on the same
server, and nothing waits for a free connection. With several servers, one that refuses is left
aside for some seconds and the request goes to another; one that is silent has cost the whole
patience already.
"""

from typing import Any, Final

from elasticsearch import Elasticsearch

from infra.settings import Settings
from search.engines.elastic import ElasticEngine
from search.engines.elastic_indexes import ElasticIndexes
from search.schema import Schema

_CONNECTIONS: Final = 64
"""More than a process has threads that search: a request waits for a free one without limit."""
_ASIDE: Final = 5.0
"""Seconds at most that a server which failed is not asked, while others are there."""


def open_engine(settings: Settings, schema: Schema, *, read_only: bool) -> ElasticEngine:
    """Open the index of the schema. Raises SearchUnavailable where it cannot be made."""
    return ElasticEngine(
        client(settings),
        schema,
        prefix=settings.search_prefix,
        read_only=read_only,
        shards=settings.search_shards,
        replicas=settings.search_replicas,
    )


def indexes(settings: Settings, schema: Schema) -> ElasticIndexes:
    """Return the indexes of the schema, to build one anew."""
    return ElasticIndexes(
        lambda: client(settings),
        schema,
        prefix=settings.search_prefix,
        shards=settings.search_shards,
        replicas=settings.search_replicas,
    )


def client(settings: Settings) -> Elasticsearch:
    """Return a client for all hosts of the settings; user and password stand in their addresses."""
    hosts = settings.search_hosts
    given: dict[str, Any] = {}
    if settings.search_api_key:
        given["api_key"] = settings.search_api_key
    if settings.search_ca is not None:
        given["ca_certs"] = str(settings.search_ca)
    return Elasticsearch(
        hosts,
        max_retries=min(1, len(hosts) - 1),
        retry_on_timeout=False,
        connections_per_node=_CONNECTIONS,
        dead_node_backoff_factor=1.0,
        max_dead_node_backoff=_ASIDE,
        **given,
    )
