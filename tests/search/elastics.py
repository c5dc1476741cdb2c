"""Engines on the tests' Elasticsearch node."""

import hashlib
from pathlib import Path

from elasticsearch import Elasticsearch

from search.engines.elastic import ElasticEngine, Patience
from search.schema import Schema
from tests.search.generate import SCHEMA

# A busy machine is not what these tests are about.
PATIENT = Patience(ask=30.0, read=60.0, write=120.0)


def opened(
    url: str,
    prefix: str,
    *,
    schema: Schema = SCHEMA,
    read_only: bool = False,
    shards: int = 1,
) -> ElasticEngine:
    client = Elasticsearch(url, max_retries=0, connections_per_node=64)
    return ElasticEngine(
        client, schema, prefix=prefix, read_only=read_only, shards=shards, patience=PATIENT
    )


def prefix_of(folder: Path) -> str:
    """A name for an index that belongs to a folder of the test."""
    return "t" + hashlib.sha256(str(folder).encode()).hexdigest()[:16]
