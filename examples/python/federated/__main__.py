"""Federated averaging on handwritten digits, with eight worker processes.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: PYTHONPATH=build/python python3 examples/python/federated [--rounds N] [--workers N] [--seed N] [--picture FILE]

Each worker has digits of its own, which it gives to nobody. One worker is
killed in round 5, another joins in round 8. Ends with 0 if the model is as good
as one that saw all digits at once, and both were noticed.
"""
import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import muster

import coordinator
import digits
import keyring
import model
import worker
from crew import Crew
from progress import Progress, Round, line, title

KILLED, KILLED_IN = 3, 5        # number of the worker, round
JOINS_IN = 8                    # the one after the last
JOIN = 15                       # seconds that workers may take to come; less than their patience
POINTS_ALLOWED = 3.0
INTERRUPTED = 130


class Demo:
    """Looks on at the rounds: shows them, keeps what the picture needs, and
    sees to it that something goes wrong."""

    def __init__(self, listener: muster.Listener, crew: Crew, held_out: digits.Digits) -> None:
        self.listener = listener
        self.crew = crew
        self.held_out = held_out
        self.progress = Progress()
        self.rounds: list[Round] = []
        self.killed = worker.name(KILLED)
        self.newcomer = worker.name(crew.shares)
        self.begun = 0.0

    def gather(self) -> None:
        for number in range(1, self.crew.shares):
            self.crew.start(number)
        self.listener.wait_for_workers(self.crew.shares - 1, timeout=JOIN)
        self.begun = time.monotonic()

    def replies(self, number: int, asked: muster.Ask) -> Iterator[muster.Message]:
        here = sorted(self.listener.workers, key=lambda source: (len(source), source))
        self.rounds.append(round := Round(number, here))
        if number == KILLED_IN:
            self.crew.kill(self.killed)
            self.progress.say(f"       {self.killed} is killed")
        self.progress.draw(round)
        loss, trained = 0.0, 0
        for reply in asked:
            yield reply
            round.answered.append(reply.source)
            loss += reply.data["loss"] * reply.data["n"]
            trained += reply.data["n"]
            self.progress.draw(round)
        round.loss = loss / max(trained, 1)

    def round(self, number: int, weights: model.Weights, missing: dict[str, str]) -> None:
        round = self.rounds[-1]
        round.seconds = time.monotonic() - self.begun
        round.missing = missing
        round.accuracy = model.accuracy(weights, self.held_out)
        round.bytes = model.size(weights) * (len(round.workers) + len(round.answered))
        self.progress.say(line(round))
        self.prepare(number + 1)
        self.begun = time.monotonic()

    def prepare(self, number: int) -> None:
        if number == KILLED_IN:
            #   It trains for milliseconds: frozen before it is asked, it cannot answer before it is killed.
            self.crew.freeze(self.killed)
        if number == JOINS_IN:
            self.crew.start(self.crew.shares)
            self.listener.wait_for_workers([self.newcomer], timeout=JOIN)
            self.progress.say(f"       {self.newcomer} joins")

    def faults(self) -> Iterator[str]:
        """What was not noticed of what went wrong."""
        if self.killed not in self.rounds[KILLED_IN - 1].missing:
            yield f"{self.killed} was not missed in round {KILLED_IN}"
        if not any(self.newcomer in round.answered for round in self.rounds):
            yield f"{self.newcomer} took no part"


def run(options: argparse.Namespace, training: digits.Digits, held_out: digits.Digits) -> tuple[Demo, model.Weights]:
    """With keys: nobody but the workers gets in, and none of them as another."""
    with keyring.Keyring() as keys:
        for number in range(1, options.workers + 2):
            keys.admit(worker.name(number))
        return run_with_keys(options, keys, training, held_out)


def run_with_keys(options: argparse.Namespace, keys: keyring.Keyring,
                  training: digits.Digits, held_out: digits.Digits) -> tuple[Demo, model.Weights]:
    weights = model.start(digits.dice(options.seed, "weights"))
    with (muster.Listener("tcp://127.0.0.1:*", key=keys.key, allow=keys.allow, liveness=worker.LIVENESS) as listener,
          Crew(listener.endpoint, keys.directory, options.workers + 1, options.seed) as crew):
        #   An update that comes after its round is of no use any more.
        listener.register_default_handler(lambda message: None)
        print(f"{len(training)} digits to train on, {len(held_out)} held out;"
              f" {options.workers} workers with keys at {listener.endpoint}\n{title()}", flush=True)
        demo = Demo(listener, crew, held_out)
        demo.gather()
        weights = coordinator.average(listener, weights, options.rounds, demo)
        listener.broadcast("STOP", {})
    return demo, weights


def learn_alone(share: digits.Digits, held_out: digits.Digits, rounds: int, seed: int) -> list[float]:
    """The accuracy after each of as many rounds, with nobody to average with."""
    weights = model.start(digits.dice(seed, "weights"))
    rng = digits.dice(seed, "alone")
    accuracies = []
    for _ in range(rounds):
        weights, _loss = model.train(weights, share, rng)
        accuracies.append(model.accuracy(weights, held_out))
    return accuracies


def draw(demo: Demo, weights: model.Weights, alone: list[float], central: list[float], path: Path) -> None:
    try:
        import plot
    except ImportError as error:
        print(f"picture           none: {error}")
        return
    plot.draw(plot.Story(
        demo.rounds, alone, central, killed=(demo.killed, KILLED_IN), joined=(demo.newcomer, JOINS_IN),
        held_out=demo.held_out, read=model.read(weights, demo.held_out)), path)
    print(f"picture           {path}")


def parse(argv: list[str]) -> argparse.Namespace:
    built = Path("build/examples")
    parser = argparse.ArgumentParser(
        prog="federated", description="Eight workers learn to read digits that none of them gives away.")
    parser.add_argument("--rounds", type=int, default=30, help="rounds of training, 8 or more (%(default)s)")
    parser.add_argument("--workers", type=int, default=8, help="worker processes, 3 to 50 (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="decides who gets which digits (%(default)s)")
    parser.add_argument("--picture", type=Path, metavar="FILE",
                        default=(built if built.is_dir() else Path()) / "federated.png",
                        help="where the picture goes (%(default)s)")
    options = parser.parse_args(argv)
    if options.rounds < JOINS_IN or not KILLED <= options.workers <= 50 or options.seed < 0:
        parser.error("--rounds is 8 or more, --workers 3 to 50, --seed 0 or more")
    if not options.picture.parent.is_dir():
        parser.error(f"no such directory: {options.picture.parent}")
    return options


def demonstrate(options: argparse.Namespace) -> list[str]:
    """Run all, say what came of it; returns what is not as it should be."""
    training, held_out = digits.load(options.seed)
    demo, weights = run(options, training, held_out)
    dealt = digits.shares(training, options.workers + 1, options.seed)
    largest = max(range(options.workers), key=lambda number: len(dealt[number]))
    alone = learn_alone(dealt[largest], held_out, options.rounds, options.seed)
    central = learn_alone(training, held_out, options.rounds, options.seed)
    federated = demo.rounds[-1].accuracy
    print(f"federated         {100 * federated:5.1f} %\n"
          f"one worker alone  {100 * alone[-1]:5.1f} %  {worker.name(largest + 1)}, which has the most digits\n"
          f"all data at once  {100 * central[-1]:5.1f} %", flush=True)
    draw(demo, weights, alone, central, options.picture)
    faults = list(demo.faults())
    if 100 * abs(central[-1] - federated) > POINTS_ALLOWED:
        faults.append(f"federated and all data at once differ by more than {POINTS_ALLOWED:.0f} points")
    return faults


def main(argv: list[str]) -> int:
    options = parse(argv)
    try:
        faults = demonstrate(options)
    except (muster.Error, OSError) as error:
        faults = [str(error)]
    except KeyboardInterrupt:
        print("\nfederated: interrupted", file=sys.stderr)
        return INTERRUPTED
    for fault in faults:
        print(f"federated: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
