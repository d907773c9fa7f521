from __future__ import annotations

import smtplib
import socket

import pytest

from tests.network import NetworkRefused


@pytest.mark.parametrize("host", ["mail.example.com", "192.0.2.1", "2001:db8::1"])
def test_no_mail_server_beyond_this_machine_is_reached(host: str) -> None:
    with pytest.raises(NetworkRefused, match=host):
        smtplib.SMTP(host, 25, timeout=1)


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1"])
def test_no_socket_leaves_this_machine(address: str) -> None:
    with socket.socket() as opened, pytest.raises(NetworkRefused):
        opened.connect_ex((address, 9))


def test_this_machine_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(("localhost", server.getsockname()[1]), timeout=5) as client:
            client.sendall(b"hello")
            accepted, _ = server.accept()

        assert accepted.recv(5) == b"hello"
        accepted.close()
