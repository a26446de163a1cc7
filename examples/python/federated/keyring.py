"""Keys for the coordinator and each worker, in a directory of their own.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

Elsewhere everybody makes his own and sends the public one; here all is one machine.
"""
import tempfile
from pathlib import Path
from types import TracebackType

import muster

COORDINATOR = "coordinator"


def secret(directory: Path, name: str) -> Path:
    return directory / f"{name}.key"


def public(directory: Path, name: str) -> Path:
    return directory / f"{name}.pub"


class Keyring:
    """A directory with keys, until its `with` ends."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="federated-")
        self.directory = Path(self._directory.name)
        self.allow = self.directory / "allow"
        muster.keys.generate(self.directory / COORDINATOR)

    @property
    def key(self) -> Path:
        """The coordinator's."""
        return secret(self.directory, COORDINATOR)

    def admit(self, source: str) -> None:
        """Make a key that may use this source."""
        muster.keys.generate(self.directory / source)
        muster.keys.enrol(self.allow, public(self.directory, source), source)

    def __enter__(self) -> "Keyring":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._directory.cleanup()
