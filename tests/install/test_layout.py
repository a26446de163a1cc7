"""What is installed, and where.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import os
import re
import shlex
import shutil
import subprocess
import sys
import unittest

from installed import PREFIX, ROOT, SECONDS, InstalledCase, call, version

sys.path.insert(0, str(ROOT / "tests/house"))
import check_symbols    # noqa: E402


class Layout(InstalledCase):
    def test_nothing_lies_outside_the_prefix(self):
        self.assertEqual([each.name for each in self.destination.iterdir()], ["opt"])

    def test_the_library_has_its_names(self):
        real = f"libmuster.so.{version()}"
        self.assertTrue((self.libraries / real).is_file())
        self.assertEqual(os.readlink(self.libraries / "libmuster.so.1"), real)
        self.assertEqual(os.readlink(self.libraries / "libmuster.so"), "libmuster.so.1")

    def test_the_library_shows_what_the_headers_declare_and_has_its_soname(self):
        self.assertEqual(check_symbols.problems(ROOT, self.libraries / "libmuster.so"), [])

    def test_all_headers_are_there(self):
        names = {each.name for each in (self.prefix / "include/muster").iterdir()}
        self.assertEqual(names, {each.name for each in (ROOT / "include/muster").glob("*.h")})

    def test_the_command_finds_its_library(self):
        self.assertEqual(call(self.muster, "--version", env={"PATH": "/usr/bin"}), f"muster {version()}\n")

    def test_each_command_has_a_page(self):
        pages = {each.name for each in (self.prefix / "share/man/man1").iterdir()}
        self.assertEqual(pages, {"muster.1"} | {f"muster-{each}.1" for each in self.commands()})
        self.assertTrue((self.prefix / "share/man/man3/muster.3").is_file())


class Unit(InstalledCase):
    def setUp(self):
        unit = self.prefix / "lib/systemd/system/muster-listen@.service"
        self.lines = unit.read_text(encoding="utf-8").splitlines()

    def value_of(self, name):
        return next(line.split("=", 1)[1] for line in self.lines if line.startswith(name + "="))

    def test_it_runs_the_installed_command(self):
        self.assertIn(f"{PREFIX}/bin/muster", shlex.split(self.value_of("ExecStart")))

    def test_what_it_runs_appends_messages_to_a_file(self):
        #   As systemd would: $$ is one $, and a word of its own that is a variable is its value.
        words = [word.replace("$$", "$") for word in shlex.split(self.value_of("ExecStart"))]
        words[words.index(f"{PREFIX}/bin/muster")] = str(self.muster)
        words = [each for word in words for each in (
            {"$ENDPOINT": [f"ipc://{self.scratch}/listener"], "$OPTIONS": ["--timeout", "0.01"]}.get(word, [word]))]
        (self.scratch / "messages.jsonl").write_text("before\n", encoding="utf-8")
        with self.assertRaisesRegex(AssertionError, "muster: listening on ipc://.*\nmuster: handled=0 "):
            call(*words, cwd=self.scratch)
        self.assertEqual((self.scratch / "messages.jsonl").read_text(encoding="utf-8"), "before\n")

    def test_it_has_no_rights_and_no_place_to_write_but_its_own(self):
        for line in ("DynamicUser=yes", "CapabilityBoundingSet=", "NoNewPrivileges=yes", "ProtectSystem=strict",
                     "ProtectHome=yes", "StateDirectory=muster/%i", "LimitCORE=0"):
            self.assertIn(line, self.lines)


    def verify(self, text):
        """What systemd says of a unit."""
        unit = self.scratch / "muster-listen@.service"
        unit.write_text(text, encoding="utf-8")
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit],
                              capture_output=True, text=True, timeout=SECONDS, check=False)
        return done.stdout + "".join(line for line in done.stderr.splitlines(keepends=True) if "muster-listen" in line)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "NOT RUN: systemd-analyze is not installed (systemd)")
    def test_systemd_finds_no_fault_with_it_and_would_find_one(self):
        text = "\n".join(self.lines)
        self.assertEqual(self.verify(text), "")
        self.assertIn("protect system", self.verify(text.replace("ProtectSystem=strict", "ProtectSystem=very")))


COMPLETE = """
source "$1"
COMP_WORDS=("${@:2}")
COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
_muster "$2"
printf '%s\\n' "${COMPREPLY[@]}"
"""


class Completion(InstalledCase):
    def completed(self, *words):
        script = self.prefix / "share/bash-completion/completions/muster"
        output = call("bash", "--noprofile", "--norc", "-c", COMPLETE, "bash", script, self.muster, *words,
                      cwd=self.scratch)
        return set(output.split())

    def test_it_knows_all_commands(self):
        self.assertEqual(self.completed(""), {*self.commands(), "--help", "--version"})
        self.assertEqual(self.completed("ke"), {"keygen"})

    def test_it_knows_all_options(self):
        for command in self.commands():
            with self.subTest(command):
                options = set(re.findall(r"^  (--[a-z-]+)", self.help_of(command), re.MULTILINE))
                self.assertEqual(self.completed(command, "--"), options | {"--help"})

    def test_it_knows_files(self):
        (self.scratch / "north.key").touch()
        (self.scratch / "north.pub").touch()
        self.assertEqual(self.completed("listen", "ipc://x", "--key", "nor"), {"north.key", "north.pub"})


if __name__ == "__main__":
    unittest.main()
