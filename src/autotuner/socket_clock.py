"""When data arrived at a socket, by the kernel's own clock where it keeps one.

A loop that is late reads late, and what it stamps then is its own delay. Linux notes for each
segment when it came (`SO_TIMESTAMPNS`, socket(7)), so a late read does not change a latency. The
stamp of a read is that of its last segment.
"""

from __future__ import annotations

import socket
import struct
import sys
import time

# asm-generic/socket.h: the option, which is also the kind of the control message; Python names it
# nowhere. The message is a `struct timespec` of CLOCK_REALTIME.
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@ll")

_ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)

AncillaryData = list[tuple[int, int, bytes]]


class SocketClock:
    """Data of one socket with its arrival times, in seconds of `time.perf_counter`."""

    def __init__(self, stamped: socket.socket) -> None:
        self._socket = stamped
        self._last_s = time.perf_counter()
        if sys.platform == "linux":
            try:
                stamped.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            except OSError:
                return  # a kernel without stamps, as in some sandboxes: arrival is when it is read

    def receive(self, most_bytes: int) -> tuple[bytes, float] | None:
        """What has come to a socket that does not block, and when; None where nothing has.

        No bytes say that the other side has closed, or that the connection is broken.
        """
        try:
            data, ancillary, _, _ = self._socket.recvmsg(most_bytes, _ANCILLARY_BYTES)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            return b"", time.perf_counter()
        return data, self.arrived_s(ancillary)

    def arrived_s(self, ancillary: AncillaryData) -> float:
        """When the data of a `recvmsg` came: between what came before it and now."""
        now_s, now_ns = time.perf_counter(), time.time_ns()
        arrived_s = now_s
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
                seconds, nanoseconds = _TIMESPEC.unpack(content[: _TIMESPEC.size])
                age_s = (now_ns - seconds * 1_000_000_000 - nanoseconds) / 1e9
                # A wall clock that is set in between would put it anywhere.
                arrived_s = min(max(now_s - age_s, self._last_s), now_s)
        self._last_s = arrived_s
        return arrived_s
