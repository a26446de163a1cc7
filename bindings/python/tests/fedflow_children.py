"""What the children of test_fedflow.py do; a module of its own, because spawned processes import it.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import enum
import multiprocessing
import os
import signal
import threading

from muster.fedflow import Handler, Message, MessageListener

LIMIT = 60


class Colour(enum.Enum):
    RED = (1, 0)
    BLUE = (0, 1)


class Opaque:
    """Pickles, and cannot be unpickled."""

    def __reduce__(self):
        return int, ("no number",)


class Tensor:
    def __init__(self, values):
        self.values = values


SOURCES = [1, -(2 ** 80), 1.5, "one", b"one", None, True, (1, ("a", 2)), frozenset({1, 2}), Colour.RED]
"""True is equal to 1, and shall be True again all the same."""

DATA = [
    {"status": Colour.BLUE, 3: (1, (2, [3])), "deep": {"set": {1, 2}, "none": None}},
    2 ** 200, -(2 ** 64), (), "ü\0", b"\0\xff", float("inf"), 1 + 2j, Colour, Message("a", "b", ("c",)),
]


def put_range(mq, source, count):
    """Put count messages and end."""
    for number in range(count):
        mq.put(Message(source, "NUMBER", number))


def put_range_elsewhere(mq, source, count, directory):
    os.chdir(directory)
    put_range(mq, source, count)


def put_from_threads(mq, sources, count):
    """Each source's messages come from a thread of its own."""
    threads = [threading.Thread(target=put_range, args=(mq, source, count)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def put_when_main_has_ended(mq, source, count):
    """Leave the work to a thread that begins when the main thread is over."""
    def work():
        threading.main_thread().join()
        put_range(mq, source, count)
    threading.Thread(target=work).start()


def put_before_and_when_main_has_ended(mq, source, count):
    mq.put(Message(source, "FIRST", None))
    put_when_main_has_ended(mq, source, count)


def put_in_child(mq, source, count, method):
    """A grandchild puts, after the child did."""
    mq.put(Message(source, "CHILD", None))
    process = multiprocessing.get_context(method).Process(target=put_range, args=(mq, source, count))
    process.start()
    process.join(LIMIT)
    assert process.exitcode == 0


def put_sources(mq):
    for number, source in enumerate(SOURCES):
        mq.put(Message(source, "SOURCE", number))


def put_data(mq, source):
    for number, data in enumerate(DATA):
        mq.put(Message(source, number, data))


def put_arrays(mq, source):
    import numpy        # here, as most children need none
    mq.put(Message(source, "ARRAY", {"f": numpy.arange(12, dtype="<f4").reshape(3, 4), "t": numpy.array(["a", "bc"])}))


def put_large(mq, source, size):
    """A large message between small ones."""
    import numpy
    mq.put(Message(source, "BEFORE", None))
    mq.put(Message(source, "LARGE", numpy.arange(size // 8, dtype=numpy.int64)))
    mq.put(Message(source, "AFTER", None))


def put_and_change(mq, source):
    data = {"values": [1, 2]}
    mq.put(Message(source, "VALUES", data))
    data["values"].append(3)
    mq.put(Message(source, "VALUES", data))


def put_what_cannot_be(mq, source):
    """Messages that cannot be pickled or unpickled, or are none, between good ones."""
    mq.put(Message(source, "BEFORE", None))
    mq.put(Message(source, "BAD", lambda: None))
    mq.put(Message(source, "BAD", Opaque()))
    mq.put("no message")
    mq.put(Message([source], "BAD", "no source"))
    mq.put(Message(source, "AFTER", None))


def stop_process_and_put(mq, pid, count, size):
    """Put more than buffers hold while the listening process, pid, is stopped; then let it go on."""
    os.kill(pid, signal.SIGSTOP)
    for number in range(count):
        mq.put(Message(number, "LARGE", bytes(size)))
    os.kill(pid, signal.SIGCONT)


def put_by_name(source):
    """Use the listener's class, as it is in this process."""
    MessageListener.mq().put(Message(source, "BY NAME", None))


def forge(mq, source, own):
    """Speak in the listener's own name, own."""
    mq.put(Message(own, "STOP", {}))
    mq.put(Message(own, "STATUS", {}))
    mq.put(Message(source, "FORGED", None))


def stop(mq, source):
    MessageListener.stop()
    mq.put(Message(source, "STOPPED", None))


def listen(mq, source):
    """Have a listener of this process's own, with a child, and tell the parent what came."""
    heard = []

    class Own(Handler):
        def handle(self, source, cmd, data):
            heard.append(data)

    MessageListener.register_handler("inner", Own())
    MessageListener.start()
    inner = MessageListener.mq()
    process = multiprocessing.get_context("fork").Process(target=put_range, args=(inner, "inner", 3))
    process.start()
    process.join(LIMIT)
    MessageListener.stop()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(LIMIT)
    mq.put(Message(source, "HEARD", (heard, repr(inner) != repr(mq))))


def put_with_a_connection(mq, source):
    """What only multiprocessing can pickle."""
    here, there = multiprocessing.Pipe()
    mq.put(Message(source, "PIPE", there))
    assert here.poll(LIMIT)
    mq.put(Message(source, "HEARD", here.recv()))


def close_queue(mq, source):
    """Close the queue in the manner of a multiprocessing.Queue, then fail to put."""
    put_range(mq, source, 100)
    mq.close()
    mq.join_thread()
    try:
        mq.put(Message(source, "CLOSED", None))
    except ValueError:
        os._exit(7)  # without any exit's help: join_thread has waited


def take(mq, source):
    try:
        mq.get_nowait()
    except Exception as error:
        mq.put(Message(source, "REFUSED", type(error).__name__))
