"""What .ci/dependencies installs, and what it says where it cannot.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

The tools that it calls are replaced by scripts that write down what they are told.
"""
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / ".ci/dependencies"


class Dependencies(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.bin = Path(scratch.name)
        self.calls = self.bin / "calls"
        self.calls.touch()
        self.tool("env", 'while [ "${1#*=}" != "$1" ]; do shift; done; exec "$@"')
        self.tool("apt-get", f'echo "apt-get $*" >> {self.calls}')
        self.tool("id", "echo 0")
        self.installed(everything_but="")

    def tool(self, name, script):
        file = self.bin / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def installed(self, everything_but):
        self.tool("dpkg-query", 'for last; do :; done\n'
                  f'case " {everything_but} " in *" $last "*) exit 1 ;; esac; printf installed')

    def run_script(self, *arguments):
        done = subprocess.run(["/bin/sh", SCRIPT, *arguments], env={"PATH": str(self.bin)},
                              capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def test_it_is_silent_when_nothing_is_missing(self):
        for step in ("build", "demo", "test", "check", "bench", "package", "fuzz", "coverage", "format", "tidy", "reference"):
            self.assertEqual(self.run_script(step), (0, "", ""))
        self.assertEqual(self.calls.read_text(), "")

    def test_it_installs_what_is_missing_and_nothing_else(self):
        self.installed(everything_but="libczmq-dev uthash-dev")
        self.assertEqual(self.run_script("build"), (0, "installing (on a bare system this takes minutes): libczmq-dev uthash-dev\n", ""))
        update, install = self.calls.read_text().splitlines()
        self.assertIn("update", update)
        self.assertTrue(install.endswith(" install libczmq-dev uthash-dev"), install)

    def test_the_tests_need_more_than_the_build(self):
        self.installed(everything_but="python3-zmq")
        self.assertEqual(self.run_script("build"), (0, "", ""))
        self.assertEqual(self.run_script("test"), (0, "installing (on a bare system this takes minutes): python3-zmq\n", ""))

    def test_to_check_all_takes_what_the_tests_take_and_more(self):
        self.installed(everything_but="python3-zmq clang-tidy")
        self.assertEqual(self.run_script("test"), (0, "installing (on a bare system this takes minutes): python3-zmq\n", ""))
        self.assertEqual(self.run_script("check"), (0, "installing (on a bare system this takes minutes): python3-zmq clang-tidy\n", ""))

    def test_who_is_not_root_installs_through_sudo(self):
        self.installed(everything_but="cmake")
        self.tool("id", "echo 1000")
        self.tool("sudo", f'echo sudo >> {self.calls}; exec "$@"')
        self.assertEqual(self.run_script(), (0, "installing (on a bare system this takes minutes): cmake\n", ""))
        self.assertEqual(self.calls.read_text().split("\n")[0], "sudo")

    def test_without_root_and_sudo_it_says_what_to_install(self):
        self.installed(everything_but="cmake ninja-build")
        self.tool("id", "echo 1000")
        status, output, errors = self.run_script()
        self.assertEqual((status, output), (0, ""))
        self.assertTrue(errors.endswith(": cmake ninja-build\n"), errors)
        self.assertEqual(self.calls.read_text(), "")

    def test_on_another_system_it_says_what_to_install(self):
        os.remove(self.bin / "dpkg-query")
        status, output, errors = self.run_script()
        self.assertEqual((status, output), (0, ""))
        self.assertIn("libzmq3-dev", errors)

    def test_a_failed_installation_is_told_and_left_to_the_build(self):
        self.installed(everything_but="cmake")
        self.tool("apt-get", "exit 100")
        status, _, errors = self.run_script()
        self.assertEqual((status, errors), (0, "could not install: cmake\n"))

    def test_an_unknown_step_is_refused(self):
        self.assertEqual(self.run_script("party")[0], 2)


if __name__ == "__main__":
    unittest.main()
