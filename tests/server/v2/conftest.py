"""Servers on ports of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streams_of_server import Streams, served

from autotuner.server.service import Service


@pytest.fixture
def streams(service: Service) -> Iterator[Streams]:
    with served(service) as found:
        yield found
