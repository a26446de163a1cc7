"""Rounds in asyncio: a coordinator and two workers in one event loop.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

usage: PYTHONPATH=build/python python3 examples/python/rounds_asyncio.py
"""
import asyncio

import numpy as np
from muster import aio

ROUNDS = 3
SECONDS = 30


async def work(endpoint: str, source: str, target: float) -> None:
    """A worker whose own data pull the weights towards its target."""
    async with aio.Worker(endpoint, source) as worker:
        async for command in worker:
            if command.cmd == "STOP":
                break
            weights = command.data["weights"]
            await command.reply("UPDATE", {"weights": weights + (target - weights) / 2})


async def coordinate(listener: aio.Listener) -> None:
    weights = np.zeros(2)
    await listener.wait_for_workers(2, timeout=SECONDS)
    for number in range(1, ROUNDS + 1):
        asked = await listener.ask("TRAIN", {"weights": weights}, timeout=SECONDS)
        updates = [reply.data["weights"] async for reply in asked]
        weights = np.mean(updates, axis=0)
        print(f"round {number}: {len(updates)} replies, weights {weights}")
    await listener.broadcast("STOP")


async def main() -> None:
    async with aio.Listener("tcp://127.0.0.1:*") as listener:
        await asyncio.gather(
            coordinate(listener),
            work(listener.endpoint, "worker-1", 4.0),
            work(listener.endpoint, "worker-2", 8.0))


if __name__ == "__main__":
    asyncio.run(main())
