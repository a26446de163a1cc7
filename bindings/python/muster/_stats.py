"""What a listener counts.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
from typing import Dict, List, TypedDict


class WorkerStats(TypedDict):
    """What a listener knows of one worker, here or absent."""

    source: str
    address: str
    """As its last hello came; "" if there is none."""
    session: str
    """Its id, in hexadecimal."""
    present: bool
    received: int
    """Messages of this session taken in."""
    received_bytes: int
    """Their bytes."""
    handled: int
    """Of these, those that are handled."""
    handled_bytes: int
    """Their bytes."""
    coming: int
    """Bytes of a message in pieces that have come; 0: none is coming."""
    coming_bytes: int
    """Of how many."""
    commands: int
    """Commands to it that it has not handled."""
    commands_bytes: int
    """Memory that they take."""
    silent_ms: int
    """Since it was heard last."""
    round_trip_us: int
    """Of its newest connection, as the worker measured last; 0: not known yet."""


class Stats(TypedDict):
    """Counts since the listener was made, and gauges of the moment."""

    received: int
    """Messages taken in."""
    received_bytes: int
    """Their bytes."""
    handled: int
    """Messages whose handler has returned."""
    failed: int
    """Of these, those whose handler raised."""
    unhandled: int
    """Of these, those that found no handler."""
    rejected: int
    """Frames refused, for any reason."""
    refused: Dict[str, int]
    """The same by reason, those that there were: {"UTF8": 2}."""
    stale: int
    """Session frames of an older epoch or an unknown session."""
    gaps: int
    """Session frames that came when one before them was missing."""
    duplicates: int
    """Messages that had come before."""
    dropped: int
    """Messages that stop left undrained, or whose key was revoked."""
    joined: int
    """Presences begun."""
    disconnects: int
    """Connections that ended."""
    workers: int
    """Gauge: workers present."""
    sessions: int
    """Gauge: sessions kept, absent ones too."""
    queued: int
    """Gauge: messages received and not handled."""
    queued_bytes: int
    """Gauge: their bytes."""
    budget: int
    """Gauge: the receive budget, in bytes; 0 before the first start."""
    committed: int
    """Gauge: bytes of it that are promised to workers or taken by messages."""
    timed: int
    """Messages whose handler's time was taken."""
    timed_us: int
    """Microseconds of them all."""
    times: List[int]
    """They by time: the first less than a microsecond, number i less than 2**i of them."""
    roster: List[WorkerStats]
    """Each worker, absent ones too, sorted by source."""
