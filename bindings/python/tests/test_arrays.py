"""NumPy's arrays and scalars, both ways.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import gc
import random
import weakref

import children
import muster
import numpy as np
import pytest
from conftest import PATIENCE, seeds
from muster import _core

MIB = 1 << 20

DTYPES = ["?", "i1", "u1"] + [order + kind for order in "<>" for kind in (
    "i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8", "f16", "c8", "c16")]


@pytest.fixture(params=["message", "command"])
def both_ways(request, pair, collector):
    """Send an array from worker to listener, or from listener to worker, and give what arrived."""
    listener, worker = pair

    def as_message(array):
        worker.send("DATA", {"w": array})
        return collector.next().data["w"]

    def as_command(array):
        listener.send("worker-1", "DATA", {"w": array})
        return worker.recv(PATIENCE).data["w"]
    listener.register_handler("worker-1", collector, overwrite=True)
    return as_message if request.param == "message" else as_command


def have_same_elements(got, sent):
    """Byte for byte; of long doubles the values: their padding is nobody's."""
    if sent.dtype.itemsize == 16 and sent.dtype.kind == "f":
        return np.array_equal(got.astype(np.longdouble), sent.astype(np.longdouble))
    return got.tobytes() == sent.tobytes()      # in C order, both


def check_same(got, sent):
    assert type(got) is np.ndarray
    assert got.dtype == sent.dtype and got.dtype.str == sent.dtype.str
    assert got.shape == sent.shape
    assert have_same_elements(got, sent)
    assert got.flags.c_contiguous and got.flags.writeable and got.flags.aligned


def through(array):
    return _core.unpack(_core.pack({"w": array}))["w"]


#   --------------------------------------------------------------------------
#   What arrives

@pytest.mark.parametrize("dtype", DTYPES)
def test_an_array_arrives_with_its_dtype_shape_and_elements(both_ways, dtype):
    for shape in ((), (0,), (1,), (7,), (3, 4), (2, 0, 3), (2, 3, 4)):
        count = int(np.prod(shape))
        sent = np.asarray(np.arange(3, count + 3).reshape(shape)).astype(dtype)
        check_same(both_ways(sent), sent)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_large_array_arrives_with_its_dtype_shape_and_elements(both_ways, dtype):
    sent = np.random.default_rng(1).integers(0, 100, (3, MIB // np.dtype(dtype).itemsize)).astype(dtype)
    check_same(both_ways(sent), sent)


def strided():
    base = np.arange(2 * 3 * 4 * 5, dtype="<i4").reshape(2, 3, 4, 5)
    yield "C", base
    yield "F", np.asfortranarray(base)
    yield "transposed", base.T
    yield "axes moved", base.transpose(1, 3, 0, 2)
    yield "sliced", base[:, ::2, 1:3, ::3]
    yield "backwards", base[::-1, :, ::-1]
    yield "backwards in steps", base[:, :, ::-3, 4:0:-2]
    yield "one element repeated", np.broadcast_to(np.int16(7), (3, 4))
    yield "a row repeated", np.broadcast_to(np.arange(4), (3, 4))
    yield "overlapping windows", np.lib.stride_tricks.sliding_window_view(np.arange(10), 4)
    yield "new axes", base[:, None, ..., None]
    yield "empty slice", base[:, 3:, :]
    yield "field of a record", np.zeros(5, [("a", "<i2"), ("b", "<f8")])["b"]
    yield "not aligned", np.frombuffer(b"x" + np.arange(4, dtype="<f8").tobytes(), "u1")[1:].view("<f8")
    yield "bool", base % 3 == 0
    yield "real part", np.arange(6, dtype="<c16").real
    yield "diagonal", np.arange(16.0).reshape(4, 4).diagonal()
    large = np.arange(3 * MIB // 4, dtype="<f4").reshape(1024, -1)
    yield "large, transposed", large.T
    yield "large, sliced", large[::2, ::-1]


@pytest.mark.parametrize("sent", [pytest.param(array, id=name) for name, array in strided()])
def test_an_array_of_any_order_and_stride_arrives(both_ways, sent):
    check_same(both_ways(sent), sent)


def test_an_array_of_32_dimensions_arrives(both_ways):
    for shape in ((1,) * 32, (2,) * 4 + (1,) * 24 + (2,) * 4):
        sent = np.arange(np.prod(shape), dtype="<f8").reshape(shape)
        check_same(both_ways(sent), sent)


def test_an_array_that_must_not_be_written_arrives_writable(both_ways):
    sent = np.arange(5)
    sent.flags.writeable = False
    check_same(both_ways(sent), sent)
    check_same(both_ways(np.frombuffer(b"12345678", "<i4")), np.frombuffer(b"12345678", "<i4"))


def test_a_memmap_arrives_as_an_array(both_ways, tmp_path):
    mapped = np.memmap(tmp_path / "map", "<f4", "w+", shape=(40, 50))
    mapped[:] = np.arange(2000).reshape(40, 50)
    check_same(both_ways(mapped), np.asarray(mapped))
    check_same(both_ways(mapped[::3].T), np.asarray(mapped[::3].T))


def test_a_matrix_and_other_subclasses_arrive_as_arrays(both_ways):
    class Own(np.ndarray):
        pass
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.matrix([[1, 2], [3, 4]])
    check_same(both_ways(matrix), np.array([[1, 2], [3, 4]]))
    check_same(both_ways(np.arange(5).view(Own)), np.arange(5))
    check_same(both_ways(np.rec.array(np.arange(5.0))), np.arange(5.0))


def test_special_floats_arrive_bit_by_bit(both_ways):
    for kind, unsigned in (("<f2", "<u2"), ("<f4", "<u4"), ("<f8", "<u8")):
        bits = np.random.default_rng(3).integers(0, 2 ** (8 * int(kind[2])), 500, dtype=unsigned, endpoint=False)
        special = np.array([np.nan, np.inf, -np.inf, -0.0], kind)
        for sent in (bits.view(kind), special):
            check_same(both_ways(sent), sent)


def test_long_doubles_keep_their_precision(both_ways):
    sent = np.array([1, 1 + np.finfo(np.longdouble).eps, np.nan, -np.inf, np.finfo(np.longdouble).max], np.longdouble)
    got = both_ways(sent)
    assert got.dtype == sent.dtype
    assert np.array_equal(got, sent, equal_nan=True)


def test_arrays_arrive_where_they_are_in_nested_data(listener, worker, collector):
    listener.register_handler("worker-1", collector)
    worker.send("DATA", {"layers": [{"w": np.ones((2, 2)), "b": np.zeros(2, "f4")}, (np.arange(3),)], "w": np.array(True)})
    data = collector.next().data
    check_same(data["layers"][0]["w"], np.ones((2, 2)))
    check_same(data["layers"][0]["b"], np.zeros(2, "f4"))
    check_same(data["layers"][1][0], np.arange(3))
    check_same(data["w"], np.array(True))


def random_array(chance):
    dims = chance.choice([0, 1, 1, 2, 2, 3, 5, 9])
    shape = [chance.choice([0, 1, 2, 3, 5]) if chance.random() < 0.1 else chance.choice([1, 2, 3, 4]) for _ in range(dims)]
    dtype = np.dtype(chance.choice(DTYPES))
    array = np.random.default_rng(chance.randrange(2**32)).integers(0, 100, shape).astype(dtype)
    array = np.asarray(array, order=chance.choice("CF"))
    for _ in range(chance.randrange(4)):
        step = chance.randrange(5)
        if step == 0:
            array = array.transpose(chance.sample(range(array.ndim), array.ndim))
        elif step == 1 and array.ndim:
            array = array[tuple(slice(None, None, chance.choice([1, 2, -1, -2])) for _ in range(array.ndim))]
        elif step == 2 and array.ndim < 20:
            array = array[None]
        elif step == 3 and array.ndim and array.shape[0]:
            array = array[chance.randrange(array.shape[0])]
        elif step == 4 and array.ndim < 20:
            array = np.broadcast_to(array, (chance.randrange(3),) + np.shape(array))
    return np.asarray(array)


def test_random_arrays_come_back_equal():
    for seed in seeds(3000):
        sent = random_array(random.Random(seed))
        try:
            check_same(through(sent), sent)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {sent.dtype} {sent.shape} {sent.strides}") from error


def test_random_arrays_in_one_message_arrive_equal(both_ways):
    for seed in range(20):
        chance = random.Random(10000 + seed)
        sent = [random_array(chance) for _ in range(chance.randrange(50))]
        got = both_ways(sent)
        assert len(got) == len(sent), f"seed {seed}"
        for one, other in zip(got, sent):
            check_same(one, other)


#   --------------------------------------------------------------------------
#   Scalars

@pytest.mark.parametrize("scalar", [
    np.int8(-5), np.int16(-5), np.int32(-5), np.int64(-2**63), np.uint8(255), np.uint16(5), np.uint32(5), np.uint64(2**64 - 1),
    np.float16(0.5), np.float32(0.1), np.float64(0.1), np.bool_(True), np.bool_(False), np.str_("text"), np.bytes_(b"bytes"),
    np.intp(7), np.float32("inf"),
], ids=lambda scalar: type(scalar).__name__)
def test_a_scalar_of_numpy_arrives_as_a_python_value(both_ways, scalar):
    got = both_ways(scalar)
    assert got == scalar.item() and type(got) is type(scalar.item())


@pytest.mark.parametrize("scalar", [np.longdouble(1) / 3, np.complex64(1 + 2j), np.complex128(1 - 2j)],
                         ids=lambda scalar: type(scalar).__name__)
def test_a_scalar_that_python_has_no_number_for_arrives_as_an_array_without_dimensions(both_ways, scalar):
    got = both_ways(scalar)
    check_same(got, np.asarray(scalar))
    assert got == scalar


def test_a_nan_scalar_arrives(both_ways):
    assert np.isnan(both_ways(np.float32("nan")))


#   --------------------------------------------------------------------------
#   What is refused

@pytest.mark.parametrize("value", [
    np.array([object()]), np.array(["text"]), np.array([b"bytes"]), np.array(["2020-01-01"], "M8[D]"), np.array([5], "m8[s]"),
    np.zeros(3, [("a", "<i4"), ("b", "<f4")]), np.zeros(3, "V8"), np.array(None), np.zeros(0, object), np.zeros(3, np.clongdouble),
    np.ma.array([1, 2, 3], mask=[0, 1, 0]), np.ma.array([1, 2, 3]), np.ma.masked,
    np.clongdouble(1j), np.datetime64("2020-01-01"), np.datetime64("2020-01-01T00:00:00", "s"), np.datetime64(5, "ns"),
    np.timedelta64(5, "s"), np.timedelta64(5, "ns"), np.timedelta64(5, "Y"), np.timedelta64(5), np.datetime64("NaT"),
    np.zeros(1, [("a", "<i4")])[0],
], ids=lambda value: f"{type(value).__name__} {value.dtype}")
def test_what_is_no_array_of_numbers_is_refused_with_its_place(worker, value):
    with pytest.raises(TypeError, match=r'data\["a"\]\[2\]'):
        worker.send("DATA", {"a": [0, 1, value]})


def test_a_dtype_or_another_thing_of_numpy_is_refused_with_its_place():
    for value in (np.dtype("f4"), np.float32, np.nditer(np.arange(3)), np.random.default_rng(1)):
        with pytest.raises(TypeError, match=r'data\["a"\]'):
            _core.pack({"a": value})


def test_what_is_refused_leaves_no_array_behind():
    array = np.zeros(1000)
    dead = weakref.ref(array)
    with pytest.raises(TypeError):
        _core.pack({"w": array, "a": object()})
    with pytest.raises(TypeError):
        _core.pack({"w": np.ma.array(array)})
    del array
    gc.collect()
    assert dead() is None


#   --------------------------------------------------------------------------
#   Whose memory it is

@pytest.mark.parametrize("size", [10, 3 * MIB])
def test_an_array_changed_right_after_send_arrives_as_it_was(listener, worker, collector, size):
    listener.register_handler("worker-1", collector)
    array = np.zeros(size, "u1")
    for number in range(5):
        array[:] = number
        worker.send("DATA", {"w": array})
        array[:] = 99
    for number in range(5):
        assert (collector.next().data["w"] == number).all()
    for number in range(5):
        array[:] = number
        listener.send("worker-1", "DATA", {"w": array})
        array[:] = 99
    for number in range(5):
        assert (worker.recv(PATIENCE).data["w"] == number).all()


def test_sending_lets_go_of_the_array(listener, worker, collector):
    listener.register_handler("worker-1", collector)
    array = np.zeros(2 * MIB, "u1")
    dead = weakref.ref(array)
    worker.send("DATA", {"w": array})
    del array
    assert dead() is None
    assert collector.next().data["w"].size == 2 * MIB


@pytest.mark.parametrize("dtype", ["u1", "<f4", ">f8", "<c16", "<f16"])
def test_a_large_array_is_a_view_that_can_be_written_and_outlives_its_message(listener, worker, collector, dtype):
    listener.register_handler("worker-1", collector)
    sent = np.arange(2 * MIB // np.dtype(dtype).itemsize).astype(dtype)
    worker.send("DATA", {"small": b"x", "w": sent})
    message = collector.next()
    array = message.data["w"]
    if sent.itemsize == 1:      # others are copied where they did not arrive aligned
        assert array.base is not None
    dead = weakref.ref(array)
    del message
    gc.collect()
    worker.flush(PATIENCE)
    for _ in range(4):      # whatever was freed is used again
        worker.send("DATA", {"w": sent * 0 + 1})
        collector.next()
    check_same(array, sent)
    array[:] = 5
    assert (array == 5).all()
    del array
    gc.collect()
    assert dead() is None


def test_two_large_arrays_of_a_message_do_not_share_elements(listener, worker, collector):
    listener.register_handler("worker-1", collector)
    worker.send("DATA", {"a": np.zeros(2 * MIB, "u1"), "b": np.zeros(2 * MIB, "u1")})
    data = collector.next().data
    data["a"][:] = 7
    assert not data["b"].any()


def test_an_array_kept_outlives_the_rest_of_its_message(listener, worker, collector):
    listener.register_handler("worker-1", collector)
    worker.send("DATA", {"a": np.full(2 * MIB, 1, "u1"), "b": np.full(2 * MIB, 2, "u1")})
    kept = collector.next().data.pop("b")[100:-100:2]
    gc.collect()
    worker.flush(PATIENCE)
    assert (kept == 2).all()


def test_a_large_array_outlives_its_listener_and_worker(collector):
    sent = np.arange(MIB, dtype="<i4")
    listener = muster.Listener("tcp://127.0.0.1:*")
    listener.register_handler("w", collector)
    listener.start()
    worker = muster.Worker(listener.endpoint, "w")
    listener.wait_for_workers(1, PATIENCE)
    worker.send("DATA", {"w": sent})
    listener.send("w", "DATA", {"w": sent})
    from_worker, from_listener = collector.next().data["w"], worker.recv(PATIENCE).data["w"]
    assert worker.close() == 0
    listener.stop()
    del listener, worker, collector
    gc.collect()
    check_same(from_worker, sent)
    check_same(from_listener, sent)
    from_worker[:] = from_listener[::-1]
    assert from_worker[0] == sent[-1]


def test_a_large_array_does_not_keep_its_listener(collector):
    listener = muster.Listener("tcp://127.0.0.1:*")
    dead = weakref.ref(listener)
    listener.register_handler("w", collector)
    with listener:
        with muster.Worker(listener.endpoint, "w") as worker:
            worker.send("DATA", {"w": np.zeros(2 * MIB, "u1")})
            array = collector.next().data["w"]
    del listener
    gc.collect()
    assert dead() is None
    assert not array.any()


def test_a_large_array_over_inproc_is_not_the_senders_memory(collector):
    sent = np.zeros(4 * MIB, "u1")
    with muster.Listener("inproc://arrays") as listener:
        listener.register_handler("w", collector)
        with muster.Worker(listener.endpoint, "w") as worker:
            worker.send("DATA", {"w": sent})
            first = collector.next().data["w"]
            first[:] = 7
            assert not sent.any()
            worker.send("DATA", {"w": sent})
            assert not collector.next().data["w"].any()


def test_a_broadcast_array_that_one_worker_writes_stays_what_it_was_for_the_other(collector):
    with muster.Listener("inproc://broadcast-arrays") as listener:
        with muster.Worker(listener.endpoint, "a") as one, muster.Worker(listener.endpoint, "b") as other:
            listener.wait_for_workers(2, PATIENCE)
            listener.broadcast("DATA", {"w": np.zeros(4 * MIB, "u1")})
            first = one.recv(PATIENCE).data["w"]
            first[:] = 7
            assert not other.recv(PATIENCE).data["w"].any()


#   --------------------------------------------------------------------------
#   When NumPy is imported

ARRAY = _core.pack({"w": np.arange(3)}).hex()


def test_whoever_has_no_array_does_not_import_numpy():
    children.check("""
        import sys, muster
        data = {"values": [1, 2.5, "text", None, (True, b"bytes"), {"deep": [[]]}], "ext": muster.Ext(5, b"x"), "b": bytearray(3)}
        with muster.Listener("tcp://127.0.0.1:*") as listener, muster.Worker(listener.endpoint, "worker-1") as worker:
            worker.send("DATA", data)
            message = next(listener.messages(30))
            listener.send("worker-1", "BACK", message.data)
            assert worker.recv(30).data == message.data
            del message
        assert "numpy" not in sys.modules
        """)


def test_the_first_array_that_arrives_imports_numpy_for_all_threads_that_have_one():
    assert children.check("""
        import concurrent.futures, sys, threading
        from muster import _core
        assert "numpy" not in sys.modules
        begin = threading.Barrier(4)
        def unpack(number):
            begin.wait(30)
            if number == 0:
                import numpy
            return _core.unpack(bytes.fromhex(sys.argv[1]))["w"]
        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            for array in threads.map(unpack, range(4)):
                print(type(array), array.tolist())
        """, ARRAY) == ["<class 'numpy.ndarray'> [0, 1, 2]"] * 4


def test_what_another_thread_reads_of_a_message_is_whole_though_its_handler_returns_meanwhile(monkeypatch):
    """NumPy's import, in the middle of reading, lets the handler return; its message's memory is then filled with other bytes."""
    monkeypatch.setenv("MALLOC_PERTURB_", "85")
    payload = _core.pack({"w": np.arange(1000)})[len(b"\x81\xa1w\xc8..."):]
    assert children.check("""
        import queue, sys, threading, muster
        from children import LIMIT
        importing, handled = threading.Event(), threading.Event()
        class Finder:
            def find_spec(name, path, target=None):
                if name == "numpy":
                    importing.set()
                    assert handled.wait(LIMIT)
        sys.meta_path.insert(0, Finder)
        messages, arrays = queue.SimpleQueue(), queue.SimpleQueue()
        def handler(message):
            messages.put(message)
            assert importing.wait(LIMIT)
        threading.Thread(target=lambda: arrays.put(messages.get().data["w"])).start()
        with muster.Listener("tcp://127.0.0.1:*") as listener, muster.Worker(listener.endpoint, "worker-1") as worker:
            listener.register_default_handler(handler)
            worker.send("ARRAY", {"w": muster.Ext(1, bytes.fromhex(sys.stdin.read()))})
            worker.flush(LIMIT)
            handled.set()
            print(arrays.get(timeout=LIMIT).tolist() == list(range(1000)))
        """, entered=payload.hex()) == ["True"]


def test_an_array_of_numpy_that_was_imported_later_is_sent():
    assert children.check("""
        import sys
        from muster import _core
        _core.pack({"list": [1]})
        import numpy
        assert _core.unpack(_core.pack({"scalar": numpy.float32(0.5)})) == {"scalar": 0.5}
        print(_core.pack({"w": numpy.arange(3)}).hex())
        """) == [ARRAY]


def test_an_array_without_numpy_is_an_error_and_with_it_later_none():
    children.check("""
        import sys
        from muster import _core
        sys.modules["numpy"] = None
        for _ in range(2):
            try:
                _core.unpack(bytes.fromhex(sys.argv[1]))
            except ImportError:
                pass
            else:
                raise AssertionError
        assert _core.unpack(_core.pack({"list": [1]})) == {"list": [1]}
        del sys.modules["numpy"]
        assert _core.unpack(bytes.fromhex(sys.argv[1]))["w"].size == 3
        """, ARRAY)
