"""ZMTP 3.0 by hand, with and without CURVE, for peers that keep no rules.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

What a peer says is bytes, made here and sent by whoever wants to, whole or in
parts. libsodium is met by ctypes: ZeroMQ's CURVE comes with it.
"""
import ctypes
import ctypes.util
import os
import random
import socket
import struct

MORE, LONG, COMMAND = 1, 2, 4
BOX_MORE = 16       # what a box is longer than what is in it
TIMEOUT = 60

_sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


# What is said in the open


def greeting(mechanism):
    return b"\xff" + bytes(8) + b"\x7f\x03\x00" + mechanism.ljust(20, b"\0") + bytes(32)


def frame(body, flags=0):
    if len(body) < 256:
        return bytes([flags, len(body)]) + body
    return bytes([flags | LONG]) + struct.pack(">Q", len(body)) + body


def long_head(size, flags=0):
    """The head of a frame of so many bytes, which need not follow."""
    return bytes([flags | LONG]) + struct.pack(">Q", size)


def properties(pairs):
    return b"".join(bytes([len(name)]) + name + struct.pack(">I", len(value)) + value for name, value in pairs)


def metadata(kind, identity=b""):
    """kind is "PUSH" or "DEALER"."""
    return properties([(b"Socket-Type", kind.encode()), (b"Identity", identity)])


def ready(data):
    """The only command of a handshake without keys."""
    return frame(b"\x05READY" + data, COMMAND)


# Keys


def z85_encode(data):
    numbers = struct.unpack(">%dI" % (len(data) // 4), data)
    return "".join(_Z85[number // 85 ** (4 - i) % 85] for number in numbers for i in range(5))


def z85_decode(text):
    numbers = [_Z85.index(character) for character in text]
    blocks = (numbers[at:at + 5] for at in range(0, len(numbers), 5))
    return b"".join(struct.pack(">I", sum(n * 85 ** (4 - i) for i, n in enumerate(block))) for block in blocks)


def write_keys(name, keys):
    """NAME.key and NAME.pub, as muster keygen makes them."""
    public, secret = map(z85_encode, keys)
    lines = ["metadata", "curve", '    public-key = "%s"' % public]
    with open(os.open(name + ".pub", os.O_WRONLY | os.O_CREAT, 0o644), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    with open(os.open(name + ".key", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join([*lines, '    secret-key = "%s"' % secret]) + "\n")


def new_keys():
    """(public, secret)"""
    public, secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
    _sodium.crypto_box_keypair(public, secret)
    return public.raw, secret.raw


def box(plain, nonce, public, secret):
    out = ctypes.create_string_buffer(len(plain) + BOX_MORE)
    if _sodium.crypto_box_easy(out, plain, ctypes.c_ulonglong(len(plain)), nonce, public, secret):
        raise ValueError("box")
    return out.raw


def open_box(cipher, nonce, public, secret):
    out = ctypes.create_string_buffer(len(cipher) - BOX_MORE)
    if _sodium.crypto_box_open_easy(out, cipher, ctypes.c_ulonglong(len(cipher)), nonce, public, secret):
        raise ValueError("what came is not for us")
    return out.raw


class Curve:
    """A client's side of one CURVE connection: the bytes of each step."""

    def __init__(self, server, keys=None):
        self.server = server
        self.public, self.secret = keys or new_keys()
        self.short_public, self.short_secret = new_keys()
        self._nonce = 0
        self._shared = self._server_short = self._cookie = None

    def _next_nonce(self):
        self._nonce += 1
        return struct.pack(">Q", self._nonce)

    def hello(self):
        nonce = self._next_nonce()
        sealed = box(bytes(64), b"CurveZMQHELLO---" + nonce, self.server, self.short_secret)
        return frame(b"\x05HELLO\x01\x00" + bytes(72) + self.short_public + nonce + sealed, COMMAND)

    def take_welcome(self, body):
        if body[:8] != b"\x07WELCOME":
            raise ValueError(body[:8])
        plain = open_box(body[24:], b"WELCOME-" + body[8:24], self.server, self.short_secret)
        self._server_short, self._cookie = plain[:32], plain[32:]
        self._shared = ctypes.create_string_buffer(32)
        _sodium.crypto_box_beforenm(self._shared, self._server_short, self.short_secret)

    def initiate(self, data):
        salt = os.urandom(16)
        vouch = box(self.short_public + self.server, b"VOUCH---" + salt, self._server_short, self.secret)
        nonce = self._next_nonce()
        sealed = box(self.public + salt + vouch + data, b"CurveZMQINITIATE" + nonce,
                     self._server_short, self.short_secret)
        return frame(b"\x08INITIATE" + self._cookie + nonce + sealed, COMMAND)

    def message(self, body, flags=0):
        """A frame of a message; flags as in the open: MORE, COMMAND."""
        nonce = self._next_nonce()
        plain = bytes([flags]) + body
        out = ctypes.create_string_buffer(len(plain) + BOX_MORE)
        _sodium.crypto_box_easy_afternm(out, plain, ctypes.c_ulonglong(len(plain)),
                                        b"CurveZMQMESSAGEC" + nonce, self._shared)
        return frame(b"\x07MESSAGE" + nonce + out.raw)

    def open_message(self, body):
        """What is in a frame that the listener sent."""
        out = ctypes.create_string_buffer(len(body) - 16 - BOX_MORE)
        if _sodium.crypto_box_open_easy_afternm(out, body[16:], ctypes.c_ulonglong(len(body) - 16),
                                                b"CurveZMQMESSAGES" + body[8:16], self._shared):
            raise ValueError("what came is not for us")
        return out.raw[1:]


# Connections


def connect(address):
    """A connection that leaves nothing behind when it is closed, from one host of the loopback or another:
    none of them runs out of ports."""
    result = socket.socket()
    result.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    result.bind(("127.%d.%d.%d" % tuple(random.randrange(1, 255) for _ in range(3)), 0))
    result.connect(tuple(address))
    return result


class Peer:
    """A connection to one endpoint of a listener, blocking."""

    def __init__(self, address):
        """address is (host, port)"""
        self.socket = connect(address)
        self.socket.settimeout(TIMEOUT)
        self.curve = None
        self._rest = b""

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, size):
        while len(self._rest) < size:
            block = self.socket.recv(1 << 16)
            if not block:
                raise EOFError
            self._rest += block
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def receive_frame(self):
        """The next frame: (flags, body)."""
        flags = self.receive(1)[0]
        size = struct.unpack(">Q", self.receive(8))[0] if flags & LONG else self.receive(1)[0]
        return flags, self.receive(size)

    def open(self, kind, identity=b""):
        """Shake hands, without keys."""
        self.send(greeting(b"NULL"))
        self.receive(64)
        self.send(ready(metadata(kind, identity)))
        self.receive_frame()

    def open_curve(self, curve, kind, identity=b""):
        self.say_hello(curve)
        self.send(curve.initiate(metadata(kind, identity)))
        self.receive_frame()

    def say_hello(self, curve):
        """Shake hands with CURVE up to the listener's welcome."""
        self.curve = curve
        self.send(greeting(b"CURVE") + curve.hello())
        self.receive(64)
        curve.take_welcome(self.receive_frame()[1])

    def encode(self, body, flags=0):
        return self.curve.message(body, flags) if self.curve else frame(body, flags)

    def send_message(self, body, flags=0):
        self.send(self.encode(body, flags))
