"""Keys: making them, who gets in with them, who does not, and who is told why.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import asyncio
import fcntl
import gc
import logging
import multiprocessing
import os
import pickle
import re
import stat
import sys
import threading
from pathlib import Path

import children
import muster
import numpy as np
import pytest
from conftest import PATIENCE, Collector
from muster import aio

SOON = 20   # seconds within which who is not let in is told so, on a busy machine too


class Ring:
    """A directory with the listener's keys, and an allow file that names nobody."""

    def __init__(self, directory):
        self.directory = directory
        self.allow = directory / "allow"
        self.allow.write_text("# nobody\n")
        self.make("listener")

    def make(self, *names):
        for name in names:
            muster.keys.generate(self.directory / name)

    def admit(self, *names):
        """Keys that may each use the source of the same name."""
        self.make(*names)
        for name in names:
            muster.keys.enrol(self.allow, self.public(name), name)

    def revoke(self, *names):
        for name in names:
            muster.keys.revoke(self.allow, self.public(name))

    def secret(self, name):
        return self.directory / f"{name}.key"

    def public(self, name):
        return self.directory / f"{name}.pub"

    @property
    def listener(self):
        """The options of the listener."""
        return {"key": self.secret("listener"), "allow": self.allow}

    def worker(self, name, server="listener"):
        """The options of a worker."""
        return {"key": self.secret(name), "server": self.public(server)}


@pytest.fixture
def ring(tmp_path):
    return Ring(tmp_path)


@pytest.fixture
def listener(ring, make_listener):
    """With keys; "a" and "b" are enrolled for the sources of these names."""
    ring.admit("a", "b")
    listener = make_listener(**ring.listener)
    listener.start()
    return listener


@pytest.fixture
def events(listener):
    events = Collector()
    listener.register_system_handler(events)
    return events


def event(events, cmd):
    """The data of the next event with this cmd."""
    while True:
        message = events.next()
        if message.cmd == cmd:
            return message.data


def refused(endpoint, source, why, **options):
    """A worker is not let in, and knows why: soon, and from each call."""
    worker = muster.Worker(endpoint, source, **options)
    with pytest.raises(muster.Access, match=re.escape(why)):
        worker.recv(SOON)
    for call in (lambda: worker.send("A"), lambda: next(worker), lambda: worker.recv(0)):
        with pytest.raises(muster.Access, match=re.escape(why)):
            call()
    assert worker.close() == 0


def carries(listener, worker):
    """What the worker sends is handled."""
    got = Collector()
    listener.register_handler(worker.source, got, overwrite=True)
    worker.send("CARRIES")
    worker.flush(PATIENCE)
    assert got.next().cmd == "CARRIES"


#   --------------------------------------------------------------------------
#   Making and enrolling

@pytest.mark.parametrize("kind", [str, Path])
def test_generate_makes_two_files_and_returns_their_paths(tmp_path, kind):
    key, public = muster.keys.generate(kind(tmp_path / "worker.1"))
    assert (key, public) == (f"{tmp_path}/worker.1.key", f"{tmp_path}/worker.1.pub")
    assert sorted(os.listdir(tmp_path)) == ["worker.1.key", "worker.1.pub"]
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    assert "secret-key" in Path(key).read_text() and "secret-key" not in Path(public).read_text()


@pytest.mark.parametrize("name, error", [("listener", muster.Exists), ("no/where", muster.NotFound), ("", muster.Invalid)])
def test_generate_refuses_names_that_are_taken_or_none(ring, monkeypatch, name, error):
    monkeypatch.chdir(ring.directory)
    before = sorted(os.listdir("."))
    with pytest.raises(error, match=name or "need a name"):
        muster.keys.generate(name)
    assert sorted(os.listdir(".")) == before


def test_a_path_need_not_be_utf_8(tmp_path, make_listener):
    directory = tmp_path / "k\udcff"
    directory.mkdir()
    ring = Ring(directory)
    ring.admit("a")
    with make_listener(**ring.listener) as listener, muster.Worker(listener.endpoint, "a", **ring.worker("a")) as worker:
        carries(listener, worker)
    with pytest.raises(muster.NotFound, match=r"\\xff"):
        muster.Worker("tcp://127.0.0.1:5", "a", **ring.worker("nobody"))


def test_enrol_adds_sources_and_revoke_takes_the_key_out(ring):
    ring.make("a")
    muster.keys.enrol(ring.allow, ring.public("a"), "one", "with a blank")
    muster.keys.enrol(str(ring.allow), str(ring.public("a")), "two")
    public = re.search('public-key = "(.*)"', ring.public("a").read_text()).group(1)
    assert ring.allow.read_text() == f'# nobody\ncurve {public} one "with a blank" two\n'
    muster.keys.revoke(str(ring.allow), str(ring.public("a")))
    assert ring.allow.read_text() == "# nobody\n"


def test_enrol_makes_the_allow_file(ring):
    ring.make("a")
    muster.keys.enrol(ring.directory / "new", ring.public("a"), "a")
    assert (ring.directory / "new").read_text().startswith("curve ")


@pytest.mark.parametrize("call, error, why", [
    (lambda it: muster.keys.enrol(it.allow, it.public("nobody"), "a"), muster.NotFound, "nobody.pub"),
    (lambda it: muster.keys.enrol(it.allow, it.secret("listener"), "a"), muster.Format, "listener.pub"),
    (lambda it: muster.keys.enrol(it.allow, it.public("listener")), muster.Invalid, "no source"),
    (lambda it: muster.keys.enrol(it.allow, it.public("listener"), "a\n"), muster.Invalid, "a source"),
    (lambda it: muster.keys.enrol(it.directory / "no" / "allow", it.public("listener"), "a"), muster.NotFound, "no/allow"),
    (lambda it: muster.keys.revoke(it.allow, it.public("listener")), muster.NotFound, "not enrolled"),
    (lambda it: muster.keys.revoke(it.directory / "none", it.public("listener")), muster.NotFound, "none"),
])
def test_what_cannot_be_enrolled_or_revoked_is_refused_and_named(ring, call, error, why):
    with pytest.raises(error, match=why):
        call(ring)
    assert ring.allow.read_text() == "# nobody\n"


def test_enrol_names_the_line_of_an_allow_file_that_is_wrong(ring):
    ring.allow.write_text("# nobody\ncurve what\n")
    with pytest.raises(muster.Format, match="line 2"):
        muster.keys.enrol(ring.allow, ring.public("listener"), "a")


def test_an_allow_file_that_others_may_write_is_not_trusted(ring):
    ring.allow.chmod(0o666)
    with pytest.raises(muster.Access, match="chmod go-w"):
        muster.keys.enrol(ring.allow, ring.public("listener"), "a")


@pytest.mark.parametrize("value, error", [(7, TypeError), (None, TypeError), (b"path", TypeError),
                                          ("nul\0", ValueError), ("lone\ud800", ValueError)])
@pytest.mark.parametrize("name, call", [
    ("name", lambda value: muster.keys.generate(value)),
    ("allow", lambda value: muster.keys.enrol(value, "public", "a")),
    ("public", lambda value: muster.keys.enrol("allow", value, "a")),
    ("allow", lambda value: muster.keys.revoke(value, "public")),
    ("public", lambda value: muster.keys.revoke("allow", value)),
])
def test_what_is_no_path_is_refused_by_name(tmp_path, monkeypatch, name, call, value, error):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=name):
        call(value)
    assert os.listdir(tmp_path) == []


def test_a_source_that_is_no_text_is_refused(ring):
    for sources in ((7,), ("a", None), (["a"],)):
        with pytest.raises(TypeError, match="a source must be a str"):
            muster.keys.enrol(ring.allow, ring.public("listener"), *sources)


def test_enrol_waits_for_others_who_change_the_file_and_other_threads_work_meanwhile(ring, in_thread):
    ring.make("a")
    ident = []

    def enrol():
        ident.append(threading.get_ident())
        muster.keys.enrol(ring.allow, ring.public("a"), "a")
    descriptor = os.open(ring.directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        future = in_thread(enrol)
        code = muster.keys.enrol.__code__
        children.eventually(lambda: ident and sys._current_frames()[ident[0]].f_code is code)
        assert not future.done()
    finally:
        os.close(descriptor)
    future.result(PATIENCE)
    assert " a" in ring.allow.read_text()


#   --------------------------------------------------------------------------
#   In

@pytest.mark.parametrize("transport", ["tcp", "ipc"])
@pytest.mark.parametrize("kind", [str, Path])
def test_messages_commands_and_rounds_go_between_who_knows_each_other(ring, make_listener, collector, transport, kind):
    ring.admit("a")
    endpoint = "tcp://127.0.0.1:*" if transport == "tcp" else f"ipc://{ring.directory}/socket"
    options = {name: kind(path) for name, path in ring.listener.items()}
    listener = make_listener(endpoint, **options)
    listener.register_handler("a", collector)
    array = np.arange(1_000_000, dtype=np.float32)
    with listener:
        options = {name: kind(path) for name, path in ring.worker("a").items()}
        with muster.Worker(listener.endpoint, source="a", **options) as worker:
            worker.send("A", {"w": array})
            assert np.array_equal(collector.next().data["w"], array)
            asked = listener.ask("B", {"w": array}, timeout=PATIENCE)
            command = worker.recv(PATIENCE)
            command.reply("C", {"sum": float(command.data["w"].sum())})
            assert [reply.data for reply in asked] == [{"sum": float(array.sum())}]
            assert asked.missing == {}
        assert listener.stats["rejected"] == 0


def test_a_listener_with_keys_may_be_reached_from_beyond_loopback(ring, make_listener):
    ring.admit("a")
    listener = make_listener("tcp://0.0.0.0:*", advertise="127.0.0.1", **ring.listener)
    with listener, muster.Worker(listener.endpoint, "a", **ring.worker("a")) as worker:
        carries(listener, worker)


def test_inproc_carries_workers_of_this_process_without_keys(ring, make_listener):
    with make_listener("inproc://keys", **ring.listener) as listener, muster.Worker(listener.endpoint, "a") as worker:
        carries(listener, worker)


def test_none_stands_for_no_keys(make_listener):
    listener = make_listener(key=None, allow=None)
    with listener, muster.Worker(listener.endpoint, "a", key=None, server=None) as worker:
        carries(listener, worker)


def test_who_is_enrolled_while_the_listener_runs_gets_in_after_a_reload(ring, listener):
    ring.admit("c")
    refused(listener.endpoint, "c", "does not admit this key", **ring.worker("c"))
    assert listener.reload() is None
    with muster.Worker(listener.endpoint, "c", **ring.worker("c")) as worker:
        carries(listener, worker)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_child_of_multiprocessing_may_have_a_key(ring, listener, collector, method):
    listener.register_handler("a", collector)
    child = multiprocessing.get_context(method).Process(
        target=children.send_with_key, args=(listener.endpoint, "a", *map(str, ring.worker("a").values())))
    child.start()
    assert collector.next().cmd == "CHILD"
    child.join(PATIENCE)
    assert child.exitcode == 0


#   --------------------------------------------------------------------------
#   Not in

def test_a_key_that_is_not_enrolled_is_refused(ring, listener, events):
    ring.make("stranger")
    refused(listener.endpoint, "a", "does not admit this key", **ring.worker("stranger"))
    data = event(events, "REFUSED")
    assert "not in the allow list" in data["reason"] and data["count"] >= 1
    assert data.get("address", "127.0.0.1") == "127.0.0.1" and "source" not in data
    assert listener.workers == [] and listener.stats["joined"] == 0


def test_a_source_that_the_key_may_not_use_is_refused(ring, listener, events):
    refused(listener.endpoint, "b", "the key may not use this source", **ring.worker("a"))
    data = event(events, "REFUSED")
    assert data["source"] == "b" and "may not use this source" in data["reason"]


def test_who_takes_the_listener_for_another_is_refused(ring, listener, events):
    ring.make("other")
    refused(listener.endpoint, "a", "another key than the one that server gives", **ring.worker("a", server="other"))
    assert "takes this listener for one with another key" in event(events, "REFUSED")["reason"]


def test_who_has_no_key_is_refused(listener, events):
    refused(listener.endpoint, "a", "asks for keys: give key and server")
    assert "no key" in event(events, "REFUSED")["reason"]


def test_who_has_a_key_does_not_talk_to_a_listener_without(ring, make_listener):
    ring.admit("a")
    with make_listener() as listener:
        refused(listener.endpoint, "a", "the listener has no keys", **ring.worker("a"))


def test_what_a_worker_sent_before_it_was_refused_is_not_confirmed(ring, listener, log):
    ring.make("stranger")
    listener.stop()
    worker = muster.Worker(listener.endpoint, "a", **ring.worker("stranger"))
    with pytest.raises(muster.Access, match="does not admit this key"):
        with muster.Worker(listener.endpoint, "b", **ring.worker("stranger")) as other:
            worker.send("A")
            other.send("B")
            listener.start()
    with pytest.raises(muster.Access):
        worker.flush(PATIENCE)
    assert worker.close() == 1
    assert "does not admit this key" in log.wait("not confirmed").getMessage()
    assert listener.stats["received"] == 0


@pytest.mark.parametrize("options, error, why", [
    (lambda it: {"key": it.secret("a")}, muster.Invalid, "give server"),
    (lambda it: {"server": it.public("listener")}, muster.Invalid, "give key"),
    (lambda it: it.worker("nobody"), muster.NotFound, "nobody.key"),
    (lambda it: it.worker("a", server="nobody"), muster.NotFound, "nobody.pub"),
    (lambda it: {**it.worker("a"), "key": it.public("a")}, muster.Format, "give the .key file"),
    (lambda it: {**it.worker("a"), "server": it.secret("listener")}, muster.Format, "give .*listener.pub"),
    (lambda it: {**it.worker("a"), "key": it.allow}, muster.Format, "allow"),
    (lambda it: it.secret("a").chmod(0o640) or it.worker("a"), muster.Access, "chmod 600"),
    (lambda it: {**it.worker("a"), "key": 7}, TypeError, "key must be a str or an os.PathLike"),
    (lambda it: {**it.worker("a"), "server": b"path"}, TypeError, "server must be a str or an os.PathLike"),
    (lambda it: {**it.worker("a"), "server": "nul\0"}, ValueError, "server must not contain NUL"),
])
def test_a_worker_is_not_made_with_keys_that_are_wrong(ring, recwarn, options, error, why):
    ring.make("a")
    with pytest.raises(error, match=why):
        muster.Worker("tcp://127.0.0.1:5", "a", **options(ring))
    gc.collect()
    assert not [warning for warning in recwarn if warning.category is ResourceWarning]


@pytest.mark.parametrize("options, error, why", [
    (lambda it: {"key": it.secret("listener")}, muster.Invalid, "give allow"),
    (lambda it: {"allow": it.allow}, muster.Invalid, "give key"),
    (lambda it: {**it.listener, "key": it.secret("nobody")}, muster.NotFound, "nobody.key"),
    (lambda it: {**it.listener, "allow": it.directory / "none"}, muster.NotFound, "none"),
    (lambda it: {**it.listener, "key": it.public("listener")}, muster.Format, "give the .key file"),
    (lambda it: it.allow.write_text("# nobody\ncurve what\n") and it.listener, muster.Format, "allow: line 2"),
    (lambda it: it.allow.chmod(0o622) or it.listener, muster.Access, "chmod go-w"),
    (lambda it: it.secret("listener").chmod(0o644) or it.listener, muster.Access, "chmod 600"),
    (lambda it: {**it.listener, "key": 7}, TypeError, "key must be a str or an os.PathLike"),
    (lambda it: {**it.listener, "allow": "lone\ud800"}, ValueError, "allow has a lone surrogate"),
])
def test_a_listener_is_not_started_with_files_that_are_wrong(ring, make_listener, options, error, why):
    with pytest.raises(error, match=why):
        make_listener(**options(ring)).start()


def test_a_start_that_failed_for_a_file_may_be_tried_again(ring, make_listener):
    listener = make_listener(key=ring.secret("later"), allow=ring.allow)
    with pytest.raises(muster.NotFound):
        listener.start()
    ring.make("later")
    ring.admit("a")
    with listener, muster.Worker(listener.endpoint, "a", **ring.worker("a", server="later")) as worker:
        carries(listener, worker)


#   --------------------------------------------------------------------------
#   Revoking

def test_a_live_worker_that_is_revoked_is_told_and_the_others_go_on(ring, listener, events, make_worker, in_thread):
    revoked = make_worker(listener, "a", **ring.worker("a"))
    other = make_worker(listener, "b", **ring.worker("b"))
    future = in_thread(revoked.recv, PATIENCE)
    ring.revoke("a")
    listener.reload()
    assert listener.workers == ["b"]
    with pytest.raises(muster.Revoked, match="the key was revoked"):
        future.result(PATIENCE)
    for call in (lambda: revoked.send("A"), lambda: revoked.recv(0), lambda: next(revoked)):
        with pytest.raises(muster.Revoked):
            call()
    assert event(events, "REVOKED")["source"] == "a"
    with pytest.raises(muster.NotFound):
        listener.send("a", "A")
    carries(listener, other)
    refused(listener.endpoint, "a", "does not admit this key", **ring.worker("a"))


def test_what_of_its_messages_no_handler_has_taken_is_dropped(ring, listener, gate, make_worker):
    handled = []

    def handler(message):
        handled.append(message.data["n"])
        gate(message)
    listener.register_handler("a", handler)
    worker = make_worker(listener, "a", **ring.worker("a"))
    for number in range(10):
        worker.send("A", {"n": number})
    gate.wait_entered()
    children.eventually(lambda: listener.stats["received"] == 10)
    ring.revoke("a")
    listener.reload()       # does not wait for the handler
    assert listener.stats["dropped"] == 9
    gate.open()
    with pytest.raises(muster.Revoked):
        worker.flush(PATIENCE)
    assert worker.close() >= 9
    assert listener.stop() == 0
    assert handled == [0]


def test_a_round_misses_who_was_revoked(ring, listener, make_worker):
    revoked = make_worker(listener, "a", **ring.worker("a"))
    other = make_worker(listener, "b", **ring.worker("b"))
    asked = listener.ask("A", timeout=PATIENCE)
    command = revoked.recv(PATIENCE)
    ring.revoke("a")
    listener.reload()
    other.recv(PATIENCE).reply("B")
    assert [reply.source for reply in asked] == ["b"]
    assert asked.missing == {"a": "REVOKED"}
    with pytest.raises(muster.Revoked):
        revoked.recv(PATIENCE)
    with pytest.raises(muster.Revoked):
        command.reply("C")


def test_a_handler_may_reload_and_revoke_its_own_source(ring, listener, make_worker):
    @listener.on("a")
    def handler(message):
        ring.revoke("a")
        listener.reload()
        assert listener.workers == []
    worker = make_worker(listener, "a", **ring.worker("a"))
    worker.send("A")
    with pytest.raises(muster.Revoked):
        worker.recv(PATIENCE)
    children.eventually(lambda: listener.stats["handled"] == 1)
    assert listener.stats["failed"] == 0


def test_a_key_that_is_revoked_while_the_listener_is_stopped_is_not_let_in(ring, listener, make_worker):
    worker = make_worker(listener, "a", **ring.worker("a"))
    listener.stop()
    ring.revoke("a")
    listener.start()
    with pytest.raises(muster.Access, match="does not admit this key"):
        worker.recv(PATIENCE)


@pytest.mark.parametrize("spoil, error, why", [
    (lambda it: it.allow.write_text("# nobody\ncurve what\n"), muster.Format, "allow: line 2"),
    (lambda it: it.allow.unlink(), muster.NotFound, "allow"),
    (lambda it: it.allow.chmod(0o622), muster.Access, "chmod go-w"),
])
def test_an_allow_file_with_a_fault_leaves_the_old_list_in_force(ring, listener, make_worker, spoil, error, why):
    worker = make_worker(listener, "a", **ring.worker("a"))
    spoil(ring)
    with pytest.raises(error, match=why):
        listener.reload()
    carries(listener, worker)
    carries(listener, make_worker(listener, "b", **ring.worker("b")))


def test_a_list_that_was_never_given_cannot_be_read_again(ring, make_listener):
    listener = make_listener()
    never_started = make_listener(**ring.listener)
    listener.start()
    for each in (listener, never_started):
        with pytest.raises(muster.Invalid, match="started without keys|not started"):
            each.reload()
    with pytest.raises(TypeError):
        listener.reload(ring.allow)


def test_many_threads_may_reload_at_once(ring, listener, make_worker, in_thread):
    worker = make_worker(listener, "a", **ring.worker("a"))

    def reload():
        for _ in range(20):
            listener.reload()
    for future in [in_thread(reload) for _ in range(4)]:
        future.result(PATIENCE)
    carries(listener, worker)


#   --------------------------------------------------------------------------
#   asyncio

def run(test):
    """Run a coroutine function in a loop of its own, within time."""
    asyncio.run(asyncio.wait_for(test(), 2 * PATIENCE), debug=True)


def test_the_same_for_asyncio(ring):
    ring.admit("a")
    ring.make("stranger")

    async def test():
        async with aio.Listener("tcp://127.0.0.1:*", **ring.listener) as listener:
            async with aio.Worker(listener.endpoint, "a", **ring.worker("a")) as worker:
                await listener.wait_for_workers(["a"], timeout=PATIENCE)
                await listener.send("a", "A")
                assert (await worker.recv(PATIENCE)).cmd == "A"
                stranger = aio.Worker(listener.endpoint, "a", **ring.worker("stranger"))
                with pytest.raises(muster.Access, match="does not admit this key"):
                    await stranger.recv(SOON)
                await stranger.close()
                ring.allow.write_text("curve what\n")
                with pytest.raises(muster.Format, match="line 1"):
                    await listener.reload()
                assert listener.workers == ["a"]
                waiting = asyncio.create_task(worker.recv())
                ring.allow.write_text("")
                assert await listener.reload() is None
                assert listener.workers == []
                with pytest.raises(muster.Revoked):
                    await asyncio.wait_for(waiting, PATIENCE)
                with pytest.raises(muster.Revoked):
                    await worker.send("A")
    run(test)


def test_a_handler_of_asyncio_may_reload(ring):
    ring.admit("a")

    async def test():
        async with aio.Listener("tcp://127.0.0.1:*", **ring.listener) as listener:
            reloaded = asyncio.Event()

            @listener.on("a")
            async def handler(message):
                ring.allow.write_text("")
                await listener.reload()
                reloaded.set()
            worker = aio.Worker(listener.endpoint, "a", **ring.worker("a"))
            await worker.send("A")
            await asyncio.wait_for(reloaded.wait(), PATIENCE)
            with pytest.raises(muster.Revoked):
                await worker.recv(PATIENCE)
            assert await worker.close() == 1    # the message whose handler did it
    run(test)


#   --------------------------------------------------------------------------
#   Processes, secrets

def test_in_a_forked_child_the_listener_is_forked_and_a_worker_with_a_key_of_its_own_works(ring, listener, collector):
    listener.register_handler("a", collector)

    def child():
        assert children.outcome(listener.reload) == "Forked"
        children.send_with_key(listener.endpoint, "a", **ring.worker("a"))
        muster.keys.generate(ring.directory / "childs")
    children.forked(child)
    assert collector.next().cmd == "CHILD"
    assert ring.secret("childs").exists()
    ring.revoke("a")
    listener.reload()
    refused(listener.endpoint, "a", "does not admit this key", **ring.worker("a"))


def test_a_listener_and_a_worker_with_keys_do_not_pickle(ring, listener, make_worker):
    for thing in (listener, make_worker(listener, "a", **ring.worker("a"))):
        with pytest.raises(TypeError):
            pickle.dumps(thing)


def test_no_secret_is_shown_anywhere(ring, listener, log, caplog, make_worker):
    caplog.set_level(logging.DEBUG, "muster")
    ring.make("stranger")
    worker = make_worker(listener, "a", **ring.worker("a"))
    shown = [repr(thing) + str(thing) + repr(vars(thing)) for thing in (listener, worker)]
    errors = []
    stranger = muster.Worker(listener.endpoint, "a", **ring.worker("stranger"))
    for call in (lambda: stranger.recv(SOON),
                 lambda: muster.Worker(listener.endpoint, "a", key=ring.secret("a"), server=ring.secret("listener")),
                 lambda: muster.keys.enrol(ring.allow, ring.secret("a"), "a"),
                 lambda: muster.keys.enrol(ring.secret("a"), ring.public("a"), "a"),
                 lambda: muster.keys.generate(ring.directory / "a"),
                 lambda: make_worker(listener, "a", key=ring.allow, server=ring.secret("a"))):
        with pytest.raises(muster.Error) as caught:
            call()
        errors.append(repr(caught.value) + str(caught.value) + repr(pickle.dumps(caught.value)))
    stranger.close()
    ring.revoke("a")
    listener.reload()
    seen = ""
    while "REFUSED" not in seen or "REVOKED" not in seen:
        seen += log.wait("").getMessage()
    for name in ("listener", "a", "b", "stranger"):
        secret = re.search('secret-key = "(.*)"', ring.secret(name).read_text()).group(1)
        for text in (*shown, *errors, caplog.text):
            assert secret not in text and secret[:10] not in text
