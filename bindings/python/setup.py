"""Build the extension module for pip and for wheels: CMake is the build.

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
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def version() -> str:
    """The one in the public header."""
    text = (ROOT / "include/muster/version.h").read_text(encoding="utf-8")
    return ".".join(re.findall(r"#define MUSTER_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", text))


class CMakeBuild(build_ext):
    """Builds the library and the module with CMake, in a directory of its own. CMAKE_ARGS in the environment go to CMake."""

    def build_extension(self, ext: Extension) -> None:
        build = Path(self.build_temp).resolve() / "muster"
        options = {
            "CMAKE_BUILD_TYPE": "RelWithDebInfo",
            "Python3_EXECUTABLE": sys.executable,
            "MUSTER_BUILD_PYTHON": "ON",
            "MUSTER_BUILD_CLI": "OFF",
            "MUSTER_BUILD_EXAMPLES": "OFF",
            "MUSTER_BUILD_BENCHMARKS": "OFF",
            "MUSTER_BUILD_TESTS": "OFF",
        }
        subprocess.run(["cmake", "-S", ROOT, "-B", build, *(f"-D{name}={value}" for name, value in options.items()),
                        *shlex.split(os.environ.get("CMAKE_ARGS", ""))], check=True)
        subprocess.run(["cmake", "--build", build, "--target", "muster_python",
                        "--parallel", str(len(os.sched_getaffinity(0)))], check=True)
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        built = next((build / "python/muster").glob("_core*.so"), None)
        if built is None:
            raise SystemExit("CMake left the module out: it needs Python's headers and NumPy")
        shutil.copy2(built, target)


setup(version=version(), ext_modules=[Extension("muster._core", sources=[])], cmdclass={"build_ext": CMakeBuild})
