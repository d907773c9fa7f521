"""A network that makes what is near far away: bytes are passed on unchanged, each way so many seconds later."""
from __future__ import annotations

import asyncio
import sys


async def main(to: int, seconds: float) -> None:
    """Stand before that port of this machine until ended; the first line on standard output is `port N`."""

    async def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(_pass_on(reader, far_writer, seconds), _pass_on(far_reader, writer, seconds))

    server = await asyncio.start_server(come, "127.0.0.1", 0)
    sys.stdout.write(f"port {server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    clock = asyncio.get_running_loop()
    while data := await reader.read(65536):
        clock.call_later(seconds, writer.write, data)
    clock.call_later(seconds, writer.close)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
