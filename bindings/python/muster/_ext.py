"""A msgpack ext that is not an array.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
from typing import NamedTuple


class Ext(NamedTuple):
    """A msgpack ext value, for what msgpack itself has no form for.

    An ext of type 1 that is a valid array arrives as a numpy array instead.
    """

    type: int
    """-128 to 127; numbers below 0 are msgpack's own (-1 is a timestamp)."""

    data: bytes
    """Its payload."""
