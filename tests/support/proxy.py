"""A TCP proxy that fails as it is told, between a program and a server that speaks HTTP.

A fault holds for open connections as for new ones. What comes back under GARBAGE, TRUNCATED and
RESET begins as the server's own answer.
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from enum import Enum
from urllib.parse import urlsplit

_CHUNK = 65_536
_RESET = struct.pack("ii", 1, 0)  # linger for no time: closing sends RST
_ERROR = (
    b"HTTP/1.1 500 Internal Server Error\r\nX-Elastic-Product: Elasticsearch\r\n"
    b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
)


class Fault(Enum):
    """What becomes of a request."""

    NONE = "passes"
    REFUSED = "nobody listens"
    UNANSWERED = "a connection is never made: SYN without an answer"
    SILENT = "taken, never answered"
    SLOW = "answered after `seconds`"
    ERROR = "answered with 500"
    GARBAGE = "answered with something else"
    TRUNCATED = "half an answer, then the end"
    RESET = "half an answer, then a reset"


class Proxy:
    """Listens on `url`, passes on to `target`. Close it at the end."""

    def __init__(self, target: str) -> None:
        address = urlsplit(target)
        self._target = (address.hostname or "127.0.0.1", address.port or 80)
        self._fault = Fault.NONE
        self.seconds = 5.0
        self._open: set[socket.socket] = set()
        self._fillers: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listening: socket.socket | None = None
        self._port = 0
        self._listen(backlog=128)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def fail(self, fault: Fault, seconds: float = 5.0) -> None:
        """Let it fail so from now on; `Fault.NONE` ends it."""
        self._fault, self.seconds = fault, seconds
        if fault in (Fault.REFUSED, Fault.UNANSWERED):
            self._stop_listening()
            self._drop()
        if fault is Fault.UNANSWERED:
            self._listen(backlog=0)
            self._fill()
        elif fault is not Fault.REFUSED:
            if self._fillers:
                self._stop_listening()
            if self._listening is None:
                self._listen(backlog=128)

    def close(self) -> None:
        self._stop_listening()
        self._drop()

    def _listen(self, backlog: int) -> None:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self._port))
        listening.listen(backlog)
        self._port = listening.getsockname()[1]
        self._listening = listening
        if backlog:
            threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def _fill(self) -> None:
        """Connections that nobody accepts, until the next is not even answered."""
        for _ in range(16):
            one = socket.socket()
            one.settimeout(0.2)
            self._fillers.append(one)
            try:
                one.connect(("127.0.0.1", self._port))
            except TimeoutError:
                return
        raise RuntimeError("the queue of connections does not fill up")

    def _stop_listening(self) -> None:
        if self._listening is not None:
            # A thread in accept() holds the port until it is woken.
            with contextlib.suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None
        for one in self._fillers:
            one.close()
        self._fillers.clear()

    def _drop(self) -> None:
        with self._lock:
            some = list(self._open)
        for one in some:
            _reset(one)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target, timeout=None)
        except OSError:
            client.close()
            return
        with self._lock:
            self._open |= {client, server}
        back = threading.Thread(target=self._answer, args=(client, server), daemon=True)
        back.start()
        try:
            with contextlib.suppress(OSError):
                for request in _requests(client):
                    if self._fault is Fault.ERROR:
                        client.sendall(_ERROR)
                    elif self._fault is not Fault.SILENT:
                        server.sendall(request)
        finally:
            with self._lock:
                self._open -= {client, server}
            for one in (server, client):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            back.join()
            server.close()
            client.close()

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while answer := server.recv(_CHUNK):
                fault = self._fault
                if fault is Fault.SLOW:
                    time.sleep(self.seconds)
                if fault is Fault.SILENT:
                    continue
                head, end, body = answer.partition(b"\r\n\r\n")
                if not end:  # the headers came before
                    head, body = b"", answer
                if fault is Fault.GARBAGE:
                    answer = head + end + b"?" * len(body)
                half = len(head) + len(end) + len(body) // 2
                cut = fault in (Fault.TRUNCATED, Fault.RESET)
                client.sendall(answer[:half] if cut else answer)
                if fault is Fault.RESET:
                    _reset(client)
                elif fault is Fault.TRUNCATED:
                    client.shutdown(socket.SHUT_RDWR)


def _requests(client: socket.socket) -> Iterator[bytes]:
    """Whole requests: headers, and as much as Content-Length says."""
    buffered = b""
    while more := client.recv(_CHUNK):
        buffered += more
        while b"\r\n\r\n" in buffered:
            head, _, _ = buffered.partition(b"\r\n\r\n")
            lines = (line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
            length = next((int(line[1]) for line in lines if line[0] == b"content-length"), 0)
            whole = len(head) + 4 + length
            if len(buffered) < whole:
                break
            yield buffered[:whole]
            buffered = buffered[whole:]


def _reset(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        # Closing alone ends nothing while another thread reads from it.
        one.shutdown(socket.SHUT_RD)
        one.close()
