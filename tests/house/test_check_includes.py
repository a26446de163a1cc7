"""The check of the includes finds what it is there to find.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import tempfile
import unittest
from pathlib import Path

from check_includes import problems


class CheckIncludes(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        for path in ("include/muster/error.h", "src/base/alloc.h", "src/model/session.h", "src/wire/scan.h",
                     "src/net/binding.h", "src/actor/core.h", "src/cli/json.h", "tests/support/wait.h",
                     "tests/support/private/peek.h"):
            self.write(path, "")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def assert_allowed(self, path, line):
        self.write(path, line + "\n")
        self.assertEqual(problems(self.root), [])

    def assert_refused(self, path, line, why):
        self.write(path, line + "\n")
        found = problems(self.root)
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(path + ": "), found)
        self.assertIn(why, found[0])

    def test_a_tree_without_sources_is_refused(self):
        with tempfile.TemporaryDirectory() as empty:
            self.assertEqual(len(problems(empty)), 1)

    def test_an_upper_floor_includes_a_lower_one(self):
        self.assert_allowed("src/actor/listener.c", '#include "wire/scan.h"\n#include "net/binding.h"')

    def test_a_lower_floor_does_not_include_an_upper_one(self):
        self.assert_refused("src/base/alloc.c", '#include "model/session.h"', "base does not stand on model")

    def test_wire_does_not_know_net(self):
        self.assert_refused("src/wire/scan.c", '#include "net/binding.h"', "wire does not stand on net")

    def test_net_does_not_know_wire(self):
        self.assert_refused("src/net/binding.c", '#include "wire/scan.h"', "net does not stand on wire")

    def test_no_floor_includes_the_command(self):
        self.assert_refused("src/actor/listener.c", '#include "cli/json.h"', "actor does not stand on cli")

    def test_the_command_includes_public_headers_and_its_own(self):
        self.assert_allowed(
            "src/cli/send.c", '#include <muster/error.h>\n#include "cli/json.h"\n#include <json-c/json.h>')

    def test_the_command_includes_no_private_header(self):
        self.assert_refused("src/cli/send.c", '#include "base/alloc.h"', "cli does not stand on base")

    def test_a_header_without_its_floor_is_refused(self):
        self.assert_refused("src/base/alloc.c", '#include "alloc.h"', "name its floor")

    def test_a_header_that_is_not_there_is_refused(self):
        self.assert_refused("src/base/alloc.c", '#include "base/other.h"', "not there")

    def test_a_way_up_is_refused(self):
        self.assert_refused("src/base/alloc.c", '#include "../model/session.h"', "no way up")

    def test_a_floor_that_the_house_does_not_have_is_refused(self):
        self.assert_refused("src/attic/box.c", "#include <stdio.h>", "no floor")

    def test_examples_include_public_headers(self):
        self.assert_allowed("examples/c/worker.c", "#include <muster/error.h>\n#include <zlib.h>")

    def test_examples_include_no_private_header(self):
        self.assert_refused("examples/c/worker.c", '#include "base/alloc.h"', "only public headers")

    def test_bindings_include_no_private_header(self):
        self.assert_refused("bindings/python/core.c", '#include "base/alloc.h"', "only public headers")

    def test_a_public_header_includes_no_private_one(self):
        self.assert_refused("include/muster/worker.h", '#include "base/alloc.h"', "only public headers")

    def test_integration_tests_use_helpers_that_know_public_headers(self):
        self.assert_allowed("tests/integration/test_round.c", '#include "wait.h"')

    def test_integration_tests_use_no_private_helper(self):
        self.assert_refused("tests/integration/test_round.c", '#include "private/peek.h"', "only public headers")

    def test_a_public_header_that_does_not_exist_is_refused(self):
        self.assert_refused("examples/c/worker.c", "#include <muster/secret.h>", "no public header")

    def test_msgpack_is_met_in_wire(self):
        self.assert_allowed("src/wire/writer.c", "#include <msgpack.h>")

    def test_msgpack_is_met_nowhere_else(self):
        self.assert_refused("src/model/message.c", "#include <msgpack/pack.h>", "does not belong")

    def test_zeromq_is_met_in_net_and_actor(self):
        self.assert_allowed("src/net/binding.c", "#include <zmq.h>")
        self.assert_allowed("src/actor/listener.c", "#include <czmq.h>")

    def test_zeromq_is_met_nowhere_else(self):
        for name in ("zmq.h", "czmq.h", "zactor.h", "zmq_utils.h"):
            with self.subTest(name):
                self.assert_refused("src/model/session.c", f"#include <{name}>", "does not belong")

    def test_an_example_uses_no_zeromq_of_its_own(self):
        self.assert_refused("examples/c/worker.c", "#include <zmq.h>", "does not belong")

    def test_a_plain_example_uses_zeromq_and_msgpack(self):
        self.assert_allowed("examples/c/plain_producer.c", "#include <msgpack.h>\n#include <zmq.h>")

    def test_the_time_is_read_in_actor_and_for_the_log(self):
        call = "void f (void) { clock_gettime (CLOCK_MONOTONIC, &now); }"
        self.assert_allowed("src/actor/clock.c", call)
        self.assert_allowed("src/base/log.c", call)

    def test_the_time_is_read_nowhere_else(self):
        for call in ("clock_gettime (CLOCK_REALTIME, &now)", "time (NULL)", "time(NULL)", "zclock_mono ()"):
            with self.subTest(call):
                self.assert_refused("src/model/session.c", f"void f (void) {{ {call}; }}", "reads the time")

    def test_comments_and_strings_include_nothing(self):
        self.assert_allowed(
            "src/base/alloc.c", '/*  #include "model/session.h"\n#include "net/binding.h" */\n// time (NULL)\n'
            'const char *text = "time (NULL)";')


if __name__ == "__main__":
    unittest.main()
