"""A program is built with the installed library in each way that docs/installing.md has, and runs.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import subprocess
import unittest

from installed import ROOT, InstalledCase, call, version

CONSUMER = ROOT / "tests/consumer"


class Consumer(InstalledCase):
    def assert_runs(self, program, needs_library, **variables):
        needed = call("readelf", "-d", program)
        self.assertEqual("[libmuster.so.1]" in needed, needs_library, needed)
        self.assertEqual(call(program, env={**self.environment, **variables}),
                         f"muster {version()}: no error, loss 0.5\n")

    def pkg_config(self, *arguments):
        return call("pkg-config", *arguments, env=self.environment).split()

    def compile(self, name, *flags):
        program = self.scratch / name
        call("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", program, CONSUMER / "main.c", *flags)
        return program

    def test_pkg_config_leads_cc_to_the_shared_library(self):
        program = self.compile("shared", *self.pkg_config("--cflags", "--libs", "muster"))
        self.assert_runs(program, True, LD_LIBRARY_PATH=str(self.libraries))

    def test_pkg_config_leads_cc_to_the_static_library(self):
        program = self.compile("static", *self.pkg_config("--cflags", "muster"), self.libraries / "libmuster.a",
                               *self.pkg_config("--libs", "libczmq", "libzmq", "msgpack"), "-pthread")
        self.assert_runs(program, False)

    def test_pkg_config_knows_the_version(self):
        self.assertEqual(self.pkg_config("--modversion", "muster"), [version()])

    def test_find_package_leads_to_both_libraries(self):
        build = self.scratch / "consumer"
        call("cmake", "-S", CONSUMER, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}", env=self.environment)
        call("cmake", "--build", build)
        self.assert_runs(build / "with_shared", True)
        self.assert_runs(build / "with_static", False)

    def test_find_package_refuses_another_minor_version(self):
        project = self.scratch / "other"
        project.mkdir()
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required (VERSION 3.25)\nproject (other LANGUAGES NONE)\nfind_package (muster 0.0 REQUIRED)\n")
        done = subprocess.run(["cmake", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}"],
                              env=self.environment, capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"version: {version()}", done.stderr)

    def test_the_installed_files_do_not_know_where_they_were_built(self):
        for file in [*self.libraries.rglob("*.cmake"), *self.libraries.rglob("*.pc")]:
            text = file.read_text(encoding="utf-8")
            self.assertNotIn(str(ROOT), text, file)
            self.assertNotIn(str(self.destination), text, file)


if __name__ == "__main__":
    unittest.main()
