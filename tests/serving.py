"""An app that answers on a port of this machine."""
from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from flask import Flask
from waitress import create_server


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Its address, until the block ends."""
    server = create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=_answer, args=(server,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()
        thread.join(timeout=5)


def _answer(server: Any) -> None:
    with suppress(OSError):  # its socket is closed while it waits there
        server.run()
