"""Frames of muster's protocol, right and wrong, as docs/protocol.md has them.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import os
import struct

DATA, CHUNK, HELLO, WELCOME, POSITIONS, WANT, GOODBYE, END = range(1, 9)
NOTHING = b"\x80"
MEBIBYTE = 1 << 20


def text(value):
    return bytes([0xd9, len(value)]) + value.encode()


def number(value):
    return b"\xcf" + struct.pack(">Q", value)


def plain(source, data=NOTHING, cmd="X"):
    return b"\x93" + text(source) + text(cmd) + data


def small_map(value):
    """{"a": value}"""
    return b"\x81\xa1a" + value


# Sessions


def new_session():
    return os.urandom(16)


def header(kind, session, epoch=1, fields=b""):
    return bytes([0xc7, 22 + len(fields), 0x4d, 1, kind]) + struct.pack(">I", epoch) + session + fields


def hello(session, source, fresh=True):
    flags = b"\xc3" if fresh else b"\xc2"
    return header(HELLO, session) + b"\x98" + text(source) + flags + b"\xc4\x10" + bytes(16) + bytes([7, 0, 0, 0, 0])


def want(session, use, need, wanted):
    return header(WANT, session) + b"\x94" + number(use) + number(need) + number(wanted) + b"\0"


def goodbye(session, last=0):
    return header(GOODBYE, session) + b"\x92" + number(last) + b"\xc2"


def data(session, position, body, count=1):
    return header(DATA, session, fields=struct.pack(">QI", position, count)) + body


def chunk(session, position, size, offset, piece):
    return header(CHUNK, session, fields=struct.pack(">QQQ", position, size, offset)) + piece


def credit_in(positions):
    """The credit that a POSITIONS of the listener gives."""
    at, value = 25 + 1, 0
    for _ in range(4):      # received, handled, refused, credit
        size = {0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8}.get(positions[at], 0)
        value = int.from_bytes(positions[at + 1:at + 1 + size], "big") if size else positions[at]
        at += 1 + size
    return value


# Messages that break a rule; each is small, for a listener whose peer may use the source


def refused(source):
    """A frame for each of many reasons, but none in another's name."""
    deep = b"\x91" * 100
    return [
        b"",                                                        # EMPTY
        plain(source)[:-1],                                         # TRUNCATED
        plain(source, small_map(b"\xc1")),                          # RESERVED
        b"\x92\x01\x02",                                            # SHAPE
        b"\x93\xa0\xa1X\x80",                                       # SOURCE
        b"\x93" + text(source) + b"\xc0\x80",                       # CMD
        plain(source, b"\x90"),                                     # DATA
        plain(source, small_map(b"\xa2\xc3\x28")),                  # UTF8
        plain(source, b"\x81\x01\x01"),                             # KEY
        plain(source, b"\x82\xa1a\x01\xa1a\x01"),                   # DUPLICATE
        plain(source, small_map(deep + b"\xc0")),                   # DEPTH
        header(DATA, bytes(16))[:20],                               # HEADER
        header(POSITIONS, bytes(16)),                               # HEADER: not here
        plain(source, small_map(b"\xdd\xff\xff\xff\xff")),          # TRUNCATED: four billion elements
        plain(source, small_map(b"\xdf\xff\xff\xff\xff")),          # TRUNCATED: four billion pairs
        plain(source, small_map(b"\xc6\xff\xff\xff\xff")),          # TRUNCATED: four billion bytes
        plain(source, small_map(b"\xdb\xff\xff\xff\xff")),          # TRUNCATED: a text of as many
        plain(source, small_map(b"\xc9\xff\xff\xff\xff\x01")),      # TRUNCATED: an ext of as many
        b"\xdd\xff\xff\xff\xff" + text(source),                     # SHAPE
    ]


def refused_at_its_end(source, size):
    """A frame of about this size that takes the longest to look at, and ends too early."""
    keys = b"".join(b"\xa1" + bytes([97 + i]) + b"\xc0" for i in range(15))
    element = b"\x8f" + keys
    count = size // len(element)
    return plain(source, small_map(b"\xdd" + struct.pack(">I", count + 1) + element * count))


# Session ids that have one hash, for a listener that hashed as uthash does (Jenkins, of 32 bits)

_MASK = 0xffffffff
_GOLDEN, _START = 0x9e3779b9, 0xfeedbeef


def _unmix(a, b, c):
    """The inverse of uthash's HASH_JEN_MIX."""
    for right, up, least in ((15, 10, 3), (5, 16, 12), (13, 8, 13)):
        c = ((c ^ b >> right) + a + b) & _MASK
        b = ((b ^ a << up) & _MASK) + c + a & _MASK
        a = ((a ^ c >> least) + b + c) & _MASK
    return a, b, c


def colliding_session():
    a, b, tail = struct.unpack("<3I", os.urandom(12))
    a, b, c = _unmix(a, b, 0)
    a, b, c = _unmix(a - tail & _MASK, b, c - 16 & _MASK)
    return struct.pack("<4I", a - _GOLDEN & _MASK, b - _GOLDEN & _MASK, c - _START & _MASK, tail)
