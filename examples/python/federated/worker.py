"""A worker: trains the model it is sent on digits of its own.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: worker.py ENDPOINT KEYS NUMBER OF [--seed N]

It takes share NUMBER, from 1, of OF shares, and is called worker-NUMBER. KEYS is the
directory of its key and the coordinator's.
"""
import argparse
import sys
from pathlib import Path

import muster
import numpy as np

import digits
import keyring
from model import train

LIVENESS = 1.5      # seconds of silence after which one side takes the other for lost
PATIENCE = 20       # seconds; a worker that hears nothing for longer goes home by itself


def name(number: int) -> str:
    return f"worker-{number}"


def work(endpoint: str, keys: Path, source: str, share: digits.Digits, rng: np.random.Generator) -> None:
    key, server = keyring.secret(keys, source), keyring.public(keys, keyring.COORDINATOR)
    with muster.Worker(endpoint, source, key=key, server=server, liveness=LIVENESS) as worker:
        while (command := worker.recv(timeout=PATIENCE)).cmd != "STOP":
            weights, loss = train(command.data["weights"], share, rng)
            update = {"weights": weights, "n": len(share), "loss": loss}
            command.reply("UPDATE", update)


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Trains the model it is sent on digits of its own.")
    parser.add_argument("endpoint", help="where the coordinator listens")
    parser.add_argument("keys", type=Path, help="where its key is, and the coordinator's")
    parser.add_argument("number", type=int, help="which share of the digits is its own, from 1")
    parser.add_argument("of", type=int, help="how many shares there are")
    parser.add_argument("--seed", type=int, default=1, help="the coordinator's (%(default)s)")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    options = parse(argv)
    source = name(options.number)
    training, _ = digits.load(options.seed)
    share = digits.shares(training, options.of, options.seed)[options.number - 1]
    try:
        work(options.endpoint, options.keys, source, share, digits.dice(options.seed, source))
    except muster.Error as error:
        print(f"{source} goes home: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
