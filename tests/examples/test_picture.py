"""The picture of the federated example: what it says of rounds lies over nothing, whatever was learned.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import random
import sys
import unittest
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "python" / "federated"))
import plot
from digits import Digits
from progress import Round

SAMPLES = 200       # of a line between two points


def story(federated, alone, central):
    rounds = [Round(number, ["worker-1"], ["worker-1"], accuracy=accuracy, bytes=1000, seconds=0.1)
              for number, accuracy in enumerate(federated, 1)]
    held_out = Digits(np.zeros((16, 64)), np.zeros(16, dtype=int))
    return plot.Story(rounds, alone, central, killed=("worker-3", 5), joined=("worker-50", 8),
                      held_out=held_out, read=np.zeros(16, dtype=int))


def crosses(box, line):
    """In pixels: a point of the line, or one between two that it joins, is in the box."""
    corners = line.get_transform().transform(line.get_xydata())
    points = np.concatenate([corners[:1], *np.linspace(corners[:-1], corners[1:], SAMPLES)])
    return bool(np.any(np.all((points > box.min) & (points < box.max), axis=1)))


def labels_and_axes(drawn):
    """The labels of rounds, as boxes in pixels, by their texts."""
    figure = plot.figure_of(drawn)
    renderer = FigureCanvasAgg(figure).get_renderer()
    axes = figure.axes[0]
    return {text.get_text(): text.get_window_extent(renderer) for text in axes.texts}, axes


class Picture(unittest.TestCase):
    def assert_labels_lie_over_nothing(self, drawn):
        labels, axes = labels_and_axes(drawn)
        self.assertEqual(set(labels), {"worker-3 is killed", "worker-50 joins"})
        first, second = labels.values()
        self.assertFalse(first.overlaps(second))
        for text, box in labels.items():
            self.assertGreater(box.ymin, axes.bbox.ymin, text)
            self.assertTrue(axes.bbox.xmin < box.xmin and box.xmax < axes.bbox.xmax, text)
            for tick in axes.get_yticks():
                self.assertGreater(axes.transData.transform((0, tick))[1], box.ymax, (text, tick))
            for line in axes.lines:
                self.assertFalse(crosses(box, line), (text, line))

    def test_labels_of_rounds_lie_over_no_line_whatever_was_learned(self):
        luck = random.Random(1)
        for rounds in (8, 12, 30, 100):
            steady = [0.97] * rounds
            curves = {"nothing": [0.0] * rounds, "all at once": steady,
                      "lost": [1 - n / (rounds - 1) for n in range(rounds)],
                      "luck": [luck.uniform(0.9, 1) for _ in range(rounds)]}
            for name, curve in curves.items():
                with self.subTest(rounds=rounds, learned=name):
                    self.assert_labels_lie_over_nothing(story(curve, steady, steady))


if __name__ == "__main__":
    unittest.main()
