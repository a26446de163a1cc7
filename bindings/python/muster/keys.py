"""Keys: make them, and say which sources each may use.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

    key, public = muster.keys.generate("worker-1")
    muster.keys.enrol("allow", public, "worker-1")

    muster.Listener(endpoint, key="coordinator.key", allow="allow")
    muster.Worker(endpoint, source="worker-1", key="worker-1.key", server="coordinator.pub")

A worker and a listener know each other by keys. Each has a pair: NAME.key is secret and stays where it was made,
NAME.pub is given to the other. The listener's allow file has a line for each worker: its key, and the sources that
it may use. The files may be made and changed by hand as well. Any thread may call these functions.
"""
import os
from typing import Tuple, Union

from muster import _core

Path = Union[str, "os.PathLike[str]"]


def generate(name: Path) -> Tuple[str, str]:
    """Make a pair of keys, and return the paths of its files.

    They are NAME.key, which only its owner can read, and NAME.pub.
    Raises Exists if there is one of them already, NotFound if there is no directory for them, Access if that may not
    be written, Invalid for a name that is none, Resource, System; neither is made then.
    """
    _core.generate_keys(name)
    path = os.fsdecode(name)
    return path + ".key", path + ".pub"


def enrol(allow: Path, public: Path, *sources: str) -> None:
    """Allow a key more sources.

    allow: the allow file, which is made if it is missing, and replaced in one go if not. public: the key's NAME.pub.
    sources: what it may use besides what it may already, one or more.
    A listener heeds the change when it is started, or with `Listener.reload`. Waits up to ten seconds for
    others who change the file, and Ctrl-C waits with it.
    Raises NotFound if there is no public; Format if a file breaks a rule of its format, or public is a secret one;
    Invalid for a source that can be none; Access if a file may not be read or written, or others may write
    the allow file; Busy, Resource, System.
    """
    _core.enrol_key(allow, public, sources)


def revoke(allow: Path, public: Path) -> None:
    """Take a key, and all that it may, out of an allow file.

    Arguments, waits and exceptions as for `enrol`; a listener's `reload` ends who uses the key.
    Raises NotFound if the key is not there, or one of the files is not.
    """
    _core.revoke_key(allow, public)
