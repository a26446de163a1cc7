"""The coordinator: asks for updates, averages them.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
from collections.abc import Iterator
from typing import Protocol

import muster

from model import Mean, Weights

DEADLINE = 3    # seconds a round may take


class Show(Protocol):
    """Who looks on: gets each round's replies, hands them on, hears how the round went."""

    def replies(self, number: int, asked: muster.Ask) -> Iterator[muster.Message]: ...

    def round(self, number: int, weights: Weights, missing: dict[str, str]) -> None: ...


def average(listener: muster.Listener, weights: Weights, rounds: int, show: Show) -> Weights:
    """Federated averaging with whoever is here; the weights after the last round."""
    for number in range(1, rounds + 1):
        asked = listener.ask("TRAIN", {"round": number, "weights": weights}, timeout=DEADLINE)
        mean = Mean()
        for reply in show.replies(number, asked):
            mean.add(reply.data["weights"], reply.data["n"])
        if mean.n:
            weights = mean.weights()
        show.round(number, weights, asked.missing)
    return weights
