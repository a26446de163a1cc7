"""A small neural network that reads a digit: 64 pixels, 32 hidden neurons, 10 labels.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import numpy as np
from numpy.typing import NDArray

from digits import LABELS, PIXELS, Digits

HIDDEN = 32
BATCH = 16
RATE = np.float32(0.3)
PASSES = 8      # over the digits in one round

Floats = NDArray[np.float32]
Weights = dict[str, Floats]


def start(rng: np.random.Generator) -> Weights:
    """A model that knows nothing yet."""
    return {
        "hidden": layer(PIXELS, HIDDEN, rng), "hidden_bias": np.zeros(HIDDEN, np.float32),
        "output": layer(HIDDEN, LABELS, rng), "output_bias": np.zeros(LABELS, np.float32),
    }


def layer(inputs: int, neurons: int, rng: np.random.Generator) -> Floats:
    scale = np.sqrt(6 / inputs)
    return rng.uniform(-scale, scale, (inputs, neurons)).astype(np.float32)


def answer(weights: Weights, pixels: Floats) -> tuple[Floats, Floats]:
    """What the hidden neurons say of each digit, and the chance of each label."""
    hidden = np.maximum(pixels @ weights["hidden"] + weights["hidden_bias"], 0)
    score = hidden @ weights["output"] + weights["output_bias"]
    chance = np.exp(score - score.max(axis=1, keepdims=True))
    return hidden, chance / chance.sum(axis=1, keepdims=True)


def learn(weights: Weights, batch: Digits) -> float:
    """One step down the gradient, in place; the loss before it, summed over the batch."""
    hidden, chance = answer(weights, batch.pixels)
    meant = np.arange(len(batch)), batch.labels
    loss = -np.log(np.maximum(chance[meant], 1e-9)).sum()
    chance[meant] -= 1
    blame = (chance @ weights["output"].T) * (hidden > 0)
    step = RATE / len(batch)
    weights["output"] -= step * (hidden.T @ chance)
    weights["output_bias"] -= step * chance.sum(axis=0)
    weights["hidden"] -= step * (batch.pixels.T @ blame)
    weights["hidden_bias"] -= step * blame.sum(axis=0)
    return float(loss)


def train(weights: Weights, digits: Digits, rng: np.random.Generator) -> tuple[Weights, float]:
    """The weights after a round of training, and the mean loss of its last pass."""
    weights = {name: array.copy() for name, array in weights.items()}
    loss = 0.0
    for _ in range(PASSES):
        order = rng.permutation(len(digits))
        loss = sum(learn(weights, digits[order[i:i + BATCH]]) for i in range(0, len(digits), BATCH))
    return weights, loss / max(len(digits), 1)


def read(weights: Weights, digits: Digits) -> NDArray[np.intp]:
    """The label that the model takes each digit for."""
    _, chance = answer(weights, digits.pixels)
    labels: NDArray[np.intp] = chance.argmax(axis=1)
    return labels


def accuracy(weights: Weights, digits: Digits) -> float:
    return float((read(weights, digits) == digits.labels).mean())


def size(weights: Weights) -> int:
    """Its bytes on the way."""
    return sum(array.nbytes for array in weights.values())


class Mean:
    """The mean of updates, weighted by the digits behind each. It keeps their
    sum only: the memory of one update, however many there are."""

    def __init__(self) -> None:
        self.n = 0
        self.sums: dict[str, NDArray[np.float64]] = {}

    def add(self, weights: Weights, n: int) -> None:
        self.n += n
        for name, array in weights.items():
            self.sums[name] = self.sums.get(name, 0) + n * array.astype(np.float64)

    def weights(self) -> Weights:
        return {name: (total / self.n).astype(np.float32) for name, total in self.sums.items()}
