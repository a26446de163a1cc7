"""What data may hold, both ways, and what is said about what it may not hold.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import collections
import datetime
import decimal
import enum
import math
import random
import struct
import threading

import msgpack
import muster
import numpy
import pytest
from conftest import PATIENCE, seeds
from muster import _core


@pytest.fixture(params=["message", "command"])
def both_ways(request, pair, collector):
    """Send data from worker to listener, or from listener to worker, and give what arrived."""
    listener, worker = pair

    def as_message(data):
        worker.send("DATA", data)
        return collector.next().data

    def as_command(data):
        listener.send("worker-1", "DATA", data)
        return worker.recv(PATIENCE).data
    listener.register_handler("worker-1", collector, overwrite=True)
    return as_message if request.param == "message" else as_command


def nested(levels):
    """Data of so many levels, data itself the first."""
    value = 7
    for level in range(levels - 1):
        value = [value] if level % 2 else {"k": value}
    return {"a": value}


class Text(str):
    pass


class Number(int):
    pass


class Real(float):
    pass


class Mapping(dict):
    pass


class Sequence(list):
    pass


class Color(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    HIGH = 3


class Name(str, enum.Enum):
    ONE = "one"


Pair = collections.namedtuple("Pair", "left right")


#   --------------------------------------------------------------------------
#   What arrives

SAME = [
    None, True, False, 0, 1, -1, 127, 128, -32, -33, -128, -129, 255, 256, 65535, 65536, -32769, 2**31, 2**32 - 1, 2**32,
    2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, -2**31 - 1, -2**63, 0.0, -0.0, 1.5, 1e308, 5e-324, math.inf, -math.inf,
    "", "a", "é", "\U0001f600", "nul\0inside", "x" * 31, "x" * 32, "x" * 255, "x" * 256, "x" * 65536, "\ufffe\uffff",
    b"", b"\0\xff", b"y" * 255, b"y" * 256, b"y" * 65536, [], {}, [[], {}, [None]], {"k": {"l": [1, "2", b"3"]}},
    list(range(15)), list(range(16)), list(range(65536)), {str(key): key for key in range(16)},
    {str(key): key for key in range(65536)}, {"": 1, "nul\0": 2, "é": 3},
]


@pytest.mark.parametrize("value", SAME, ids=lambda value: repr(value)[:30].encode("unicode_escape").decode())
def test_a_value_of_msgpack_arrives_with_its_type(both_ways, value):
    got = both_ways({"a": value})
    assert got == {"a": value}
    assert type(got["a"]) is type(value)
    assert repr(got["a"]) == repr(value)


def test_nan_arrives(both_ways):
    got = both_ways({"a": math.nan, "b": [-math.nan]})
    assert math.isnan(got["a"]) and math.isnan(got["b"][0])


def test_data_left_out_arrives_as_an_empty_dict(listener, worker, collector):
    listener.register_handler("worker-1", collector)
    worker.send("NONE")
    worker.send("NONE", None)
    assert [collector.next().data, collector.next().data] == [{}, {}]


def test_the_order_of_a_dict_is_kept(both_ways):
    keys = [str(key) for key in range(1000)]
    random.Random(7).shuffle(keys)
    assert list(both_ways({key: None for key in keys})) == keys


def test_tuples_arrive_as_lists(both_ways):
    got = both_ways({"a": (1, (2, ()), [3])})
    assert got == {"a": [1, [2, []], [3]]}


def test_bytearray_and_memoryview_arrive_as_bytes(both_ways):
    got = both_ways({"a": bytearray(b"abc"), "b": memoryview(b"abcdef")[2:4], "c": memoryview(bytearray(b""))})
    assert got == {"a": b"abc", "b": b"cd", "c": b""}
    assert {type(value) for value in got.values()} == {bytes}


def test_a_memoryview_of_any_format_arrives_as_its_bytes(both_ways):
    numbers = numpy.arange(6, dtype="<i4").reshape(2, 3)
    assert both_ways({"a": memoryview(numbers)})["a"] == numbers.tobytes()


@pytest.mark.parametrize("value, plain", [
    (Text("t"), "t"), (Number(4), 4), (Real(0.5), 0.5), (Mapping(a=1), {"a": 1}), (Sequence([1]), [1]),
    (collections.OrderedDict(b=1, a=2), {"b": 1, "a": 2}), (collections.Counter("aab"), {"a": 2, "b": 1}),
    (collections.defaultdict(list, a=[1]), {"a": [1]}), (Pair(1, "r"), [1, "r"]), (Level.HIGH, 3), (Name.ONE, "one"),
])
def test_a_subclass_arrives_as_what_it_is_of(both_ways, value, plain):
    got = both_ways({"a": value})["a"]
    assert got == plain and type(got) is type(plain)


def test_data_may_be_a_subclass_of_dict_with_keys_of_a_subclass_of_str(both_ways):
    assert both_ways(Mapping({Text("k"): 1, Name.ONE: 2})) == {"k": 1, "one": 2}


@pytest.mark.parametrize("kind", [-128, -2, -1, 0, 1, 2, 127])
def test_an_ext_arrives_as_an_ext(both_ways, kind):
    for size in (0, 1, 2, 3, 4, 8, 16, 17, 255, 256, 65536):
        got = both_ways({"a": [muster.Ext(kind, b"p" * size)]})["a"][0]
        assert got == muster.Ext(kind, b"p" * size)
        assert isinstance(got, muster.Ext) and type(got.data) is bytes


def test_64_levels_arrive(both_ways):
    data = nested(64)
    assert both_ways(data) == data


def test_a_huge_str_and_huge_bytes_arrive(both_ways):
    data = {"s": "é" * (3 << 19), "b": random.Random(1).randbytes(3 << 20)}
    assert both_ways(data) == data


def test_what_is_changed_after_send_arrives_as_it_was(listener, worker, collector):
    listener.register_handler("worker-1", collector)
    inner, blob = [1, 2], bytearray(b"before")
    data = {"inner": inner, "blob": blob}
    worker.send("DATA", data)
    inner.append(3)
    blob[:] = b"after!"
    data["more"] = 1
    assert collector.next().data == {"inner": [1, 2], "blob": b"before"}


def test_each_message_has_data_of_its_own(both_ways):
    first, second = both_ways({"a": [1]}), both_ways({"a": [1]})
    first["a"].append(2)
    assert second == {"a": [1]}


def test_random_data_arrives_equal(both_ways):
    for seed in range(60):
        data = random_map(random.Random(seed), 5)
        assert both_ways(data) == data, f"seed {seed}"


def random_value(chance, depth):
    kind = chance.randrange(9 if depth else 7)
    if kind == 0:
        return chance.choice([None, True, False])
    if kind == 1:
        return chance.randrange(-2**63, 2**64) >> chance.randrange(64)
    if kind == 2:
        return chance.uniform(-1, 1) * 10.0 ** chance.randrange(-300, 300)
    if kind in (3, 4):
        return random_text(chance)
    if kind == 5:
        return chance.randbytes(chance.choice([0, 1, 40, 300]))
    if kind == 6:
        return muster.Ext(chance.choice([-2, 0, 2, 127]), chance.randbytes(chance.randrange(20)))
    if kind == 7:
        return [random_value(chance, depth - 1) for _ in range(chance.randrange(20))]
    return random_map(chance, depth - 1)


def random_text(chance):
    letters = "ab\0 \"'\\\n\x7f\x80é\u2028\ud7ff\ue000\uffff\U00010000\U0010ffff"
    return "".join(chance.choices(letters, k=chance.choice([0, 1, 5, 40])))


def random_map(chance, depth):
    return {random_text(chance): random_value(chance, depth) for _ in range(chance.randrange(20))}


#   --------------------------------------------------------------------------
#   What is refused, and what is said about it

class Bare:
    pass


def lists_inside_itself():
    around = []
    around.append(around)
    return around


def dict_inside_itself():
    around = {}
    around["k"] = around
    return around


REFUSED = [
    ({"a": 2**64}, OverflowError, 'data["a"]'),
    ({"a": -2**63 - 1}, OverflowError, 'data["a"]'),
    ({"a": {"b": [0, 10**1000]}}, OverflowError, 'data["a"]["b"][1]'),
    ({"a": Number(2**64)}, OverflowError, 'data["a"]'),
    ({"a": "\ud800"}, ValueError, 'data["a"]'),
    ({"a": ["x", "x\udfffy"]}, ValueError, 'data["a"][1]'),
    ({"\udc00": 1}, ValueError, "data["),
    ({"a": {"\udc00": 1}}, ValueError, 'data["a"]['),
    ({"a": {1, 2}}, TypeError, 'data["a"]'),
    ({"a": [0, 1, 2, frozenset()]}, TypeError, 'data["a"][3]'),
    ({"a": datetime.datetime(2020, 1, 1)}, TypeError, 'data["a"]'),
    ({"a": 1j}, TypeError, 'data["a"]'),
    ({"a": ((), (object(),))}, TypeError, 'data["a"][1][0]'),
    ({"a": {"b": {"c": Bare()}}}, TypeError, 'data["a"]["b"]["c"]'),
    ({"a": decimal.Decimal(1)}, TypeError, 'data["a"]'),
    ({"a": Color.RED}, TypeError, 'data["a"]'),
    ({"a": range(3)}, TypeError, 'data["a"]'),
    ({"a": (value for value in ())}, TypeError, 'data["a"]'),
    ({"a": {}.keys()}, TypeError, 'data["a"]'),
    ({"a": len}, TypeError, 'data["a"]'),
    ({"a": Bare}, TypeError, 'data["a"]'),
    ({"a": collections.deque()}, TypeError, 'data["a"]'),
    ({"a": memoryview(b"abcdef")[::2]}, TypeError, 'data["a"]'),
    ({"a": [memoryview(b"ab")[::-1]]}, TypeError, 'data["a"][0]'),
    ({1: 1}, TypeError, "data[1]"),
    ({b"k": 1}, TypeError, "data["),
    ({None: 1}, TypeError, "data[None]"),
    ({"a": {("t",): 1}}, TypeError, 'data["a"][('),
    ({"a": [{1.5: 1}]}, TypeError, 'data["a"][0][1.5]'),
    ({"a": muster.Ext(128, b"")}, TypeError, 'data["a"]'),
    ({"a": muster.Ext(-129, b"")}, TypeError, 'data["a"]'),
    ({"a": muster.Ext("1", b"")}, TypeError, 'data["a"]'),
    ({"a": muster.Ext(1, "text")}, TypeError, 'data["a"]'),
    ({"a": lists_inside_itself()}, ValueError, 'data'),
    ({"a": dict_inside_itself()}, ValueError, 'data'),
    (nested(65), ValueError, "data"),
    (nested(100000), ValueError, "data"),
    ([], TypeError, "data"),
    ("text", TypeError, "data"),
    (7, TypeError, "data"),
    ([("a", 1)], TypeError, "data"),
]


@pytest.mark.parametrize("data, error, place", REFUSED, ids=range(len(REFUSED)))
def test_what_msgpack_cannot_hold_is_refused_with_its_place(listener, worker, collector, data, error, place):
    listener.register_handler("worker-1", collector)
    for send in (lambda: worker.send("DATA", data), lambda: listener.send("worker-1", "DATA", data),
                 lambda: listener.broadcast("DATA", data), lambda: listener.ask("DATA", data), lambda: _core.pack(data)):
        with pytest.raises(error) as caught:
            send()
        assert caught.type is error
        assert place in str(caught.value)
    worker.send("AFTER")
    assert collector.next().cmd == "AFTER"
    assert listener.stats["rejected"] == 0


def test_what_is_refused_in_a_reply_leaves_the_message_usable(listener, worker):
    listener.send("worker-1", "ASK")
    command = worker.recv(PATIENCE)
    with pytest.raises(TypeError, match=r'data\["a"\]'):
        command.reply("ANSWER", {"a": object()})
    done = threading.Event()
    listener.register_handler("worker-1", lambda message: done.set())
    command.reply("ANSWER", {"a": 1})
    assert done.wait(PATIENCE)


def test_a_very_deep_place_is_named_in_short():
    with pytest.raises(TypeError) as caught:
        _core.pack({"a": nested(40), "b": [[[[[[[[[[[[[[[[[[object()]]]]]]]]]]]]]]]]]]})
    assert len(str(caught.value)) < 300


def test_a_key_with_quotes_is_shown_as_a_user_would_write_it():
    with pytest.raises(TypeError) as caught:
        _core.pack({"it's": object()})
    assert "it's" in str(caught.value)


def test_two_keys_of_one_text_are_refused(listener, worker, collector):
    class Other(str):
        __hash__ = object.__hash__

        def __eq__(self, other):
            return self is other
    listener.register_handler("worker-1", collector)
    with pytest.raises((ValueError, TypeError, muster.Error)):
        worker.send("DATA", {"k": 1, Other("k"): 2})
    worker.send("AFTER")
    assert collector.next().cmd == "AFTER"
    assert listener.stats["rejected"] == 0


#   --------------------------------------------------------------------------
#   Names

GOOD_NAMES = ["A", "x" * 255, "é" * 127, "with space", "\U0001f600", "/\\\"'", "\xa0"]
BAD_NAMES = ["", "x" * 256, "é" * 128, "a\0b", "\n", "tab\t", "\x7f", "\x1b[0m", "\x85", "lone\ud800"]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_cmd_of_1_to_255_bytes_arrives(listener, worker, collector, name):
    listener.register_handler("worker-1", collector)
    worker.send(name)
    assert collector.next().cmd == name
    listener.send("worker-1", name)
    assert worker.recv(PATIENCE).cmd == name


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_source_of_1_to_255_bytes_is_one(listener, make_worker, collector, name):
    listener.register_handler(name, collector)
    make_worker(listener, name).send("HELLO")
    assert collector.next().source == name
    assert listener.workers == [name]


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_a_bad_cmd_is_a_value_error(listener, worker, name):
    listener.send("worker-1", "FIRST")
    command = worker.recv(PATIENCE)
    for send in (worker.send, lambda cmd: listener.send("worker-1", cmd), listener.broadcast, listener.ask, command.reply):
        with pytest.raises(ValueError):
            send(name)
    worker.flush(PATIENCE)
    assert listener.stats["received"] == 0


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_a_bad_source_is_a_value_error(listener, name):
    with pytest.raises(ValueError):
        muster.Worker(listener.endpoint, source=name)
    with pytest.raises(ValueError):
        listener.register_handler(name, print)
    assert listener.workers == []


@pytest.mark.parametrize("name", [None, 7, b"A", ["A"], Color.RED])
def test_a_cmd_that_is_no_str_is_a_type_error(listener, worker, name):
    for send in (worker.send, lambda cmd: listener.send("worker-1", cmd), listener.broadcast, listener.ask):
        with pytest.raises(TypeError, match="cmd"):
            send(name)


@pytest.mark.parametrize("name", [7, b"A", ["A"]])
def test_a_source_that_is_no_str_is_a_type_error(listener, name):
    with pytest.raises(TypeError, match="source"):
        muster.Worker(listener.endpoint, source=name)
    for call in (lambda: listener.send(name, "A"), lambda: listener.register_handler(name, print),
                 lambda: listener.unregister_handler(name)):
        with pytest.raises(TypeError, match="source"):
            call()


#   --------------------------------------------------------------------------
#   Data that changes while it is packed

class Acting(numpy.float32):
    """A scalar of NumPy's: packing it calls item()."""

    act = staticmethod(lambda: None)

    def item(self):
        type(self).act()
        return 1.0


def acting(act):
    return type("ActingNow", (Acting,), {"act": staticmethod(act)})(1)


def test_a_dict_that_grows_while_it_is_packed_is_refused():
    data = {"a": acting(lambda: data.update({str(key): key for key in range(1000)})), "z": 1}
    with pytest.raises(RuntimeError, match="data"):
        _core.pack(data)


def test_a_dict_that_is_cleared_while_it_is_packed_is_refused():
    inner = {"a": acting(lambda: inner.clear()), **{str(key): [key] for key in range(100)}}
    with pytest.raises(RuntimeError, match='data["inner"]'.replace("[", r"\[").replace("]", r"\]")):
        _core.pack({"inner": inner})


def test_a_dict_that_is_refilled_while_it_is_packed_does_no_harm():
    def refill():
        keys = list(data)
        data.clear()
        data.update((key + "!", object()) for key in keys)
    data = {str(key): acting(refill) for key in range(100)}
    with pytest.raises((RuntimeError, TypeError), match="data"):
        _core.pack(data)


def test_a_list_that_changes_while_it_is_packed_is_refused():
    for act in (lambda: items.clear(), lambda: items.append(1), lambda: items.pop()):
        items = [acting(act)] + [[number] for number in range(100)]
        with pytest.raises(RuntimeError, match=r'data\["items"\]'):
            _core.pack({"items": items})


def test_a_value_that_removes_itself_while_it_is_packed_does_no_harm():
    data = {"outer": {"inner": {"a": acting(lambda: data.clear())}}}
    with pytest.raises(RuntimeError):
        _core.pack(data)


def test_a_value_that_packs_meanwhile_does_no_harm():
    data = {"a": acting(lambda: _core.pack({"b": [acting(lambda: _core.pack({"c": 1}))]})), "d": 4}
    assert _core.unpack(_core.pack(data)) == {"a": 1.0, "d": 4}


def test_what_a_value_raises_while_it_is_packed_reaches_the_sender(worker):
    def act():
        raise LookupError("mine")
    with pytest.raises(LookupError, match="mine"):
        worker.send("DATA", {"a": [acting(act)]})


def test_the_methods_of_a_subclass_are_not_called():
    def called(*arguments):
        raise AssertionError("called")

    def hostile(base, *arguments):
        names = ["__str__", "__int__", "__float__", "__index__", "__iter__", "__len__", "__getitem__", "keys", "items",
                 "__bool__", "encode"]
        return type("Hostile", (base,), {name: called for name in names})(*arguments)
    data = {"a": hostile(str, "t"), "b": hostile(int, 3), "c": hostile(float, 0.5), "d": hostile(list, [1]),
            "e": hostile(dict, {"k": 1}), "f": hostile(bytes, b"b"), "g": hostile(tuple, (1,))}
    assert _core.unpack(_core.pack(data)) == {"a": "t", "b": 3, "c": 0.5, "d": [1], "e": {"k": 1}, "f": b"b", "g": [1]}


def test_a_key_whose_repr_fails_or_acts_does_no_harm():
    class Key(str):
        def __repr__(self):
            data.clear()
            raise LookupError("repr")
    data = {Key("k"): {Key("l"): object()}}
    with pytest.raises((LookupError, TypeError)):
        _core.pack(data)


def test_a_dict_that_another_thread_changes_all_the_time_is_sent_whole_or_refused(listener, worker, in_thread):
    data, stop, got = {"inner": {}, "list": []}, threading.Event(), []

    def change():
        chance = random.Random(3)
        while not stop.is_set():
            data["inner"][str(chance.randrange(50))] = [chance.random()]
            data["inner"].pop(str(chance.randrange(50)), None)
            data["list"].append(numpy.float32(1))
            if len(data["list"]) > 50:
                data["list"].clear()

    def check(message):
        inner = message.data["inner"]
        got.append(all(isinstance(value[0], float) for value in inner.values()))
    listener.register_handler("worker-1", check)
    changing = in_thread(change)
    sent = 0
    try:
        for _ in range(2000):
            try:
                worker.send("DATA", data)
                sent += 1
            except RuntimeError:
                pass
        worker.flush(PATIENCE)
    finally:
        stop.set()
    changing.result(PATIENCE)
    assert sent and got == [True] * sent
    assert listener.stats["failed"] == 0


#   --------------------------------------------------------------------------
#   Bytes

def test_what_is_packed_is_what_msgpack_reads():
    for seed in seeds(200):
        data = random_map(random.Random(seed), 5)
        read = msgpack.unpackb(_core.pack(data), raw=False, ext_hook=muster.Ext, strict_map_key=True)
        assert read == data, f"seed {seed}"


def test_what_msgpack_packs_is_unpacked():
    for seed in seeds(200):
        data = without_ext(random_map(random.Random(seed), 5))
        assert _core.unpack(msgpack.packb(data)) == data, f"seed {seed}"
        assert _core.unpack(bytearray(msgpack.packb(data, use_single_float=False))) == data
    assert _core.unpack(msgpack.packb({"f": 0.5}, use_single_float=True)) == {"f": 0.5}
    assert _core.unpack(msgpack.packb({"e": msgpack.ExtType(5, b"x")})) == {"e": muster.Ext(5, b"x")}


def without_ext(value):
    if isinstance(value, dict):
        return {key: without_ext(inner) for key, inner in value.items()}
    if isinstance(value, muster.Ext):
        return None
    return [without_ext(inner) for inner in value] if isinstance(value, list) else value


def test_integers_are_packed_in_their_shortest_form():
    for number in [0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**64 - 1, -1, -32, -33, -128, -129, -32768,
                   -32769, -2**31, -2**31 - 1, -2**63]:
        assert _core.pack({"a": number}) == msgpack.packb({"a": number})


def test_truncated_bytes_are_format():
    whole = _core.pack({"a": [1, 2**40, 1.5, "text", b"bytes", {"k": None}], "w": numpy.arange(5), "e": muster.Ext(9, b"12345")})
    for size in range(len(whole)):
        with pytest.raises(muster.Format):
            _core.unpack(whole[:size])


@pytest.mark.parametrize("bytes", [
    b"", b"\x80\x80", b"\xc1", b"\x81\xa1a\xc1", b"\x81\x01\x02", b"\x81\xa1a", b"\xdf\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff",
    b"\xdb\xff\xff\xff\xffx", b"\xc6\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x01", b"\x81\xa1a\xa1\xff", b"\x81\xa1\xff\x01",
    b"\x81\xa1a\xa3\xed\xa0\x80", b"\x81\xa1a\xa2\xc0\x80", b"\x91" * 65 + b"\xc0", b"\x91" * 65, b"\x91" * 100000, b"\x81\xa1a" * 100000,
], ids=lambda bytes: bytes[:12].hex())
def test_bytes_that_break_a_rule_are_format(bytes):
    with pytest.raises(muster.Format):
        _core.unpack(bytes)


def test_64_levels_are_unpacked():
    bytes = b"\x91" * 64 + b"\xc0"
    assert msgpack.packb(_core.unpack(bytes)) == bytes


def test_random_bytes_are_data_or_format():
    good = _core.pack({"a": [1, "text", b"b"], "w": numpy.arange(4, dtype="<f4"), "e": muster.Ext(1, b"\xa3<f4")})
    outcomes = collections.Counter()
    for seed in seeds(20000):
        chance = random.Random(seed)
        if seed % 2:
            bytes = bytearray(good)
            for _ in range(chance.randrange(1, 5)):
                bytes[chance.randrange(len(bytes))] = chance.randrange(256)
        else:
            bytes = chance.randbytes(chance.randrange(60))
        try:
            _core.unpack(bytes)
            outcomes["data"] += 1
        except muster.Format:
            outcomes["format"] += 1
        except Exception as error:
            pytest.fail(f"seed {seed}: {error!r} for {bytes.hex()}")
    assert outcomes["data"] and outcomes["format"]


def ext_array(dtype, shape, elements=b""):
    payload = msgpack.packb(dtype) + msgpack.packb(shape) + elements
    return msgpack.packb({"a": msgpack.ExtType(1, payload)}), payload


@pytest.mark.parametrize("dtype, shape, elements", [
    ("<f4", [2], b"1234567"), ("<f3", [1], b"123"), ("|O8", [1], b"12345678"), ("<U1", [1], b"1234"), ("<M8", [1], b"12345678"),
    ("", [], b""), ("f", [1], b"1234"), ("<f4", [2**62, 4], b""), ("<f4", [0, 2**63], b""), ("<f4", [2**64 - 1, 0], b""),
    ("|i4", [1], b"1234"), ("<i16", [1], b"1" * 16), ("<c32", [1], b"1" * 32), ("<f4", [1] * 33, b"1234"), ("<f4", [-1], b""),
    ("<f4,<i4", [1], b"12345678"), ("<f4\0", [1], b"1234"), ("<f04", [1], b"1234"), ("<b2", [1], b"12"), ("!f4", [1], b"1234"),
])
def test_an_ext_1_that_is_no_valid_array_is_an_ext(dtype, shape, elements):
    bytes, payload = ext_array(dtype, shape, elements)
    assert _core.unpack(bytes) == {"a": muster.Ext(1, payload)}


@pytest.mark.parametrize("dtype, shape, elements, array", [
    ("<f4", [0, 2**60], b"", numpy.empty((0, 2**60), "<f4")),
    ("<f4", [0, 2**60, 0], b"", numpy.empty((0, 2**60, 0), "<f4")),
    ("<i4", [], b"\1\0\0\0", numpy.array(1, "<i4")),
    ("i4", [1], struct.pack("=i", 9), numpy.array([9], "=i4")),
    ("=i4", [1], struct.pack("=i", 9), numpy.array([9], "=i4")),
    (">i4", [1], b"\0\0\0\7", numpy.array([7], ">i4")),
    ("<u1", [1], b"\7", numpy.array([7], "u1")),
    ("b1", [2], b"\0\1", numpy.array([False, True])),
    ("<f4", [1] * 32, b"\0\0\0\0", numpy.zeros([1] * 32, "<f4")),
])
def test_an_ext_1_that_is_a_valid_array_is_one(dtype, shape, elements, array):
    got = _core.unpack(ext_array(dtype, shape, elements)[0])["a"]
    assert got.dtype == array.dtype and got.shape == array.shape and got.tobytes() == array.tobytes()


def test_bytes_may_be_in_any_contiguous_buffer():
    packed = _core.pack({"a": 1})
    for buffer in (packed, bytearray(packed), memoryview(packed), numpy.frombuffer(packed, "u1")):
        assert _core.unpack(buffer) == {"a": 1}
    for wrong in ("text", 7, None):
        with pytest.raises(TypeError):
            _core.unpack(wrong)
