"""What attacks cost the honest worker: its throughput with and without each, in turns.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: run.py BUILD [ATTACK...]

Prints for each attack the medians of ROUNDS rounds and their ratio. Fails if a
ratio is below LEAST. Attackers run at a nice value of 10, for they are to take
the listener's time and not the machine's.
"""
import os
import statistics
import sys
import time

ROUNDS = 5
LEAST = 0.5
COUNT, SIZE = 50000, 100        # messages that are sent at a time, bytes of each
SECONDS = 0.7                   # of a measurement, at least
#   ZeroMQ's one thread decrypts a frame, and reads a handshake, whole: what is as large as the frame
#   limit holds up all others. The limit is for the user to set.
SMALL_LIMIT = 2 << 20
#   docs/security.md, "What does not"
UNDEFENDED = {"endless_metadata"}
OPTIONS = {
    "half_open": {"connections": 5000},
    "endless_metadata": {"limit": SMALL_LIMIT},
}
#   Who sends nothing but refused frames is kept out for 5 seconds, and begins anew.
LONGER = {"refused_large": 11, "refused_small": 11}
LISTENERS = {
    "join_and_leave": ("--event-us", "1000"),
    "fresh_hellos": ("--event-us", "1000"),
    "endless_metadata": ("--frame-limit", str(SMALL_LIMIT)),
}


def rate(siege, seconds):
    """Messages of the honest worker that are handled in a second."""
    count, began = 0, time.monotonic()
    while time.monotonic() < began + seconds:
        siege.send(COUNT, SIZE)
        count += COUNT
    return count / (time.monotonic() - began)


def measure(name):
    """Medians without and with the attack."""
    from siege import Siege     # it looks at the environment
    quiet, attacked = [], []
    with Siege(*LISTENERS.get(name, ())) as siege:
        for _ in range(ROUNDS):
            quiet.append(rate(siege, SECONDS))
            siege.attack(name, **OPTIONS.get(name, {}))
            attacked.append(rate(siege, LONGER.get(name, SECONDS)))
            siege.stop_attacks()
            siege.wait_for_descriptors()
        sent, stats = siege.sent, siege.finish()
    assert (stats["honest"], stats["wrong"], stats["disturbed"]) == (sent, 0, 0), stats
    return statistics.median(quiet), statistics.median(attacked)


def main(build, *names):
    os.environ["MUSTER_ATTACKS"] = os.path.join(build, "tests", "attacks")
    import attackers
    poor = []
    print("%-20s %10s %10s   ratio" % ("attack", "without", "with"))
    for name in names or attackers.ATTACKS:
        quiet, attacked = measure(name)
        ratio = attacked / quiet
        print("%-20s %8.0f/s %8.0f/s   %.2f%s" % (name, quiet, attacked, ratio, " *" * (name in UNDEFENDED)), flush=True)
        if ratio < LEAST and name not in UNDEFENDED:
            poor.append(name)
    print("* not defended: ZeroMQ reads a handshake whole before it asks who it is")
    if poor:
        sys.exit("below %.1f: %s" % (LEAST, ", ".join(poor)))


if __name__ == "__main__":
    main(*sys.argv[1:])
