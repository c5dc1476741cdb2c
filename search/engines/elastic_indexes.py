"""The indexes of one schema in a cluster: numbered names, the live one behind an alias, one that is
being built behind another.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from elasticsearch import Elasticsearch

from search.engines.elastic import (
    PATIENCE,
    ElasticEngine,
    Patience,
    live_alias,
    numbered,
    translated,
)
from search.schema import Schema


class ElasticIndexes:
    """Indexes (of `search.rebuild`) in a cluster, reached by clients that `connect` makes."""

    def __init__(
        self,
        connect: Callable[[], Elasticsearch],
        schema: Schema,
        *,
        prefix: str,
        shards: int = 1,
        replicas: int | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        self._connect = connect
        self._schema = schema
        self._prefix = prefix
        self._shards = shards
        self._replicas = replicas
        self._patience = patience
        self._live = live_alias(prefix, schema)
        self._new = f"{self._live}-new"
        self._built = ""

    def begin(self) -> ElasticEngine:
        with self._client() as client:
            left = self._left(client)
            for name in self._behind(client, self._new):
                client.indices.delete_alias(index=name, name=self._new)
        engine = ElasticEngine(
            self._connect(),
            self._schema,
            prefix=self._prefix,
            alias=self._new,
            read_only=False,
            shards=self._shards,
            replicas=self._replicas,
            patience=self._patience,
        )
        try:
            with self._client() as client:
                (self._built,) = self._behind(client, self._new)
                for name in left:  # not before: no two builds ever have the same name
                    client.indices.delete(index=name)
        except BaseException:
            engine.close()
            raise
        return engine

    def swap(self) -> None:
        with self._client() as client:
            before = self._behind(client, self._live)
            # By its name, and only while it stands behind the alias: another process that was taken
            # for dead may have begun one of its own there since.
            actions: list[dict[str, Any]] = [
                *({"remove": {"index": name, "alias": self._live}} for name in before),
                {"add": {"index": self._built, "alias": self._live}},
                {"remove": {"index": self._built, "alias": self._new, "must_exist": True}},
            ]
            client.indices.update_aliases(actions=actions)
            self._drop_before(client, [*before, self._built])

    def _drop_before(self, client: Elasticsearch, kept: list[str]) -> None:
        there = numbered(client, self._live)
        for name, number in there.items():
            if number < min(there[one] for one in kept):
                client.indices.delete(index=name)

    def abandon(self) -> None:
        with self._client() as client:
            if self._built in self._behind(client, self._new):
                client.indices.delete(index=self._built)

    def _left(self, client: Elasticsearch) -> list[str]:
        """What builds that were interrupted left: all that is later than the live one."""
        there = numbered(client, self._live)
        live = [there[name] for name in self._behind(client, self._live)]
        return [name for name, number in there.items() if number > max(live, default=number)]

    @contextmanager
    def _client(self) -> Iterator[Elasticsearch]:
        client = self._connect()
        try:
            with translated():
                yield client.options(request_timeout=self._patience.write)
        finally:
            client.close()

    @staticmethod
    def _behind(client: Elasticsearch, alias: str) -> list[str]:
        """Names of the indexes behind an alias."""
        if not client.indices.exists_alias(name=alias):
            return []
        return list(client.indices.get_alias(name=alias))
