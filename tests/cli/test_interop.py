"""Producers in other languages, and hostile ones, against muster listen.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import itertools
import json
import math
import os
import random
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import msgpack
import zmq

from command import TIMEOUT, CommandCase

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "plain"
MANY = 100000


class ProducerCase(CommandCase):
    def push_to(self, endpoint):
        """A PUSH socket that keeps all that cannot be sent yet, until the test ends."""
        context = zmq.Context()
        self.addCleanup(context.term)
        push = context.socket(zmq.PUSH)
        self.addCleanup(push.close, linger=0)
        push.sndhwm = 0
        push.connect(endpoint)
        return push


class Examples(ProducerCase):
    def run_example(self, source, command, **options):
        listener, endpoint = self.listen("--count", str(MANY))
        result = subprocess.run(
            [*command, endpoint, str(MANY)], capture_output=True, text=True, timeout=TIMEOUT, check=False, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_ends(listener, 0, handled=MANY, rejected=0, dropped=0, workers=0)
        lines = listener.out.all()
        self.assertEqual(len(lines), MANY)
        for step, line in enumerate(lines):
            loss = repr(0.5 / (step + 1))
            begin = f'{{"source":"{source}","cmd":"PROGRESS","data":{{"step":{step},"loss":'
            self.assertTrue(line.startswith(begin) and line.endswith("}}"), line)
            self.assertEqual(repr(float(line[len(begin):-2])), loss)

    def test_python_sends_a_hundred_thousand_messages(self):
        self.run_example("producer-py", [sys.executable, str(EXAMPLES / "producer.py")])

    def test_node_sends_a_hundred_thousand_messages(self):
        node = shutil.which("node")
        if not node:
            self.skipTest("NOT RUN: there is no node")
        directory = self.node_directory(node)
        if not directory:
            self.skipTest("NOT RUN: node finds no zeromq and @msgpack/msgpack, beside the example or in NODE_PATH")
        self.run_example("producer-js", [node, "producer.mjs"], cwd=directory)

    def node_directory(self, node):
        """Where the example finds its modules: its own place or one made for it,
        as import does not look in NODE_PATH."""
        script = 'import "zeromq"; import "@msgpack/msgpack"'
        candidates = [EXAMPLES]
        for modules in filter(None, os.environ.get("NODE_PATH", "").split(":")):
            directory = Path(self.directory())
            shutil.copy(EXAMPLES / "producer.mjs", directory)
            (directory / "node_modules").symlink_to(modules)
            candidates.append(directory)
        for directory in candidates:
            found = subprocess.run(
                [node, "--input-type=module", "-e", script],
                cwd=directory, capture_output=True, timeout=TIMEOUT, check=False)
            if found.returncode == 0:
                return directory
        return None


class Values(ProducerCase):
    def printed(self, data, **options):
        """What listen prints of data that msgpack-python packs."""
        listener, endpoint = self.listen("--count", "1")
        self.push_to(endpoint).send(msgpack.packb(["p", "V", data], **options))
        self.assert_ends(listener, 0, handled=1, rejected=0)
        line, = listener.out.all()
        self.assertTrue(line.startswith('{"source":"p","cmd":"V","data":'))
        return line.removeprefix('{"source":"p","cmd":"V","data":')[:-1]

    def test_integers_are_exact(self):
        numbers = [2**64 - 1, 2**63, 2**63 - 1, -2**63, 2**53 + 1, 0, -1]
        self.assertEqual(self.printed({"n": numbers}), json.dumps({"n": numbers}, separators=(",", ":")))

    def test_floats_are_exact_and_look_like_floats(self):
        self.assertEqual(self.printed({"f": [1.0, -0.0, 0.1, 1e22]}), '{"f":[1.0,-0.0,0.1,1e+22]}')
        self.assertEqual(self.printed({"f": [0.5, 2.0]}, use_single_float=True), '{"f":[0.5,2.0]}')
        self.assertEqual(
            self.printed({"f": [math.nan, math.inf, -math.inf]}),
            '{"f":[{"$float":"nan"},{"$float":"inf"},{"$float":"-inf"}]}')

    def test_binary_ext_and_text(self):
        self.assertEqual(
            self.printed({"b": b"\xff", "e": msgpack.ExtType(7, b"")}), '{"b":{"$bin":"/w=="},"e":{"$ext":[7,""]}}')
        self.assertEqual(self.printed({"s": "é\0\u2028\x7f"}), '{"s":"é\\u0000\\u2028\\u007f"}')
        self.assertEqual(self.printed({"a\0b": 1}), '{"a\\u0000b":1}')

    def test_dollars_and_nesting(self):
        self.assertEqual(
            self.printed({"a": {"$bin": 1}, "b": {"$": {}}}), '{"a":{"$map":{"$bin":1}},"b":{"$map":{"$":{}}}}')
        deep = {"a": 1}
        for _ in range(63):
            deep = {"a": deep}
        self.assertEqual(self.printed(deep), '{"a":' * 64 + "1" + "}" * 64)


class Hostile(ProducerCase):
    GOOD = msgpack.packb(["good", "HERE", {}])

    def assert_rejects(self, frames, *, multipart=()):
        listener, endpoint = self.listen("--count", "1")
        push = self.push_to(endpoint)
        count = 0
        for frame in frames:
            push.send(frame)
            count += 1
        for parts in multipart:
            push.send_multipart(parts)
            count += 1
        push.send(self.GOOD)
        self.assert_ends(listener, 0, handled=1, rejected=count, dropped=0, workers=0)
        self.assertEqual([message["source"] for message in listener.messages()], ["good"])

    def test_every_string_of_up_to_two_bytes_is_rejected_and_counted(self):
        self.assert_rejects(
            bytes(string) for size in range(3) for string in itertools.product(range(256), repeat=size))

    def test_a_sample_of_three_bytes_is_rejected_and_counted(self):
        chance = random.Random(3)
        self.assert_rejects(chance.randbytes(3) for _ in range(20000))

    def test_every_truncation_of_a_message_is_rejected_and_counted(self):
        whole = msgpack.packb(["source", "CMD", {"a": [1, 2.5, "x", b"y", None], "b": {"c": 2**64 - 1}}])
        self.assert_rejects(whole[:size] for size in range(len(whole)))

    def test_each_broken_rule_is_rejected_and_counted(self):
        def message(source="s", cmd="c", data=None):
            return msgpack.packb([source, cmd, {} if data is None else data], unicode_errors="surrogatepass")
        deep = {}
        for _ in range(64):
            deep = {"a": deep}
        self.assert_rejects(
            [message(source=""), message(source="s" * 256), message(source="a\n"), message(source=1),
             message(source=b"s"), message(cmd=""), message(cmd="c" * 256), message(cmd="\x9f"), message(cmd=None),
             message(data=[]), message(data=1), message(data={1: 1}), message(data={"a": "\ud800"}),
             message(data=deep),
             b"\x93\xa1s\xa1c\x82\xa1k\x01\xa1k\x02", b"\x93\xa1s\xa1c\xdf\xff\xff\xff\xff",
             b"\x93\xa1s\xa1c\x81\xa1k\xc1",
             message() + b"\x00", message() + message(source="")],
            multipart=[[message(), message()], [b"", b""]])


if __name__ == "__main__":
    unittest.main()
