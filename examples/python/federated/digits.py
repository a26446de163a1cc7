"""The handwritten digits, and who gets which.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).resolve().parents[2] / "data" / "digits.csv.gz"
LABELS = 10
PIXELS = 64
INK = 16
HELD_OUT = 5    # one digit in so many is held out
STRAY = 0.06    # weight of a label that a worker does not favour


@dataclass(frozen=True)
class Digits:
    pixels: NDArray[np.float32]     # a row for each digit: 0, paper, to 1, ink
    labels: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, which: slice | NDArray[np.bool_] | NDArray[np.intp]) -> "Digits":
        return Digits(self.pixels[which], self.labels[which])


def dice(seed: int, purpose: str) -> np.random.Generator:
    """Dice that fall alike for the same seed and purpose, and unlike for others."""
    return np.random.default_rng([seed, *purpose.encode()])


def load(seed: int, path: Path = FILE) -> tuple[Digits, Digits]:
    """The digits to train on, and those held out, which nobody trains on."""
    table = np.loadtxt(path, delimiter=",", dtype=np.float32)
    digits = Digits(table[:, :PIXELS] / INK, table[:, PIXELS].astype(np.intp))
    order = dice(seed, "split").permutation(len(digits))
    held_out = len(digits) // HELD_OUT
    return digits[order[held_out:]], digits[order[:held_out]]


def appetites(workers: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """How much each worker is after each label. The favourites go round the
    labels, so that with eight workers each label is somebody's."""
    wanted = np.full((workers, LABELS), STRAY)
    favourite = int(rng.integers(LABELS))
    for row in wanted:
        appetite, count = rng.uniform(0.2, 1.2), int(rng.integers(2, 5))
        row[np.arange(favourite, favourite + count) % LABELS] = appetite
        favourite += count
    return wanted


def shares(digits: Digits, workers: int, seed: int) -> list[Digits]:
    """Deal the digits out in unequal shares, each mostly of two to four labels."""
    rng = dice(seed, "shares")
    upto = np.cumsum(appetites(workers, rng), axis=0)
    marks = rng.random(len(digits)) * upto[-1, digits.labels]
    owners = (marks >= upto[:-1, digits.labels]).sum(axis=0)
    return [digits[owners == worker] for worker in range(workers)]
