"""What a listener counts.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
from typing import Dict, TypedDict


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
