"""What is seen of a round: a bar of who has answered while it lasts, then a line.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

On a terminal the bar is redrawn in one line of stderr. Elsewhere there is none:
a log has the line of each round, on stdout, and nothing else.
"""
import sys
from dataclasses import dataclass, field
from typing import TextIO

COLUMNS = 79        # of 80: some terminals break the line after the last
ACCURACY = 30       # columns of the bar of an accuracy


@dataclass
class Round:
    number: int
    workers: list[str]                                          # who was asked
    answered: list[str] = field(default_factory=list)           # in the order they came
    missing: dict[str, str] = field(default_factory=dict)       # who did not answer, and why
    accuracy: float = 0
    loss: float = 0
    bytes: int = 0
    seconds: float = 0


def bar(round: Round) -> str:
    """"round  5  [##.#####]  7 of 8, waiting for worker-3", in 80 columns."""
    waiting = [source for source in round.workers if source not in round.answered]
    marks = "".join(".#"[source in round.answered] for source in round.workers)
    text = f"round {round.number:2}  [{marks}]  {len(round.answered)} of {len(round.workers)}"
    if waiting:
        text += f", waiting for {', '.join(waiting)}"
    return text if len(text) <= COLUMNS else text[:COLUMNS - 3] + "..."


def title() -> str:
    return f"round  {'accuracy on the digits held out':{ACCURACY + 9}}   loss    bytes  seconds  workers"


def line(round: Round) -> str:
    filled = "#" * int(round.accuracy * ACCURACY)
    text = (f"{round.number:5} {100 * round.accuracy:6.1f} % {filled:.<{ACCURACY}} {round.loss:7.4f} {round.bytes:8}"
            f" {round.seconds:8.3f}  {len(round.answered)} of {len(round.workers)}")
    if round.missing:
        text += ", missing: " + ", ".join(f"{source} ({why})" for source, why in round.missing.items())
    return text


class Progress:
    def __init__(self, terminal: TextIO = sys.stderr) -> None:
        self.terminal = terminal if terminal.isatty() else None

    def draw(self, round: Round) -> None:
        self.redraw(bar(round))

    def say(self, text: str) -> None:
        """A line that stays, on stdout."""
        self.redraw("")
        print(text, flush=True)

    def redraw(self, text: str) -> None:
        if self.terminal:
            self.terminal.write(f"\r{text:{COLUMNS}}" if text else f"\r{'':{COLUMNS}}\r")
            self.terminal.flush()
