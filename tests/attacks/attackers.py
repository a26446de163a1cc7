"""Attackers: each a process that does one thing to a listener, as hard as it can or at a rate.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: attackers.py NAME TARGET, the target as JSON

Says "ready" on stdout when the attack is in full swing, and goes on until its
stdin ends. An attack is a generator: each step is short, and yields True once
the attack is in full swing.
"""
import errno
import json
import os
import select
import socket
import sys
import threading
import time

import frames
import zmtp

ATTACKS = {}
STEP = 0.02         # seconds that a step waits, if it waits
PARTS = (b"", zmtp.greeting(b"CURVE")[:10], zmtp.greeting(b"CURVE")[:40])
MIB = 1 << 20
FRAME_LIMIT = 64 * MIB
CURVE_OVERHEAD = 64


def attack(function):
    ATTACKS[function.__name__] = function
    return function


class Target:
    """A listener, and what the attacker has: the listener's public key and a key that is enrolled for "thief"."""

    def __init__(self, given):
        self.pull, self.router = given["pull"], given["router"]
        self.server = bytes.fromhex(given["server"])
        self.keys = tuple(bytes.fromhex(key) for key in given["keys"])
        self.connections = given.get("connections", 100)
        self.steady = given.get("steady", True)     # what the listener cuts off is replaced
        self.limit = given.get("limit", FRAME_LIMIT)

    def both(self):
        """The two endpoints, again and again."""
        while True:
            yield self.pull
            yield self.router

    def enrolled(self, kind, identity=b""):
        peer = zmtp.Peer(self.pull if kind == "PUSH" else self.router)
        peer.open_curve(zmtp.Curve(self.server, self.keys), kind, identity)
        return peer

    def session(self, source="thief"):
        """A DEALER that was welcomed, and its session."""
        dealer, session = self.enrolled("DEALER"), frames.new_session()
        dealer.send_message(frames.hello(session, source))
        dealer.receive_frame()
        return dealer, session


class Crowd:
    """Connections that say nothing unless they are told to; which of them the listener closed is known."""

    def __init__(self):
        self._poll = select.epoll()
        self._peers = {}

    def __len__(self):
        return len(self._peers)

    def __iter__(self):
        return iter(list(self._peers.values()))

    def add(self, peer):
        """peer is a socket or has one."""
        number = getattr(peer, "socket", peer).fileno()
        self._peers[number] = peer
        self._poll.register(number, select.EPOLLRDHUP | select.EPOLLHUP)

    def drop_closed(self):
        for number, _ in self._poll.poll(0):
            self._peers.pop(number).close()


# Connections that say nothing, or not all


def fill(crowd, many, make):
    """Steps that bring a crowd to its size and keep it so."""
    while True:
        crowd.drop_closed()
        for _ in range(min(100, many - len(crowd))):
            try:
                crowd.add(make())
            except OSError as error:
                if error.errno != errno.ECONNRESET:
                    raise
        yield len(crowd) >= many


def keep(target, make, step=lambda crowd: None):
    crowd = Crowd()
    full = False
    for is_full in fill(crowd, target.connections, make):
        full = full or is_full
        step(crowd)
        yield full
        if full:
            time.sleep(STEP)
        if full and not target.steady:
            break
    while True:
        step(crowd)
        crowd.drop_closed()
        time.sleep(STEP)
        yield True


@attack
def half_open(target):
    """Connections that are silent, or send a part of the greeting."""
    endpoints, turn = target.both(), [0]

    def make():
        connection = zmtp.connect(next(endpoints))
        turn[0] += 1
        connection.sendall(PARTS[turn[0] // 2 % len(PARTS)])
        return connection
    yield from keep(target, make)


@attack
def silent_flood(target):
    """1,000 new connections a second that never speak; the listener closes them."""
    crowd, endpoints = Crowd(), target.both()
    began, made = time.monotonic(), 0
    while True:
        due = int((time.monotonic() - began) * 1000)
        for _ in range(due - made):
            crowd.add(zmtp.connect(next(endpoints)))
        made = due
        crowd.drop_closed()
        time.sleep(0.005)
        yield made > 500


@attack
def reset_flood(target):
    """Connections that are reset at once, as many as it can."""
    endpoints = target.both()
    while True:
        for _ in range(100):
            zmtp.connect(next(endpoints)).close()
        yield True


def dribble(target, prepare):
    """Connections that send what prepare(peer) returns byte by byte."""
    endpoints = target.both()

    def make():
        peer = zmtp.Peer(next(endpoints))
        peer.rest = prepare(peer)
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return peer

    def step(crowd):
        for peer in crowd:
            try:
                peer.send(peer.rest[:1])
            except OSError:
                continue
            peer.rest = peer.rest[1:] or b"\0"
        time.sleep(0.1)
    yield from keep(target, make, step)


@attack
def slow_greeting(target):
    yield from dribble(target, lambda peer: zmtp.greeting(b"CURVE"))


@attack
def slow_hello(target):
    def prepare(peer):
        peer.send(zmtp.greeting(b"CURVE"))
        return zmtp.Curve(target.server).hello()
    yield from dribble(target, prepare)


@attack
def slow_initiate(target):
    def prepare(peer):
        curve = zmtp.Curve(target.server, target.keys)
        peer.say_hello(curve)
        return curve.initiate(zmtp.metadata("PUSH"))
    yield from dribble(target, prepare)


@attack
def slow_frame(target):
    """After the handshake a frame's length, and then its bytes."""
    def prepare(peer):
        peer.open_curve(zmtp.Curve(target.server, target.keys), "PUSH")
        return zmtp.long_head(FRAME_LIMIT) + bytes(1000)
    target.router = target.pull
    yield from dribble(target, prepare)


@attack
def silent_dealer(target):
    """Enrolled, and never says hello."""
    yield from keep(target, lambda: target.enrolled("DEALER"))


def beat(dealer, session):
    dealer.send_message(frames.header(frames.POSITIONS, session) + b"\x95\0\0\0\0\0")


@attack
def stopped_piece(target):
    """A session that has credit for a large message, and sends one piece of it."""
    size = 500 * MIB
    dealer, session = target.session()
    dealer.send_message(frames.want(session, 0, size, size))
    credit = 0
    while credit < size:
        body = dealer.receive_frame()[1]
        plain = dealer.curve.open_message(body)
        if plain[4] == frames.POSITIONS:
            credit = frames.credit_in(plain)
    push = target.enrolled("PUSH")
    push.send_message(frames.chunk(session, 1, size, 0, bytes(MIB)))
    while True:
        beat(dealer, session)
        time.sleep(0.2)
        yield True


# Sizes that are declared


@attack
def declared_command(target):
    """Before the handshake a command of 4 GB."""
    endpoints = target.both()
    while True:
        connection = zmtp.connect(next(endpoints))
        connection.sendall(zmtp.greeting(b"CURVE") + zmtp.long_head(1 << 32, zmtp.COMMAND))
        connection.close()
        yield True


@attack
def declared_frame(target):
    """After it a frame of 4 GB."""
    while True:
        for kind in ("PUSH", "DEALER"):
            peer = target.enrolled(kind)
            peer.send(zmtp.long_head(1 << 32))
            peer.close()
        yield True


@attack
def declared_limit(target):
    """A frame of as much as is allowed, of which nothing comes."""
    def make():
        peer = target.enrolled("PUSH")
        peer.send(zmtp.long_head(FRAME_LIMIT))
        return peer
    yield from keep(target, make)


@attack
def declared_message(target):
    """A piece of a message of nearly 4 GB."""
    push, dealer = target.enrolled("PUSH"), target.enrolled("DEALER")
    while True:
        session = frames.new_session()
        dealer.send_message(frames.hello(session, "thief"))
        dealer.receive_frame()
        push.send_message(frames.chunk(session, 1, (1 << 32) - 1, 0, b"x"))
        yield True


# Refused frames, at full speed


def push_with_keys(target, high_water_mark):
    import zmq      # pylint: disable=import-outside-toplevel
    push = zmq.Context().socket(zmq.PUSH)
    push.curve_serverkey = zmtp.z85_encode(target.server).encode()
    push.curve_publickey, push.curve_secretkey = (zmtp.z85_encode(key).encode() for key in target.keys)
    push.sndhwm = high_water_mark
    push.sndtimeo = 100
    push.connect("tcp://%s:%d" % tuple(target.pull))
    return push, zmq.Again


@attack
def refused_small(target):
    push, again = push_with_keys(target, 1000)
    kinds = [*frames.refused("thief"), frames.plain("honest"), frames.plain("honest", frames.small_map(b"\xc5\xea\x60" + bytes(60000)))]
    sent = 0
    while True:
        for frame in kinds * 20:
            try:
                push.send(frame, copy=len(frame) < 1000)
                sent += 1
            except again:
                pass
        push.send_multipart([b"a", b"b"])
        yield sent > 10000


@attack
def refused_large(target):
    """Frames near the limit that are refused when they have been looked at whole."""
    push, again = push_with_keys(target, 2)
    frame = frames.refused_at_its_end("thief", target.limit - target.limit // 64)
    sent = 0
    while True:
        try:
            push.send(frame, copy=False)
            sent += 1
        except again:
            pass
        yield sent > 3


# Handshakes, at full speed


@attack
def garbage_keys(target):
    """Keys that nobody enrolled, and every other time a listener's that is another's."""
    endpoints = target.both()
    stranger, other = zmtp.new_keys(), zmtp.new_keys()[0]
    while True:
        for _ in range(10):
            peer = zmtp.Peer(next(endpoints))
            peer.open_curve(zmtp.Curve(target.server, stranger), "PUSH")
            peer.close()
            peer = zmtp.Peer(next(endpoints))
            peer.send(zmtp.greeting(b"CURVE") + zmtp.Curve(other).hello())
            peer.close()
        yield True


@attack
def replayed(target):
    """The bytes of a handshake that went well, again and again; no keys are needed for that."""
    recorded = zmtp.Curve(target.server, target.keys)
    peer = zmtp.Peer(target.pull)
    hello = zmtp.greeting(b"CURVE") + recorded.hello()
    peer.send(hello)
    peer.receive(64)
    recorded.take_welcome(peer.receive_frame()[1])
    initiate = recorded.initiate(zmtp.metadata("PUSH"))
    peer.send(initiate)
    peer.receive_frame()
    endpoints = target.both()
    while True:
        for _ in range(10):
            again = zmtp.Peer(next(endpoints))
            again.send(hello)
            again.receive(64)
            again.receive_frame()
            again.send(initiate)
            again.close()
        yield True


@attack
def endless_metadata(target):
    """Properties by the million in a handshake with a key that nobody enrolled."""
    count = target.limit // 10
    data = zmtp.metadata("PUSH") + b"".join(
        b"\x04" + number.to_bytes(4, "big") + bytes(4) for number in range(count))
    while True:
        peer, curve = zmtp.Peer(target.pull), zmtp.Curve(target.server)
        try:
            peer.say_hello(curve)
            yield True
            peer.send(curve.initiate(data))
            peer.receive_frame()
        except (OSError, EOFError):
            pass
        peer.close()


# Presences


@attack
def join_and_leave(target):
    """A new connection and session each time, which leaves at once."""
    joined = 0
    while True:
        dealer, session = target.session()
        dealer.send_message(frames.goodbye(session))
        dealer.close()
        joined += 1
        yield joined > 200


def read_all(peer):
    """In a thread: what comes is of no interest."""
    def run():
        while peer.socket.recv(MIB):
            pass
    peer.socket.settimeout(None)
    threading.Thread(target=run, daemon=True).start()


def say_hellos(target, new_session):
    dealer = target.enrolled("DEALER")
    read_all(dealer)
    said = 0
    while True:
        dealer.send(b"".join(dealer.encode(frames.hello(new_session(), "thief")) for _ in range(100)))
        said += 100
        yield said > 2000


@attack
def fresh_hellos(target):
    """One connection that says hello for one fresh session after the other."""
    yield from say_hellos(target, frames.new_session)


@attack
def colliding_hellos(target):
    """The same with session ids that would be one to uthash's own hash."""
    yield from say_hellos(target, frames.colliding_session)


# The way back


@attack
def taken_route(target):
    """Under a routing id that another connection of its own has, again and again."""
    while True:
        holder = target.enrolled("DEALER", b"mine")
        holder.send_message(b"x")
        second = target.enrolled("DEALER", b"mine")
        second.send_message(bytes(10000))
        holder.close()
        second.close()
        yield True


# The process


def has_input_ended():
    return bool(select.select([sys.stdin], [], [], 0)[0])


def main(name, given):
    target = Target(json.loads(given))
    said = False
    for ready in ATTACKS[name](target):
        if ready and not said:
            said = True
            print("ready", flush=True)
        if has_input_ended():
            break
    sys.stdout.flush()
    os._exit(0)     # what it has goes with it, whatever threads still read


if __name__ == "__main__":
    main(*sys.argv[1:])
