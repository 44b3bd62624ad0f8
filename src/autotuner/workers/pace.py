"""How often workers beat and look, and for how long they wait: all times of this room.

A holder gives up before anybody takes over: `give_up_s` is well under `overdue_s`. What is taken
over goes on within a minute: `overdue_s`, two looks, a claim.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Seconds.

    Attributes:
        beat_s: from one beat of a holder to the next.
        give_up_s: without a beat that was written, after which a holder stops its engines.
        look_s: from one look at the others to the next.
        overdue_s: without a new beat, after which a holder is taken for dead.
        poll_s: from one look for a task to the next, and from one try to the next where the
            database is away.
        presence_s: from one beat of a worker itself to the next.
        stop_s: for an engine to end after it was told to, before it is killed.
    """

    beat_s: float = 2.0
    give_up_s: float = 40.0
    look_s: float = 2.0
    overdue_s: float = 50.0
    poll_s: float = 1.0
    presence_s: float = 5.0
    stop_s: float = 10.0


PACE = Pace()
