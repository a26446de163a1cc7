"""The package as its users get it: types, docstrings, what pip installs.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import inspect
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import children
import muster
import pytest
from muster import _core, aio, fedflow, keys

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
CONFIG = HERE.parent / "pyproject.toml"
PACKAGE = Path(muster.__file__).resolve().parent

LONG = 300
"""Seconds: a build."""


def call(*arguments: Any, directory: Any = None, timeout: float = LONG, environment: Any = None) -> str:
    """What a program prints; it must end well."""
    done = subprocess.run([str(each) for each in arguments], cwd=directory, env=environment, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


#   ---------------------------------------------------------------------------
#   Types


def mypy_environment() -> Dict[str, str]:
    return {**os.environ, "MYPYPATH": "", "PYTHONPATH": str(PACKAGE.parent)}


@pytest.fixture(scope="module")
def mypy(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, List[str]]:
    """What mypy says in strict mode of the built package and of two programs that use it, user.py and wrong.py, by file;
    "" is what it says of all. Once: most of its time goes into the standard library."""
    directory = tmp_path_factory.mktemp("mypy")
    (directory / "user.py").write_text(USER, encoding="utf-8")
    (directory / "wrong.py").write_text("\n".join([*HEAD, *WRONG, ""]), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(CONFIG), "--cache-dir", str(directory),
         "-p", "muster", "-m", "user", "-m", "wrong"],
        cwd=directory, env={**os.environ, "MYPYPATH": str(PACKAGE.parent)}, timeout=LONG,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines: Dict[str, List[str]] = {}
    for line in done.stdout.splitlines():
        file = re.match(r"(.+?):\d+: ", line)
        lines.setdefault(os.path.basename(file[1]) if file else "", []).append(line)
    return lines


def test_the_package_passes_mypy_in_strict_mode(mypy: Dict[str, List[str]]) -> None:
    assert {file for file, lines in mypy.items() if any(": error: " in line for line in lines)} == {"wrong.py"}, mypy
    modules = sum(1 for file in (HERE.parent / "muster").iterdir() if file.suffix in (".py", ".pyi"))
    last, = mypy[""]
    assert re.fullmatch(rf"Found \d+ errors in 1 file \(checked {modules + 2} source files\)", last)


USER = '''
from pathlib import Path

import muster
from muster import aio

listener = muster.Listener("tcp://127.0.0.1:*", drain=1.5, message_limit=1000, insecure=False)
reveal_type(listener)
reveal_type(listener.endpoint)
reveal_type(listener.workers)
reveal_type(listener.stats["handled"])
reveal_type(listener.stats["refused"])
reveal_type(listener.stop())
reveal_type(listener.ask("X"))
reveal_type(listener.ask("X").missing)
reveal_type(listener.send("a", "X"))
reveal_type(listener.broadcast("X", {"a": 1}))
for message in listener.messages(timeout=1):
    reveal_type(message)
    reveal_type(message.data["x"])
    reveal_type(message.position)
for reply in listener.ask("X", at_least=0.5, workers={"a"}):
    reveal_type(reply)
with listener as entered:
    reveal_type(entered)

@listener.on("worker-1")
def handler(message: muster.Message) -> int:
    return message.answers

reveal_type(handler)
listener.register_handler("a", handler, overwrite=True)
listener.wait_for_workers(5, timeout=30)
listener.wait_for_workers(["a"])

with muster.Worker("tcp://x:1", source="a", send_buffer=1) as worker:
    reveal_type(worker)
    reveal_type(worker.recv(1))
    reveal_type(worker.close())
    for command in worker:
        reveal_type(command)

try:
    pass
except muster.Timeout as error:
    reveal_type(error.code)
    late: TimeoutError = error
key, public = muster.keys.generate(Path("worker-1"))
reveal_type(public)
muster.keys.enrol("allow", public, "worker-1", "worker-2")
muster.keys.revoke(Path("allow"), public)
listener = muster.Listener("tcp://*:5670", key="coordinator.key", allow=Path("allow"))
reveal_type(listener.reload())
muster.Worker("tcp://x:1", key=Path(key), server="coordinator.pub")
reveal_type(muster.Ext(1, b"").data)
reveal_type(muster.__version__)

async def main() -> None:
    async with aio.Listener("tcp://127.0.0.1:*") as there:
        reveal_type(there)
        reveal_type(await there.stop())
        reveal_type(await there.reload())
        reveal_type(await there.ask("X"))
        async for reply in await there.ask("X"):
            reveal_type(reply)
            reveal_type(reply.data)
        async for each in there.messages():
            reveal_type(each)
    async with aio.Worker("tcp://x:1") as worker:
        reveal_type(await worker.recv())
        async for command in worker:
            reveal_type(command)
'''

REVEALED = [
    "muster._listener.Listener", "builtins.str", "builtins.list[builtins.str]", "builtins.int",
    "builtins.dict[builtins.str, builtins.int]", "builtins.int", "muster._core.Ask",
    "builtins.dict[builtins.str, builtins.str]", "builtins.str", "builtins.list[builtins.str]",
    "muster._core.Message", "Any", "builtins.int", "muster._core.Message", "muster._listener.Listener",
    "def (message: muster._core.Message) -> builtins.int",
    "muster._worker.Worker", "muster._core.Message", "builtins.int", "muster._core.Message",
    "builtins.str", "builtins.str", "None", "builtins.bytes", "builtins.str",
    "muster.aio.Listener", "builtins.int", "None", "muster.aio.Ask", "muster.aio.Message",
    "builtins.dict[builtins.str, Any]", "muster.aio.Message", "muster.aio.Message", "muster.aio.Message",
]


def test_a_users_program_sees_the_types_of_what_it_uses(mypy: Dict[str, List[str]]) -> None:
    output = "\n".join(mypy["user.py"])
    assert "error" not in output, output
    assert re.findall(r'Revealed type is "(.*)"', output) == REVEALED


HEAD = ["import muster", "listener: muster.Listener", "worker: muster.Worker"]
WRONG = [
    'muster.Listener()', 'muster.Listener(1)', 'muster.Listener("x", nothing=1)', 'muster.Listener("x", drain="1")',
    'muster.Listener("x", 1)', 'listener.register_handler("a", None)', 'listener.register_handler("a", lambda: None)',
    'listener.send("a")', 'listener.send("a", 1)', 'listener.broadcast("X", [1])', 'listener.ask("X", timeout="1")',
    'listener.wait_for_workers(1.5)', 'listener.stats["nothing"]', 'listener.endpoint = "x"', 'muster.Worker("x", 1)',
    'muster.Worker("x", drain=[])', 'worker.send({})', 'worker.recv("1")', 'worker.nothing',
    'next(listener.messages()).data = {}', 'for message in listener: pass', 'muster.nothing', 'listener.on(1)(print)',
    'muster.Listener("x", key=1)', 'muster.Worker("x", server=b"x")', 'muster.keys.generate()', 'muster.keys.enrol("a", "b", 1)',
]


def test_a_users_mistakes_are_errors_of_mypy(mypy: Dict[str, List[str]]) -> None:
    lines = {int(number) for number in re.findall(r"wrong\.py:(\d+): error", "\n".join(mypy["wrong.py"]))}
    missed = [wrong for number, wrong in enumerate(WRONG, len(HEAD) + 1) if number not in lines]
    assert missed == []


def test_the_stub_agrees_with_the_extension_module(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    #   Constructors: C's take anything by tp_new, as those of all types made in C.
    allowed.write_text("muster\\._core\\.[A-Z]\\w*\\.__(init|new)__\n", encoding="utf-8")
    output = call(sys.executable, "-m", "mypy.stubtest", "muster._core", "--allowlist", allowed, "--ignore-unused-allowlist",
                  "--mypy-config-file", CONFIG, directory=tmp_path, environment=mypy_environment())
    assert output.startswith("Success: no issues found"), output


#   ---------------------------------------------------------------------------
#   Names and docstrings


def test_the_package_offers_an_exception_for_each_error_code_and_nothing_undeclared() -> None:
    codes = re.findall(r"XX \((\w+), ", (ROOT / "include/muster/error.h").read_text(encoding="utf-8").split("typedef")[0])
    classes = {each.code: each for each in vars(muster).values()
               if inspect.isclass(each) and issubclass(each, muster.Error) and each is not muster.Error}
    assert sorted(classes) == sorted(codes)
    assert set(muster.__all__) == {name for name in vars(muster) if not name.startswith("_")
                                   and not inspect.ismodule(getattr(muster, name))} | {"__version__"}
    for name in muster.__all__:
        assert getattr(muster, name) is not None


def test_the_version_is_that_of_the_public_header() -> None:
    text = (ROOT / "include/muster/version.h").read_text(encoding="utf-8")
    assert muster.__version__ == ".".join(re.findall(r"#define MUSTER_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", text))


def public() -> Iterator[Tuple[str, Any]]:
    """Each public class and function, and each public member of a class."""
    for module in (muster, aio, fedflow, keys):
        for name, value in vars(module).items():
            if name.startswith("_") or inspect.ismodule(value) or not getattr(value, "__module__", "").startswith("muster"):
                continue
            if inspect.isclass(value) or inspect.isfunction(value):
                yield f"{module.__name__}.{name}", value
            if inspect.isclass(value) and not issubclass(value, (Exception, tuple, dict)):
                for member in dir(value):
                    found = inspect.getattr_static(value, member)
                    if not member.startswith("_") and (callable(found) or isinstance(found, (property, classmethod, staticmethod))
                                                       or inspect.isgetsetdescriptor(found) or inspect.ismethoddescriptor(found)):
                        yield f"{module.__name__}.{name}.{member}", found


def test_each_public_class_function_and_property_has_a_docstring() -> None:
    members = dict(public())
    assert len(members) > 100
    assert [name for name, value in members.items() if not inspect.getdoc(value)] == []


def test_each_method_that_may_fail_says_what_it_raises() -> None:
    silent: List[str] = []
    for kind in (muster.Listener, muster.Worker, muster.Ask, muster.Message):
        for name in dir(kind):
            member = inspect.getattr_static(kind, name)
            if name.startswith("_") or not callable(member):
                continue
            text = inspect.getdoc(member) or ""
            if not re.search(r"\bRaises\b|\bexceptions as for\b", text):
                silent.append(f"{kind.__name__}.{name}")
    assert silent == []


def test_each_function_of_keys_says_what_it_raises() -> None:
    assert all("Raises" in (inspect.getdoc(each) or "") for each in (keys.generate, keys.enrol, keys.revoke))


def test_methods_of_asyncio_objects_say_what_they_raise_or_where_that_is_said() -> None:
    silent = [f"{kind.__name__}.{name}" for kind in (aio.Listener, aio.Worker) for name, member in vars(kind).items()
              if inspect.iscoroutinefunction(member) and not name.startswith("_")
              and not re.search(r"Raises|see `muster\.", inspect.getdoc(member) or "")]
    #   The module's docstring says it for all of them.
    assert silent == [] or "exceptions are those of `muster.Listener`" in (aio.__doc__ or "")


def test_methods_made_in_c_have_signatures() -> None:
    for kind in (_core.Listener, _core.Worker, _core.Ask, _core.Message):
        for name, member in vars(kind).items():
            if inspect.ismethoddescriptor(member) and not name.startswith("__"):
                assert "self" in inspect.signature(member).parameters, name


def test_the_built_package_is_complete_and_typed() -> None:
    source = {file.name for file in (HERE.parent / "muster").iterdir() if file.is_file()}
    built = {file.name for file in PACKAGE.iterdir() if file.is_file()}
    assert source <= built
    assert {"py.typed", "_core.pyi"} <= built
    assert all(re.fullmatch(r"_core\..*\.so", name) for name in built - source)


#   ---------------------------------------------------------------------------
#   pip


def sources() -> List[Path]:
    return sorted(path for path in HERE.parent.rglob("*") if not {"__pycache__", ".mypy_cache"} & set(path.parts))


@pytest.fixture(scope="module")
def sources_before() -> List[Path]:
    return sources()


@pytest.fixture(scope="module")
def checkout(sources_before: List[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout as git sees it, untracked files too: builds write into this copy."""
    copy = tmp_path_factory.mktemp("checkout")
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                           stdout=subprocess.PIPE).stdout.decode().split("\0")
    for name in filter(None, names):
        if not name.startswith("build/") and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


LAUNCHER = """#!/bin/sh
#   In front of the compiler: a source that was compiled for the package under test is not compiled again.
for word; do
    case $before in
        -o) object=$PWD/$word ;;
        -c) source=$word ;;
        -MF) : > "$word" ;;
    esac
    before=$word
done
made="{build}/${{object##*/muster/}}"
[ -n "$source" ] && [ "$made" -nt "$source" ] && exec cp "$made" "$object"
exec "$@"
"""


#   The linker would optimise the whole of it, for ten seconds.
NO_LTO = "-D CMAKE_MODULE_LINKER_FLAGS=-fno-use-linker-plugin"


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that pip makes of it."""
    directory, launcher = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("launcher") / "launcher"
    launcher.write_text(LAUNCHER.format(build=PACKAGE.parent.parent), encoding="utf-8")
    launcher.chmod(0o700)
    call(sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--no-index", "-w", directory,
         checkout / "bindings/python",
         environment={**os.environ, "PYTHONPATH": "", "CMAKE_GENERATOR": "Ninja",
                      "CMAKE_ARGS": f"-D CMAKE_C_COMPILER_LAUNCHER={launcher} {NO_LTO}"})
    wheels = list(directory.iterdir())
    assert len(wheels) == 1
    return wheels[0]


def test_pip_makes_one_wheel_for_this_python_and_platform(wheel: Path) -> None:
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert re.fullmatch(rf"muster-{re.escape(muster.__version__)}-{tag}-{tag}-linux_\w+\.whl", wheel.name)


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    information = f"muster-{muster.__version__}.dist-info/"
    modules = {f"muster/{each.name}" for each in (HERE.parent / "muster").iterdir() if each.is_file()}
    extension = {name for name in names if re.fullmatch(r"muster/_core\.cpython-.*\.so", name)}
    assert len(extension) == 1
    assert {name for name in names if not name.startswith(information)} == modules | extension
    assert {"muster/py.typed", "muster/_core.pyi"} <= names
    assert {information + name for name in ("METADATA", "RECORD", "WHEEL")} <= names


def test_the_wheels_metadata_says_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        text = file.read(f"muster-{muster.__version__}.dist-info/METADATA").decode()
    lines = text.splitlines()
    for line in ("Name: muster", f"Version: {muster.__version__}", "Requires-Python: >=3.11", "Requires-Dist: numpy"):
        assert line in lines, text
    assert any(line.startswith("License") and "MPL" in line for line in lines)


def test_the_extension_module_needs_no_libmuster_and_shows_its_entry_alone(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        name = next(each for each in file.namelist() if each.endswith(".so"))
        file.extract(name, tmp_path)
    assert "libmuster" not in call("readelf", "-d", tmp_path / name)
    defined = [line.split()[-1] for line in call("nm", "-D", "--defined-only", tmp_path / name).splitlines()]
    assert defined == ["PyInit__core"]


USE = """
import os, sys
import muster
from muster import aio, fedflow
assert muster.__file__.startswith(sys.prefix), muster.__file__
assert os.path.exists(os.path.join(os.path.dirname(muster.__file__), "py.typed"))
with muster.Listener("tcp://127.0.0.1:*") as listener:
    with muster.Worker(listener.endpoint, "worker-1") as worker:
        worker.send("HELLO", {"number": 7})
        message = next(listener.messages(30))
        print(message.source, message.cmd, message.data)
        del message
"""


def test_pip_installs_it_into_a_venv_where_it_works(wheel: Path, sources_before: List[Path], tmp_path: Path) -> None:
    venv, foreign = tmp_path / "venv", tmp_path / "foreign"
    foreign.mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    call(sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", venv, environment=environment)
    call(venv / "bin/python", "-m", "pip", "install", "--no-index", wheel, environment=environment)
    assert call(venv / "bin/python", "-c", USE, directory=foreign, environment=environment) == "worker-1 HELLO {'number': 7}\n"
    shown = call(venv / "bin/python", "-m", "pip", "show", "muster", environment=environment)
    assert f"Version: {muster.__version__}" in shown
    call(venv / "bin/python", "-m", "pip", "uninstall", "-y", "muster", environment=environment)
    assert not list(venv.rglob("_core*"))
    assert sources() == sources_before, "written into the source tree"


def test_importing_the_package_starts_no_thread_opens_no_descriptor_and_is_quiet() -> None:
    lines = children.check("""
        import os, numpy, logging, threading, asyncio
        def state():
            return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))
        before = state()
        import muster
        from muster import aio, fedflow
        assert state() == before, (before, state())
        """)
    assert lines == []
