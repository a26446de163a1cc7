"""A scheduler and its tasks, in the manner of the programs that muster.fedflow is for.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

A module of its own, because spawned processes import it. Each task runs in a process, which works in a directory of
its own and obeys its pipe; what it does it does on threads, and reports by the queue it was given.
"""
import enum
import multiprocessing
import os
import threading
import traceback

import numpy

from muster.fedflow import Handler, Message, MessageListener

HUGE = 3 ** 200
LIMIT = 60


class Stage(enum.Enum):
    NEW = 0
    READY = 1
    LOADED = 2
    TRAINED = 3
    FAILED = 4


class Task:
    """One process: obeys LOAD, TRAIN, EXIT; its number is its source."""

    def __init__(self, context, number, directory):
        self.number, self.directory = number, directory
        self.stage, self.result, self.items = Stage.NEW, None, {}
        self.pipe, end = context.Pipe()
        self.process = context.Process(target=work, args=(number, directory, end, MessageListener.mq()))
        self.process.start()
        end.close()

    def order(self, cmd):
        self.pipe.send(Message(source="", cmd=cmd, data={}))


def work(number, directory, pipe, mq):
    """A task's process. EXIT ends its main thread while others may still report."""
    os.makedirs(os.path.join(directory, str(number)))
    os.chdir(os.path.join(directory, str(number)))

    def report(stage, **data):
        mq.put(Message(source=number, cmd="stage", data={"stage": stage, **data}))

    def load():
        report(Stage.LOADED, path=os.getcwd())

    def train():
        try:
            weights = numpy.arange(1000.0).reshape(10, 100) * number
            result = {"weights": weights, "count": HUGE + number, "shape": (10, (100,))}
            mq.put(Message(source=number, cmd="result", data=result))
            result.clear()  # what was put is not changed by it
            for key in range(100):
                mq.put(Message(number, "item", {"key": (number, key), "value": key}))
            if number < 0:
                raise ArithmeticError("negative")
            report(Stage.TRAINED)
        except ArithmeticError:
            report(Stage.FAILED, trace=traceback.format_exc())

    report(Stage.READY)
    threads = {"LOAD": load, "TRAIN": train}
    while (order := pipe.recv().cmd) != "EXIT":
        threading.Thread(target=threads[order]).start()


class Scheduler(Handler):
    """Gives each task its next order when it reports."""

    NEXT = {Stage.READY: "LOAD", Stage.LOADED: "TRAIN", Stage.TRAINED: "EXIT", Stage.FAILED: "EXIT"}

    def __init__(self, method, numbers, directory):
        context = multiprocessing.get_context(method)
        self.finished = threading.Event()
        self.unfinished = set(numbers)
        self.made = threading.Event()
        MessageListener.register_default_handler(self)
        self.tasks = {number: Task(context, number, directory) for number in numbers}
        self.made.set()

    def handle(self, source, cmd, data):
        assert self.made.wait(LIMIT)
        task = self.tasks[source]
        if cmd == "stage":
            task.stage = data.pop("stage")
            task.order(self.NEXT[task.stage])
            if task.stage in (Stage.TRAINED, Stage.FAILED):
                self.unfinished.remove(source)
        elif cmd == "result":
            task.result = data
        elif cmd == "item":
            task.items[data["key"]] = data["value"]
        if not self.unfinished:
            self.finished.set()

    def join(self):
        assert self.finished.wait(LIMIT)
        for task in self.tasks.values():
            task.process.join(LIMIT)
            assert task.process.exitcode == 0
