"""What is measured: the groups with their contestants, and the goals.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
from collections.abc import Sequence
from dataclasses import dataclass

from sampling import Contestant, Group, Sample

LARGE = 100_000_000
NOT_DECODED = "does not decode, dispatch or confirm"
NOT_COPIED = "does not copy (the sender's memory must stay as it is), dispatch or confirm"
NOT_CONFIRMED = "does not check or confirm"

MUSTER = "muster, C"
RAW = "raw libzmq PUSH/PULL"

#   Half a second each, of which a tenth warms up: connections, buffers.
def small(count: int, *options: str) -> list[str]:
    return [f"count={count}", f"warm={count // 10}", *options]


SMALL = Group("small", "~100-byte messages over tcp", [
    Contestant("muster", MUSTER, "stream_muster", small(5_000_000)),
    Contestant("zmq", RAW, "stream_zmq", small(1_000_000), NOT_DECODED),
    Contestant("plain", "muster, C, without a session", "stream_muster", small(2_000_000, "way=plain"),
               "does not confirm"),
    Contestant("nng", "nng PUSH/PULL", "stream_nng", small(30_000), NOT_DECODED),
    Contestant("tcp", "plain TCP, writes of 64 kB", "stream_tcp", small(20_000_000), "has no messages at all"),
    Contestant("python", "muster, Python", "small.py", ["muster"]),
    Contestant("pyzmq", "pyzmq + msgpack, by hand", "small.py", ["zmq"], NOT_CONFIRMED, ["zmq", "msgpack"]),
    Contestant("queue", "multiprocessing.Queue of namedtuples", "small.py", ["queue"],
               "unpickles what comes, does not confirm"),
    Contestant("grpc", "gRPC stream of msgpack, Python", "small.py", ["grpc"],
               "does not check; confirms once, at the end", ["grpc", "msgpack"]),
])

IPC = Group("ipc", "~100-byte messages over ipc", [
    Contestant("muster", MUSTER, "stream_muster", small(5_000_000, "transport=ipc")),
    Contestant("zmq", RAW, "stream_zmq", small(700_000, "transport=ipc"), NOT_DECODED),
    Contestant("nng", "nng PUSH/PULL", "stream_nng", small(30_000, "transport=ipc"), NOT_DECODED),
])


#   To start 16 processes takes longer than to send a million messages: it is over in the first quarter.
def from_sixteen(count: int) -> list[str]:
    return ["senders=16", f"count={count}", f"warm={count // 4}"]


SIXTEEN = Group("sixteen", "16 sending processes", [
    Contestant("muster", MUSTER, "stream_muster", from_sixteen(12_000_000)),
    Contestant("zmq", RAW, "stream_zmq", from_sixteen(3_000_000), NOT_DECODED),
])

#   Size, then how many for muster, raw libzmq, nng and TCP: about a third of a second each.
SIZES = [
    (128, 1_000_000, 400_000, 8_000, 8_000_000),
    (1_000, 400_000, 200_000, 8_000, 1_500_000),
    (10_000, 60_000, 40_000, 6_000, 150_000),
    (100_000, 6_000, 4_000, 1_500, 15_000),
    (1_000_000, 600, 400, 150, 1_500),
    (10_000_000, 50, 30, 15, 150),
]


def by_size() -> list[Contestant]:
    contestants = []
    for size, muster, zmq, nng, tcp in SIZES:
        for name, program, count in (("muster", "stream_muster", muster), ("zmq", "stream_zmq", zmq),
                                     ("nng", "stream_nng", nng), ("tcp", "stream_tcp", tcp)):
            options = [f"size={size}", f"count={count}", f"warm={max(1, count // 10)}"]
            contestants.append(Contestant(f"{name}-{size}", f"{name}, {size:,} bytes", program, options,
                                          figures={"size": size}))
    return contestants


BY_SIZE = Group("sizes", "messages by size", by_size(), rounds=3)


def percentile(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def split_latency(sample: Sample) -> dict[str, Sample]:
    return {name: {"p50": percentile(times, 0.5), "p99": percentile(times, 0.99), "times": times}
            for name, times in sample.items()}


#   One program measures all of them, message by message; the names are those it prints. Many short rounds:
#   what the machine does beside it, a few ms at a time, decides the p99 of the rounds that it falls into.
LATENCY = Group("latency", "idle latency", [
    Contestant("worker", MUSTER, "idle_latency", ["count=400"]),
    Contestant("plain", "muster, C, plain producer", "idle_latency", [], "does not confirm", rounds=0),
    Contestant("zmq", RAW, "idle_latency", [], NOT_DECODED, rounds=0),
    Contestant("nng", "nng PUSH/PULL", "idle_latency", [], NOT_DECODED, rounds=0),
    Contestant("tcp", "plain TCP, 64 bytes", "idle_latency", [], "has no messages at all", rounds=0),
], rounds=25, split=split_latency)

ONE_LARGE = [f"size={LARGE}", "count=10", "warm=4"]
LARGE_MESSAGES = Group("large", "100 MB messages", [
    Contestant("muster", MUSTER, "stream_muster", ONE_LARGE),
    Contestant("zmq", RAW + ", one zero-copy frame", "stream_zmq", ONE_LARGE, NOT_COPIED),
    Contestant("nng", "nng PUSH/PULL", "stream_nng", ONE_LARGE, NOT_COPIED),
    Contestant("tcp", "plain TCP into a warm buffer", "stream_tcp", ONE_LARGE, "has no messages at all"),
    Contestant("python", "muster, Python, a float32 array", "large.py", ["muster"]),
    Contestant("pyzmq", "pyzmq, two parts, zero-copy", "large.py", ["zmq"], NOT_COPIED,
               ["zmq", "msgpack"]),
])

KEYED = ["size=64000", "count=6000"]
KEYS = Group("keys", "64 kB messages with keys", [
    Contestant("muster", "muster, C, with keys", "stream_muster", [*KEYED, "way=keys"]),
    Contestant("zmq", RAW + " with CURVE", "stream_zmq", [*KEYED, "curve=1"], NOT_DECODED),
    Contestant("open", "muster, C, without keys", "stream_muster", KEYED),
])


def with_workers(count: int, *options: str) -> Contestant:
    rounds = 2 if count > 1_000 else 3      # it takes a minute where the machine has other work
    return Contestant(f"{count}", f"{count:,} workers" if count > 1 else "1 worker", "many_workers",
                      [f"workers={count}", *options], rounds=rounds, figures={"workers": count})


def with_sockets(count: int, label: str, *options: str) -> Contestant:
    return Contestant(f"{options[0].split('=')[0] if options else 'zmq'}-{count}", label, "many_sockets",
                      [f"sockets={count}", *options], NOT_DECODED, rounds=2 if count > 1 else 3)


WORKERS = Group("workers", "many workers", [
    with_workers(1), with_workers(100), with_workers(1_000, "idle=10"), with_workers(5_000),
    with_sockets(1, "raw libzmq, 1 socket"), with_sockets(5_000, "raw libzmq, 5,000 sockets"),
    with_sockets(5_000, "the same, a burst in one frame", "together=1")], rounds=3)

GROUPS = [SMALL, IPC, SIXTEEN, BY_SIZE, LATENCY, LARGE_MESSAGES, KEYS, WORKERS]


@dataclass(frozen=True)
class Goal:
    """A ratio of two contestants of a group, or with theirs None a figure of one. must and aim are lower
    limits of what should be large, or upper ones of what should be small. bound is a contestant that does
    less of the same by the same means: ours can reach no more than it."""

    text: str
    group: Group
    ours: str
    theirs: str | None
    must: float
    aim: float | None
    what: str = "rate"
    small_is_good: bool = False
    unit: str = ""          # of the figure of one: B, %
    bound: str | None = None


GOALS = [
    Goal("~100-byte messages over tcp / raw libzmq", SMALL, "muster", "zmq", 4, 8),
    Goal("the same over ipc", IPC, "muster", "zmq", 4, 7),
    Goal("16 workers / raw libzmq with 16 senders", SIXTEEN, "muster", "zmq", 2.5, 4),
    Goal("C to C / pyzmq + msgpack by hand", SMALL, "muster", "pyzmq", 20, 35),
    Goal("idle latency / raw PUSH/PULL, p50", LATENCY, "worker", "zmq", 1.4, 1.15, "p50", True),
    Goal("idle latency / raw PUSH/PULL, p99", LATENCY, "worker", "zmq", 1.4, 1.15, "p99", True),
    Goal("100 MB to a handler / raw libzmq, zero-copy", LARGE_MESSAGES, "muster", "zmq", 1.8, 2.5),
    Goal("100 MB to a handler / TCP into a warm buffer", LARGE_MESSAGES, "muster", "tcp", 0.6, 0.9),
    Goal("receiver's peak beyond the 100 MB", LARGE_MESSAGES, "muster", None, 32e6, 12e6, "beyond", True, "B"),
    Goal("memory of an idle worker at the listener", WORKERS, "1000", None, 60e3, 52e3, "memory", True, "B"),
    Goal("5,000 workers in bursts of 100 / one worker", WORKERS, "5000", "1", 0.3, 0.6, bound="together-5000"),
    Goal("idle CPU with 1,000 workers, of a core", WORKERS, "1000", None, 0.03, 0.01, "idle", True, "%"),
    Goal("64 kB with keys / raw PUSH/PULL with CURVE", KEYS, "muster", "zmq", 0.9, None),
]
