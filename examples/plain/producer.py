"""A plain producer: any PUSH socket that sends [source, cmd, data] in msgpack.

usage: producer.py ENDPOINT [COUNT]

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import sys

import msgpack
import zmq


def main(endpoint, count=10):
    #   Leaving the context waits until the socket has handed over all messages.
    with zmq.Context() as context, context.socket(zmq.PUSH) as push:
        push.connect(endpoint)
        for step in range(count):
            push.send(msgpack.packb(["producer-py", "PROGRESS", {"step": step, "loss": 0.5 / (step + 1)}]))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
