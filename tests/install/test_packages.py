"""The Debian packages that cpack makes of the build: what they hold, and what they need.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import re
import shutil
import tempfile
import unittest
from pathlib import Path

from installed import BUILD, ROOT, cached, call, version


@unittest.skipUnless(shutil.which("dpkg-shlibdeps"), "not a system that makes packages")
class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        call("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", scratch.name)
        cls.files = {call("dpkg-deb", "--field", file, "Package").strip(): file for file in Path(scratch.name).glob("*.deb")}
        cls.libraries = "./usr/" + cached("CMAKE_INSTALL_LIBDIR")

    def contents(self, package):
        """Mode and owner of each file that is no directory."""
        listing = call("dpkg-deb", "--contents", self.files[package]).splitlines()
        return {words[5]: (words[0], words[1]) for words in map(str.split, listing) if words[0][0] != "d"}

    def needs(self, package):
        return re.split(r", ", call("dpkg-deb", "--field", self.files[package], "Depends").strip())

    def assert_holds(self, package, names):
        self.assertEqual(set(self.contents(package)), {*names, f"./usr/share/doc/{package}/copyright"})

    def test_there_is_one_for_each_use(self):
        self.assertLessEqual({"libmuster1", "libmuster-dev", "muster"}, set(self.files))
        self.assertEqual("python3-muster" in self.files, (BUILD / "python/muster").is_dir())

    def test_all_belongs_to_root_and_nobody_else_writes_it(self):
        for package in self.files:
            for name, (mode, owner) in self.contents(package).items():
                self.assertEqual(owner, "root/root", name)
                self.assertTrue(mode[0] == "l" or mode[5] + mode[8] == "--", name)

    def test_the_library_stands_alone(self):
        self.assert_holds("libmuster1", [f"{self.libraries}/libmuster.so.1", f"{self.libraries}/libmuster.so.{version()}"])
        needs = " ".join(self.needs("libmuster1"))
        for package in ("libc6", "libczmq4", "libzmq5"):
            self.assertIn(package, needs)

    def test_other_packages_learn_what_the_library_is_called(self):
        self.assertEqual(call("dpkg-deb", "--info", self.files["libmuster1"], "shlibs"),
                         f"libmuster 1 libmuster1 (>= {version()})\n")

    def test_development_has_headers_and_what_finds_them(self):
        headers = [f"./usr/include/muster/{each.name}" for each in (ROOT / "include/muster").glob("*.h")]
        found = {name for name in self.contents("libmuster-dev") if "/cmake/" not in name}
        self.assertEqual(found, {
            *headers, f"{self.libraries}/libmuster.so", f"{self.libraries}/libmuster.a", f"{self.libraries}/pkgconfig/muster.pc",
            "./usr/share/man/man3/muster.3.gz", "./usr/share/doc/libmuster-dev/copyright"})
        self.assertLessEqual({f"libmuster1 (= {version()})", "libczmq-dev", "libzmq3-dev", "libmsgpack-dev"},
                             set(self.needs("libmuster-dev")))

    def test_the_command_has_its_pages_completion_and_unit(self):
        pages = [f"./usr/share/man/man1/{each.name}.gz" for each in (ROOT / "docs/man").glob("*.1")]
        self.assert_holds("muster", [
            *pages, "./usr/bin/muster", "./usr/share/bash-completion/completions/muster",
            "./usr/lib/systemd/system/muster-listen@.service"])
        self.assertIn(f"libmuster1 (= {version()})", self.needs("muster"))

    def test_the_unit_runs_the_packages_command(self):
        with tempfile.TemporaryDirectory() as scratch:
            call("dpkg-deb", "--extract", self.files["muster"], scratch)
            unit = Path(scratch, "usr/lib/systemd/system/muster-listen@.service").read_text(encoding="utf-8")
        self.assertIn(" /usr/bin/muster listen $ENDPOINT $OPTIONS\n", unit)

    def test_the_python_package_is_for_one_version_of_python(self):
        if "python3-muster" not in self.files:
            self.skipTest("the Python package was not built")
        names = {name.removeprefix("./usr/lib/python3/dist-packages/muster/") for name in self.contents("python3-muster")}
        self.assertLessEqual({each.name for each in (ROOT / "bindings/python/muster").iterdir() if each.is_file()}, names)
        extension, = (name for name in names if name.endswith(".so"))
        minor = int(re.fullmatch(r"_core\.cpython-3(\d+)-.*", extension).group(1))
        self.assertLessEqual({f"python3 (>= 3.{minor})", f"python3 (<< 3.{minor + 1})", "python3-numpy"},
                             set(self.needs("python3-muster")))

    def test_the_static_library_has_machine_code_alone(self):
        with tempfile.TemporaryDirectory() as scratch:
            call("dpkg-deb", "--extract", self.files["libmuster-dev"], scratch)
            archive = Path(scratch, self.libraries, "libmuster.a")
            self.assertNotIn(".gnu.lto_", call("readelf", "--section-headers", "--wide", archive))


if __name__ == "__main__":
    unittest.main()
