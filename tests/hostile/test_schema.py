"""The API against its own document: what schemathesis makes of the schema, sent as several roles.

Every answer must be one that the document declares, of the type and shape it declares; nothing
fails; what breaks the schema is refused. A run takes a fresh seed, which it prints; `--full` sends
50,000 and more (25 minutes at 40 a second on one core).
"""

import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import AcceptedNegativeData, Failure, FailureGroup
from schemathesis.specs.openapi import checks

from infra import access
from infra.access import Route
from infra.settings import Settings as MarketSettings
from market.api import PREFIX
from market.api_texts import ROUTES, TAGS
from tests.infra.test_access import Snapshot, Walker, on_demand
from tests.infra.world import World

BASE = "http://127.0.0.1"
ROLES = (
    "seller manager",
    "seller viewer",
    "buyer manager",
    "broker manager",
    "officer",
    "operator",
    "auditor",
    "person",
    "anonymous",
)
CHECKS = (
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
)
EACH, FULL_EACH = 12, 115  # cases of either kind for each operation
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@dataclass
class Outcome:
    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)

    def report(self) -> str:
        lines = [f"{n} × {text}" for text, n in self.wrong.most_common()]
        return f"{len(lines)} kinds of wrong answers:\n" + "\n".join(islice(lines, 40))


class Fuzzer:
    """One market, its document, and the people who send."""

    def __init__(self, walker: Walker, client: TestClient, snapshot: Snapshot) -> None:
        self.world = world = walker.world
        self.client = client
        self.snapshot = snapshot
        self.walker = walker
        self.outcome = Outcome()
        self.actions = {
            f"{route.method} {route.path.removeprefix(PREFIX)}": route for route in _routes(world)
        }
        document = client.get(f"{PREFIX}/openapi.json").json()
        self.schema = schemathesis.openapi.from_dict(document)

    def run(self, each: int, number: int) -> Outcome:
        """Send `each` cases of either kind to every operation, made from the seed `number`."""
        for result in self.schema.get_all_operations():
            operation = result.ok()
            for mode in MODES:
                self._operation(operation, mode, each, number)
            self.snapshot.restore()
        return self.outcome

    def _operation(
        self,
        operation: APIOperation[Any, Any, Any, Any],
        mode: GenerationMode,
        each: int,
        number: int,
    ) -> None:
        able = self._able(operation.label)
        # Mostly those who may, on what there is: everybody else is turned away at the door.
        who = strategies.sampled_from([*ROLES, *able * len(ROLES)])
        cases = operation.as_strategy(generation_mode=mode)

        @seed(number)
        @settings(
            max_examples=each,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases, name=who, real=strategies.integers(0, 3))
        def send(case: Case, name: str, real: int) -> None:
            self._send(case, name, real=real > 0)

        try:
            send()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, operation.label  # nothing there to break

    def _able(self, label: str) -> list[str]:
        route = self.actions[label]
        actors = self.world.actors
        return [name for name in ROLES if actors[name].may_ever(route.action)] or ["anonymous"]

    def _send(self, case: Case, name: str, *, real: bool) -> None:
        if real and case.path_parameters:
            route = self.actions[case.operation.label]
            for parameter in case.path_parameters:
                if parameter in self.world.ids:
                    demand = parameter == "listing_id" and on_demand(route)
                    found = self.world.ids["demand" if demand else parameter]
                    case.path_parameters[parameter] = found
        token = self.walker.tokens.get(name)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        given_ = case.as_transport_kwargs(base_url=f"{BASE}{PREFIX}", headers=headers)
        given_.pop("cookies", None)
        prepared = requests.Request(**given_).prepare()
        assert prepared.method is not None
        assert prepared.url is not None
        if not urlsplit(prepared.url).path.startswith(f"{PREFIX}/"):
            return  # an id of dots leads out of the API
        body = prepared.body
        answer = self.client.request(
            prepared.method,
            prepared.url,
            headers=dict(prepared.headers),
            content=body.encode() if isinstance(body, str) else body,
        )
        self.outcome.cases += 1
        self.outcome.statuses[answer.status_code] += 1
        if answer.status_code == 404 and "text/html" in answer.headers["content-type"]:
            return  # as above
        try:
            case.validate_response(answer, checks=list(CHECKS))
        except FailureGroup as group:
            for failure in group.exceptions:
                if not _mended(failure, real=real):
                    self._note(case, name, answer.status_code, failure, body)

    def _note(
        self, case: Case, name: str, status: int, failure: Exception, body: str | bytes | None
    ) -> None:
        title = failure.title if isinstance(failure, Failure) else repr(failure)
        key = f"{case.operation.label} as {name}: {status} {title}"
        if key not in self.outcome.wrong:
            print(f"{key}\n    {str(failure)[:600]}\n    {case.query} {str(body)[:300]}")
        self.outcome.wrong[key] += 1


def _mended(failure: Exception, *, real: bool) -> bool:
    """Tell whether a broken request was made good before it was sent, and so rightly accepted.

    Every request gets the token of who sends it, and most a real id; the client trims headers.
    Query parameters that the document does not name are left aside, as everywhere on the web.
    """
    if not isinstance(failure, AcceptedNegativeData):
        return False
    places = re.findall(r"Invalid component: (?:parameters? .* in )?(\w+)", str(failure))
    if places == ["header"]:
        return True
    broken = [line.strip() for line in str(failure).splitlines() if line.startswith("  - ")]
    ours = (
        "- header:",
        "- query: violates `additionalProperties`",
        *(("- path:",) if real else ()),
    )
    return all(line.startswith(ours) for line in broken)


def _routes(world: World) -> list[Route]:
    return [r for r in access.routes(world.app, world.app.state.api) if r.api]


@pytest.fixture
def fuzzer(world: World, settings: MarketSettings, tmp_path: Path) -> Iterator[Fuzzer]:
    with TestClient(world.app, base_url=BASE, raise_server_exceptions=False) as client:
        walker = Walker(world)  # its tokens are in the copy, or the first restoration took them
        yield Fuzzer(walker, client, Snapshot(settings, tmp_path))


def test_answers_are_what_the_document_says(fuzzer: Fuzzer) -> None:
    number = secrets.randbelow(2**32)
    outcome = fuzzer.run(EACH, number)
    print(f"seed {number}: {outcome.cases} cases, {dict(outcome.statuses)}")
    assert not outcome.wrong, f"seed {number}, {outcome.report()}"
    assert outcome.cases >= 2000


@pytest.mark.full
@pytest.mark.parametrize("part", range(4))
def test_very_many_answers_are_what_the_document_says(
    part: int, fuzzer: Fuzzer, verified: Callable[..., None]
) -> None:
    """13,000 cases and more in each of four parts, 6 minutes each."""
    number = secrets.randbelow(2**32)
    outcome = fuzzer.run(FULL_EACH, number)
    assert not outcome.wrong, f"seed {number}, {outcome.report()}"
    assert outcome.cases >= 12_500
    verified(
        f"接口与它的说明相符（schemathesis，第{part + 1}组）",
        how_many=f"{outcome.cases:,}个请求，{len(ROLES)}种身份",
        result="0个5xx，0个说明以外的回答",
        seed=number,
    )


def test_every_route_is_described(world: World) -> None:
    document = world.app.state.api.openapi()
    labels = {
        f"{method.upper()} {path}": one
        for path, operations in document["paths"].items()
        for method, one in operations.items()
    }
    assert labels.keys() == ROUTES.keys()
    for label, one in labels.items():
        assert one["summary"] == ROUTES[label][0]
        assert set(one["tags"]) <= TAGS.keys(), label
        assert {"401", "403", "404", "409", "413", "422", "429", "503"} <= one["responses"].keys()
        assert "security" in one, label
