"""The build, installed into a scratch directory.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

It is installed for /opt/muster and looked at where DESTDIR has put it, so that
what works here lies in a place that it was not made for.
"""
import functools
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["MUSTER_BUILD"])
PREFIX = "/opt/muster"
SECONDS = 120


def call(*command, **options):
    """What a command prints. A failure has all it said."""
    done = subprocess.run([str(each) for each in command], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=SECONDS, check=False, **options)
    if done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def version():
    text = (ROOT / "include/muster/version.h").read_text(encoding="utf-8")
    return ".".join(re.findall(r"#define MUSTER_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", text))


def cached(name):
    """A variable of the build."""
    text = (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
    return re.search(rf"^{name}:\w+=(.*)$", text, re.MULTILINE).group(1)


@functools.cache
def installation():
    """One for all cases of a process; it goes when the process does."""
    destination = tempfile.TemporaryDirectory()
    call("cmake", "--install", BUILD, "--prefix", PREFIX, env={**os.environ, "DESTDIR": destination.name})
    return destination


class InstalledCase(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.scratch = Path(scratch.name)
        cls.destination = Path(installation().name)
        cls.prefix = cls.destination / PREFIX[1:]
        cls.libraries = cls.prefix / cached("CMAKE_INSTALL_LIBDIR")
        cls.muster = cls.prefix / "bin/muster"
        cls.environment = {**os.environ, "PKG_CONFIG_PATH": str(cls.libraries / "pkgconfig")}
        cls.environment.pop("LD_LIBRARY_PATH", None)

    def help_of(self, *command):
        return call(self.muster, *command, "--help")

    def commands(self):
        return re.findall(r"^  muster ([a-z]+) ", self.help_of(), re.MULTILINE)
