"""The socket that the service listens on."""

from __future__ import annotations

import socket

from autotuner.server.app import listening_on


def test_no_part_of_an_answer_waits_for_the_part_before_to_be_acknowledged() -> None:
    with (
        listening_on("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
    ):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
