"""Ports of this machine for servers of tests."""
from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_port() -> Iterator[int]:
    """A port at which nobody listens, and which nobody else gets until the block ends: a server of ours may come and go
    there."""
    with socket.socket() as keeper:
        # Linux lets others bind it too who also say so, such as every server of ours.
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]
