"""A tcp proxy between workers and a listener, which fails as it is told.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

It forwards a listener's two endpoints, "data" and "return", from two ports of
its own that stand to each other as the listener's do. One thread forwards;
what the methods ask for has happened when they return.
"""
import collections
import errno
import queue
import selectors
import socket
import struct
import threading
import time

KINDS = ("data", "return")
BLOCK = 1 << 16
# What is under way in one direction of one connection, at most. With a delay
# it bounds the throughput, so it is larger then.
HELD = 1 << 18
HELD_DELAYED = 1 << 25
RESET = struct.pack("ii", 1, 0)
TIMEOUT = 60


class Way:
    """One direction of a connection: what came from source and goes to sink."""

    def __init__(self, source, sink):
        self.source = source
        self.sink = sink
        self.blocks = collections.deque()
        self.held = 0
        self.ended = False

    def put(self, block, due):
        self.blocks.append((due, block))
        self.held += len(block)


class Link:
    """A connection of a worker and the one to the listener that it is joined to."""

    def __init__(self, kind, near, far, mode):
        self.kind = kind
        self.near = near
        self.far = far
        self.mode = mode
        self.connected = False
        self.up = Way(near, far)
        self.down = Way(far, near)
        self.events = {near: 0, far: 0}


class Proxy:
    """Forwards to host:port and host:port+1. Close it when done.

    `which` is "data", "return" or None for both. A mode holds for the
    connections that are there and, with `future`, for those that come.
    """

    def __init__(self, host, port, address="127.0.0.1"):
        self._targets = {"data": (host, port), "return": (host, port + 1)}
        self._doors = dict(zip(KINDS, bind_pair(address)))
        self._names = {kind: door.getsockname() for kind, door in self._doors.items()}
        self.endpoint = "tcp://%s:%d" % self._names["data"]
        self.accepted = {kind: [] for kind in KINDS}  # when each connection came, monotonic seconds
        self.resets = dict.fromkeys(KINDS, 0)         # connections that were cut
        self.failed_at = None                         # when truncate or stall_after came to its end
        self._links = set()
        self._modes = dict.fromkeys(KINDS, "forward")
        self._quotas = dict.fromkeys(KINDS)
        self._delay = 0.0
        self._orders = queue.Queue()
        self._selector = selectors.DefaultSelector()
        self._bell, self._ear = socket.socketpair()
        self._ear.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ, None)
        for kind in KINDS:
            self._open_door(kind)
        self._running = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # What a test asks for

    def cut(self, which=None):
        """Reset all connections; returns how many there were."""
        return self._order(lambda: self._cut(which))

    def truncate(self, size, which="data"):
        """Forward so many more bytes, both ways counted, and then cut."""
        self._order(lambda: self._set_quota(which, size, lambda: self._cut(which)))

    def stall_after(self, size, which="data", future=True):
        """Forward so many more bytes, both ways counted, and then stall."""
        self._order(lambda: self._set_quota(which, size, lambda: self._set_mode(which, "stall", future)))

    def has_failed(self, which="data"):
        """Has the last truncate or stall_after come to its end?"""
        return self._quotas[which] is None

    def stall(self, which=None, future=True):
        """Read and forward nothing; connections stay, and new ones get no answer."""
        self._order(lambda: self._set_mode(which, "stall", future))

    def blackhole(self, which=None, future=False):
        """Read all and forward nothing; what was read is gone."""
        self._order(lambda: self._set_mode(which, "blackhole", future))

    def resume(self, which=None):
        """Forward again, what waits first. A connection that lost bytes in a black hole is reset."""
        self._order(lambda: self._set_mode(which, "forward", True))

    def refuse(self, which=None):
        """Refuse new connections; those that are there stay."""
        self._order(lambda: [self._close_door(kind) for kind in kinds(which)])

    def accept(self, which=None):
        """Take new connections again."""
        self._order(lambda: [self._open_door(kind) for kind in kinds(which)])

    def delay(self, milliseconds):
        """Deliver each byte that comes from now on so much later, in order."""
        self._order(lambda: setattr(self, "_delay", milliseconds / 1000))

    def open(self, which=None):
        """How many connections there are."""
        return self._order(lambda: sum(link.kind in kinds(which) for link in self._links))

    def close(self):
        """End the thread and all connections. Once more is harmless."""
        if self._thread.is_alive():
            self._order(self._stop)
            self._thread.join()
            self._bell.close()

    # The thread

    def _order(self, action):
        answer = queue.Queue()
        self._orders.put((action, answer))
        self._bell.send(b"!")
        result = answer.get(timeout=TIMEOUT)
        if isinstance(result, BaseException):
            raise result
        return result

    def _run(self):
        while self._running:
            for key, events in self._selector.select(self._patience()):
                if key.fileobj is self._ear:
                    self._obey()
                elif isinstance(key.data, Link):
                    self._serve(key.data, key.fileobj, events)
                elif self._is_door(key):
                    self._welcome(key.data)
            if self._delay:
                self._deliver_due()

    def _is_door(self, key):
        """An earlier event of the same round may have closed it."""
        return self._doors.get(key.data) is key.fileobj

    def _patience(self):
        """How long until a delayed block is due; None if none waits."""
        now = time.monotonic()
        dues = [way.blocks[0][0] for link in self._links if link.mode == "forward"
                for way in (link.up, link.down) if way.blocks]
        return min((due - now for due in dues if due > now), default=None)

    def _deliver_due(self):
        for link in list(self._links):
            if link in self._links:
                self._refresh(link)

    def _obey(self):
        self._ear.recv(BLOCK)
        while not self._orders.empty():
            action, answer = self._orders.get()
            try:
                answer.put(action())
            except Exception as error:
                answer.put(error)

    def _stop(self):
        self._running = False
        self._cut(None)
        for kind in KINDS:
            self._close_door(kind)
        self._selector.close()
        self._ear.close()

    # Connections begin and end

    def _open_door(self, kind):
        if self._doors[kind] is None:
            self._doors[kind] = listening(self._names[kind])
        self._doors[kind].setblocking(False)
        self._selector.register(self._doors[kind], selectors.EVENT_READ, kind)

    def _close_door(self, kind):
        if self._doors[kind] is not None:
            self._selector.unregister(self._doors[kind])
            self._doors[kind].close()
            self._doors[kind] = None

    def _welcome(self, kind):
        try:
            near, _ = self._doors[kind].accept()
        except (BlockingIOError, ConnectionError):
            return
        far = socket.socket()
        for side in (near, far):
            side.setblocking(False)
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(kind, near, far, self._modes[kind])
        self.accepted[kind].append(time.monotonic())
        self._links.add(link)
        result = far.connect_ex(self._targets[kind])
        if result not in (0, errno.EINPROGRESS):
            self._reset(link)
        else:
            self._refresh(link)

    def _cut(self, which):
        links = [link for link in self._links if link.kind in kinds(which)]
        for link in links:
            self._reset(link)
            self.resets[link.kind] += 1
        return len(links)

    def _reset(self, link):
        for side in (link.near, link.far):
            side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._end(link)

    def _end(self, link):
        for side in (link.near, link.far):
            self._watch(link, side, 0)
            side.close()
        self._links.discard(link)

    # Bytes

    def _set_mode(self, which, mode, future):
        for kind in kinds(which):
            if future:
                self._modes[kind] = mode
        for link in [link for link in self._links if link.kind in kinds(which)]:
            if link.mode == "blackhole" and mode == "forward":
                self._reset(link)
            elif link in self._links:
                link.mode = mode
                self._refresh(link)

    def _serve(self, link, side, events):
        if link not in self._links:
            return
        try:
            if side is link.far and not link.connected and events & selectors.EVENT_WRITE:
                self._connected(link)
            if events & selectors.EVENT_READ:
                self._read(link, link.up if side is link.near else link.down)
            self._refresh(link)
        except BlockingIOError:
            self._refresh(link)
        except OSError:
            self._reset(link)

    def _connected(self, link):
        error = link.far.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "the listener cannot be reached")
        link.connected = True

    def _read(self, link, way):
        block = way.source.recv(BLOCK)
        if not block:
            way.ended = True
        elif link.mode == "forward":
            way.put(block, time.monotonic() + self._delay if self._delay else 0.0)

    def _refresh(self, link):
        """Write what is due, and watch for what can happen next."""
        try:
            for way in (link.up, link.down):
                if link in self._links and link.mode == "forward" and link.connected:
                    self._write(link, way)
        except OSError:
            self._reset(link)
        if link in self._links:
            self._watch(link, link.near, self._interest(link, link.up, link.down))
            self._watch(link, link.far, self._interest(link, link.down, link.up))

    def _write(self, link, way):
        while way.blocks and way.blocks[0][0] <= time.monotonic():
            due, block = way.blocks.popleft()
            quota = self._quotas[link.kind] and self._quotas[link.kind][0]
            try:
                sent = way.sink.send(block if quota is None else block[:quota])
            except BlockingIOError:
                sent = 0
            way.held -= sent
            if sent < len(block):
                way.blocks.appendleft((due, block[sent:]))
            if quota is not None and self._use_quota(link.kind, sent):
                return
            if sent < len(block):
                return
        if way.ended and not way.blocks:
            self._end(link)

    def _set_quota(self, kind, size, failure):
        self._quotas[kind] = (size, failure)

    def _use_quota(self, kind, sent):
        """Tells if the failure that waited for these bytes has happened."""
        left, failure = self._quotas[kind]
        if sent < left:
            self._quotas[kind] = (left - sent, failure)
            return False
        self._quotas[kind] = None
        self.failed_at = time.monotonic()
        failure()
        return True

    def _interest(self, link, incoming, outgoing):
        """The events of incoming.source, which is outgoing.sink."""
        if link.mode == "stall":
            return 0
        events = 0
        held = HELD_DELAYED if self._delay else HELD
        if not incoming.ended and (link.connected or incoming is link.up) and incoming.held < held:
            events |= selectors.EVENT_READ
        if outgoing is link.up and not link.connected:
            events |= selectors.EVENT_WRITE
        elif (link.mode == "forward" and outgoing.blocks and link.connected
              and outgoing.blocks[0][0] <= time.monotonic()):
            events |= selectors.EVENT_WRITE
        return events

    def _watch(self, link, side, events):
        if events == link.events[side]:
            return
        if not link.events[side]:
            self._selector.register(side, events, link)
        elif not events:
            self._selector.unregister(side)
        else:
            self._selector.modify(side, events, link)
        link.events[side] = events


def kinds(which):
    return KINDS if which is None else (which,)


def listening(name):
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind(name)
        door.listen(128)
    except OSError:
        door.close()
        raise
    return door


def bind_pair(address):
    """Two listening sockets whose ports stand one after the other."""
    while True:
        first = listening((address, 0))
        try:
            return first, listening((address, first.getsockname()[1] + 1))
        except (OSError, OverflowError):
            first.close()
