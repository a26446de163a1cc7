"""The picture: accuracy, bytes and seconds by round, and 16 digits as the model reads them.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray
import numpy as np

from digits import Digits
from progress import Round

FEDERATED, CENTRAL, ALONE = "#0b6e99", "#3d3d3d", "#c2703d"
WRONG, QUIET, GRID = "#b3261e", "#6b6b6b", "#e6e6e6"
SIDE = 4        # digits in a row, and rows
BAND = 0.2      # of the height of the accuracies, below the lowest: for the labels of rounds
STYLE = {
    "font.size": 10, "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.titlepad": 10, "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": QUIET,
    "axes.labelcolor": QUIET, "xtick.color": QUIET, "ytick.color": QUIET, "axes.axisbelow": True,
}


@dataclass(frozen=True)
class Story:
    """What there is to draw."""

    rounds: list[Round]
    alone: list[float]              # accuracy by round
    central: list[float]
    killed: tuple[str, int]         # who, in which round
    joined: tuple[str, int]
    held_out: Digits
    read: NDArray[np.intp]          # what the model takes each of these for


def draw(story: Story, path: Path) -> None:
    with matplotlib.rc_context(STYLE):
        figure_of(story).savefig(path, dpi=120)


def figure_of(story: Story) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(13, 7.4), facecolor="white")
        grid = figure.add_gridspec(2, 3, height_ratios=(1.65, 1), width_ratios=(1, 1, 1.5),
                                   left=0.06, right=0.975, top=0.85, bottom=0.08, hspace=0.45, wspace=0.2)
        head(figure, story)
        draw_accuracy(figure.add_subplot(grid[0, :2]), story)
        draw_bytes(figure.add_subplot(grid[1, 0]), story.rounds)
        draw_seconds(figure.add_subplot(grid[1, 1]), story)
        draw_digits(figure, grid[:, 2], story)
        return figure


def head(figure: Figure, story: Story) -> None:
    last = story.rounds[-1]
    figure.text(0.06, 0.945, "Federated averaging on handwritten digits", fontsize=16, weight="bold")
    figure.text(0.975, 0.945, f"{100 * last.accuracy:.1f} % after {last.number} rounds, {len(last.workers)} workers;"
                f" no digit left its worker", fontsize=11, color=QUIET, ha="right")


def by_round(axes: Axes, rounds: list[Round], title: str) -> list[int]:
    axes.set_title(title)
    axes.set_xlabel("round")
    axes.set_xlim(0.3, len(rounds) + 0.7)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.grid(axis="y", color=GRID)
    axes.tick_params(which="both", length=0)
    return [round.number for round in rounds]


def draw_accuracy(axes: Axes, story: Story) -> None:
    numbers = by_round(axes, story.rounds, "Accuracy")
    federated = [round.accuracy for round in story.rounds]
    for name, color, accuracies in (("all data at once", CENTRAL, story.central),
                                    ("federated", FEDERATED, federated), ("one worker alone", ALONE, story.alone)):
        axes.plot(numbers, accuracies, color=color, linewidth=2.5 if accuracies is federated else 1.5,
                  label=f"{name}  {100 * accuracies[-1]:.1f} %")
    lowest, highest = min(*federated, *story.alone, *story.central), 1.005
    axes.set_ylim(lowest - (highest - lowest) * BAND / (1 - BAND), highest)
    axes.set_yticks([tick for tick in MaxNLocator(8, steps=[1, 2, 5, 10]).tick_values(lowest, 1) if lowest <= tick <= 1])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    axes.legend(loc="lower right", bbox_to_anchor=(1.01, 1.0), ncol=3, frameon=False, fontsize=9.5,
                handlelength=1.2, columnspacing=1.3, borderaxespad=0.2)
    mark(axes, story.killed[1], federated, f"{story.killed[0]} is killed", 0.03)
    mark(axes, story.joined[1], federated, f"{story.joined[0]} joins", 0.11)


def mark(axes: Axes, number: int, accuracies: list[float], text: str, height: float) -> None:
    """Point out a round. The text is below all accuracies, at a height of its own, where the line ends: it has room
    below the lines of later rounds."""
    at_end = number > 0.7 * len(accuracies)
    axes.axvline(number, height, color=QUIET, linewidth=1, linestyle=":", zorder=1)
    axes.plot(number, accuracies[number - 1], "o", color="white", markeredgecolor=FEDERATED, markeredgewidth=2,
              markersize=7, zorder=3)
    axes.annotate(text, (number, height), (-5 if at_end else 5, 0), xycoords=("data", "axes fraction"),
                  textcoords="offset points", ha="right" if at_end else "left", color=QUIET)


def draw_bytes(axes: Axes, rounds: list[Round]) -> None:
    numbers = by_round(axes, rounds, "Kilobytes of weights, there and back")
    axes.bar(numbers, [round.bytes / 1000 for round in rounds], color=FEDERATED, width=0.7)


def draw_seconds(axes: Axes, story: Story) -> None:
    numbers = by_round(axes, story.rounds, "Seconds (log scale)")
    seconds = [round.seconds for round in story.rounds]
    axes.bar(numbers, seconds, color=[WRONG if round.missing else FEDERATED for round in story.rounds], width=0.7)
    axes.set_yscale("log")
    axes.set_ylim(10 ** np.floor(np.log10(min(seconds))), 1.5 * max(seconds))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    for round in story.rounds:
        if round.missing:
            axes.text(round.number + 0.6, round.seconds, "waited for " + ", ".join(round.missing), color=WRONG,
                      va="top", fontsize=9)


def draw_digits(figure: Figure, place: SubplotSpec, story: Story) -> None:
    frame = figure.add_subplot(place)
    frame.set_title("16 of the digits held out, as the model reads them")
    frame.axis("off")
    grid = place.subgridspec(SIDE, SIDE, wspace=0.12, hspace=0.25)
    for i in range(SIDE * SIDE):
        axes = figure.add_subplot(grid[i // SIDE, i % SIDE])
        axes.imshow(story.held_out.pixels[i].reshape(8, 8), cmap="Greys", vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[], anchor="N")
        axes.spines[:].set_visible(True)
        axes.spines[:].set_color(GRID)
        meant, said = story.held_out.labels[i], story.read[i]
        text, color = (f"{said}", FEDERATED) if said == meant else (f"{said}, but is {meant}", WRONG)
        axes.set_xlabel(text, color=color, weight="bold", size=12, labelpad=3)
