"""Handing a signed contract in through the API, as its seller."""

from typing import Any

import httpx

TOLD = {"related": False, "plan": "none", "ipr": "secret", "buyer_nature": "100"}


def handed_in(seller: httpx.Client, contract: str, **more: Any) -> str:
    """Return the id of a registration that waits for the bureau; `more` goes with each request."""
    begun = seller.post("/registrations", json={"contract": contract}, **more)
    assert begun.status_code == 201, begun.text
    path = f"/registrations/{begun.json()['id']}"
    file = ("合同.pdf", f"%PDF-1.7 {contract} {path}".encode(), "application/pdf")
    for answer in (
        seller.put(f"{path}/items", json=TOLD, **more),
        seller.post(f"{path}/file", files={"file": file}, **more),
        seller.post(f"{path}/hand-in", **more),
    ):
        assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "submitted"
    found: str = begun.json()["id"]
    return found
