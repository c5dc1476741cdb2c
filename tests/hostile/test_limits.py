"""How much a request may bring: much only where files are sent, whatever the sender says it is."""

import pytest
from fastapi.testclient import TestClient

from infra.limits import MAX_PLAIN, TAKES_FILES
from market.api import PREFIX
from tests.infra.world import World

BOUNDARY = "multipart/form-data; boundary=x"


def sent(world: World, path: str, size: int) -> int:
    body = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    with TestClient(world.app, base_url="http://127.0.0.1") as client:
        answer = client.post(
            path, content=body + b"1" * size + b"\r\n--x--\r\n", headers={"content-type": BOUNDARY}
        )
    return answer.status_code


@pytest.mark.parametrize("path", [f"{PREFIX}/people", f"{PREFIX}/tokens", "/login", "/search"])
def test_a_form_with_files_is_no_way_around_the_limit(world: World, path: str) -> None:
    assert sent(world, path, MAX_PLAIN) == 413
    assert sent(world, path, 1000) != 413


def test_files_get_through_where_they_are_sent(world: World) -> None:
    one = "abcdefgh234567"
    for path in (
        f"{PREFIX}/my/imports",
        "/my/imports",
        f"/my/listings/{one}/proofs",
        f"/deals/{one}/files",
        f"/deals/{one}/kept",
        f"/payments/{one}/slips",
        f"/deals/{one}/objections/1",
        f"/mandates/{one}/evidence",
        "/registrations/new",
        f"/registrations/{one}/edit",
    ):
        assert sent(world, path, 2 * MAX_PLAIN) != 413


def test_every_route_that_takes_a_file_is_named(world: World) -> None:
    document = world.app.state.api.openapi()
    takes = {
        f"{PREFIX}{path}"
        for path, operations in document["paths"].items()
        for one in operations.values()
        if "multipart/form-data" in one.get("requestBody", {}).get("content", {})
    }
    assert len(takes) >= 2
    assert [path for path in sorted(takes) if not TAKES_FILES.fullmatch(path)] == []
