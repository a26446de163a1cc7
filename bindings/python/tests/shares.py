"""A file's tests in shares, for as many processes: most of these tests wait, for limits or for processes that they started.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
from typing import Any, List, Sequence, Tuple

import pytest


def split(tests: Sequence[Any], share: str) -> Tuple[List[Any], List[Any]]:
    """What of the tests is in a share, "2/3" say, and the rest. Neighbours, which take about as long, go to different shares."""
    number, count = map(int, share.split("/"))
    if not 1 <= number <= count:
        raise ValueError(f"no share: {share}")
    own = list(tests[number - 1::count])
    return own, [test for index, test in enumerate(tests) if index % count != number - 1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--share", metavar="N/M", default="1/1", help="run the Nth of M shares of the tests")


def pytest_collection_modifyitems(config: pytest.Config, items: List[pytest.Item]) -> None:
    items[:], rest = split(items, config.getoption("--share"))
    if rest:
        config.hook.pytest_deselected(items=rest)
