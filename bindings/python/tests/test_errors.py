"""An exception for each error of the library.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import inspect
import pathlib
import pickle
import re

import muster
import pytest
from muster import _core

HEADER = pathlib.Path(__file__).parents[3] / "include" / "muster" / "error.h"
ERRORS = dict(re.findall(r'XX \((\w+), "([^"]*)"\)', HEADER.read_text()))
CLASSES = {name: value for name, value in vars(muster).items()
           if isinstance(value, type) and issubclass(value, muster.Error) and value is not muster.Error}


def test_the_header_has_been_read():
    assert len(ERRORS) > 20 and "TIMEOUT" in ERRORS


def test_there_is_one_exception_for_each_error():
    assert sorted(exception.code for exception in CLASSES.values()) == sorted(ERRORS)
    assert len(set(CLASSES.values())) == len(ERRORS)


@pytest.mark.parametrize("name", list(CLASSES))
def test_an_exception_is_named_as_in_c_and_documented(name):
    exception = CLASSES[name]
    assert exception.__mro__.index(muster.Error) > 0
    assert exception.__name__ == name and exception.__module__ == "muster"
    assert name in muster.__all__ and getattr(_core, name) is exception
    assert {"Invalid": "INVAL", "NoMemory": "NOMEM"}.get(name, name.upper()) == exception.code
    assert ERRORS[exception.code] in inspect.getdoc(exception)


@pytest.mark.parametrize("name, builtin", [
    ("Timeout", TimeoutError), ("Invalid", ValueError), ("Endpoint", ValueError), ("NoMemory", MemoryError),
    ("NotFound", LookupError), ("Access", PermissionError), ("Type", TypeError), ("Interrupted", InterruptedError),
])
def test_an_exception_is_also_the_builtin_one_that_one_would_catch(name, builtin):
    assert issubclass(getattr(muster, name), builtin)


def test_no_other_exception_is_a_builtin_one():
    builtin = {"Timeout", "Invalid", "Endpoint", "NoMemory", "NotFound", "Access", "Type", "Interrupted"}
    for name in set(CLASSES) - builtin:
        assert CLASSES[name].__bases__ == (muster.Error,), name


def test_error_is_an_exception_with_an_empty_code():
    assert issubclass(muster.Error, Exception) and muster.Error.code == ""
    assert muster.Error.__module__ == "muster"


def test_an_error_says_what_it_means_and_what_about(listener):
    with pytest.raises(muster.NotFound) as caught:
        listener.send("nobody", "A")
    text = str(caught.value)
    assert ERRORS["NOTFOUND"] in text and "nobody" in text
    assert caught.value.code == "NOTFOUND"


def test_an_error_may_be_pickled_and_raised_by_hand():
    for exception in CLASSES.values():
        error = pickle.loads(pickle.dumps(exception("what", 1)))
        assert type(error) is exception and error.args == ("what", 1)
        with pytest.raises(exception):
            raise error


def test_every_public_name_exists_and_is_in_the_stub():
    for name in muster.__all__:
        assert hasattr(muster, name), name
    stub = (pathlib.Path(muster.__file__).parent / "_core.pyi").read_text()
    for name in CLASSES:
        assert re.search(rf"^class {name}\(", stub, re.MULTILINE), name


def test_the_bases_in_the_stub_are_those_of_the_module():
    stub = (pathlib.Path(muster.__file__).parent / "_core.pyi").read_text()
    for name, bases in re.findall(r"^class (\w+)\(([\w, ]+)\): \.\.\.$", stub, re.MULTILINE):
        assert [base.__name__ for base in CLASSES[name].__bases__] == bases.split(", "), name


def test_the_version_is_that_of_the_library():
    header = (HEADER.parent / "version.h").read_text()
    numbers = re.findall(r"VERSION_(?:MAJOR|MINOR|PATCH) +(\d+)", header)
    assert muster.__version__ == ".".join(numbers)
