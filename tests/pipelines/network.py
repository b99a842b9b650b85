"""Ways to a bucket's server: straight, and through a relay that drops connections."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest

from pipelines.storage import buckets


def use_endpoint(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Have buckets looked for at a port of this machine."""
    for name, value in (
        ("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    buckets._store.cache_clear()


@dataclass
class Relay:
    """Passes bytes on to a port; ``drop_after`` resets each connection after so many bytes from the server.

    Attributes:
        cut_after: the same after so many bytes to the server, which gets the beginning of a request.
        cuts: how many connections are still to be cut so.
        drops: how many connections are still to be dropped.
    """

    target: int
    port: int = 0
    drop_after: int = 0
    drops: int = 0
    dropped: int = 0
    cut_after: int = 0
    cuts: int = 0
    cut: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def carry(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self.target))
        back = threading.Thread(target=self._back, args=(server, client), daemon=True)
        back.start()
        with suppress(OSError):
            passed = 0
            while data := client.recv(65_536):
                server.sendall(data)
                passed += len(data)
                with self.lock:
                    if not (self.cuts and passed > self.cut_after):
                        continue
                    self.cuts, self.cut = self.cuts - 1, self.cut + 1
                for end in (client, server):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.shutdown(socket.SHUT_RDWR)
                break
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)
        back.join()
        server.close()
        client.close()

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        passed = 0
        with suppress(OSError):
            while data := server.recv(65_536):
                with self.lock:
                    # Decided before anything is passed on: who has all of an answer does not notice the reset.
                    if dropping := self.drops > 0 and passed + len(data) > self.drop_after:
                        self.drops, self.dropped = self.drops - 1, self.dropped + 1
                if dropping:
                    client.sendall(data[: max(0, self.drop_after - passed)])
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
                client.sendall(data)
                passed += len(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


@contextmanager
def relaying(target: int) -> Iterator[Relay]:
    """Run a relay to a port of this machine."""
    relay = Relay(target)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        relay.port = listener.getsockname()[1]
        threading.Thread(target=_accept, args=(listener, relay), daemon=True).start()
        yield relay
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, relay: Relay) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=relay.carry, args=(client,), daemon=True).start()
