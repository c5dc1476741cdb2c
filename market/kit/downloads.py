"""A stored file as an answer: saved by the browser, never shown on our own origin."""

from typing import BinaryIO

from starlette.responses import StreamingResponse

from market.kit.files import blocks, download_headers


def as_download(stream: BinaryIO, name: str, media_type: str) -> StreamingResponse:
    """Send what is left of an open file in pieces, and close it."""
    return StreamingResponse(blocks(stream), media_type=media_type, headers=download_headers(name))
