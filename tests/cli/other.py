"""A listener of another version, or none of ours: its sockets, and answers made by hand.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

Frames are as docs/protocol.md has them.
"""
import os
import threading

import msgpack
import zmq

END, REPORT = 8, 10


def frame(kind, question, body):
    """With the session and epoch of the question."""
    return question[:3] + bytes((1, kind)) + question[5:25] + msgpack.packb(body)


class Other:
    """Answers each control frame with what answer makes of it, until the test ends."""

    def __init__(self, case, answer):
        self.endpoint = "ipc://" + os.path.join(case.directory(), "socket")
        self._answer = answer
        self._context = zmq.Context()
        self._pull = self._bind(zmq.PULL, self.endpoint)
        self._router = self._bind(zmq.ROUTER, self.endpoint + ".return")
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        case.addCleanup(self._end)

    def _bind(self, kind, endpoint):
        bound = self._context.socket(kind)
        bound.setsockopt(zmq.LINGER, 0)
        bound.bind(endpoint)
        return bound

    def _run(self):
        with self._pull, self._router:
            try:
                while True:
                    route, question = self._router.recv_multipart()
                    self._router.send_multipart([route, self._answer(question)])
            except zmq.ContextTerminated:
                pass

    def _end(self):
        self._context.term()
        self._thread.join()
