"""Two network namespaces, "left" and "right", joined by a cable that fails as it is told.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

Needs root, ip (iproute2) and nft (nftables). Nothing of the host's own network
is touched: the rules are in the two namespaces.
"""
import os
import re
import shutil
import subprocess

SIDES = ("left", "right")
# Addresses for documentation: they are used in these namespaces only.
ADDRESSES = {"left": "192.0.2.1", "right": "192.0.2.2"}


class Network:
    """The two namespaces. Close it when done, after what runs in them."""

    def __init__(self):
        check()
        sweep()
        self._names = {side: "muster-%d-%s" % (os.getpid(), side) for side in SIDES}
        self._made = []
        try:
            self._make()
        except BaseException:
            self.close()
            raise

    def _make(self):
        for side in SIDES:
            run("ip", "netns", "add", self._names[side])
            self._made.append(side)
        run("ip", "-n", self._names["left"], "link", "add", "cable", "type", "veth",
            "peer", "name", "cable", "netns", self._names["right"])
        for side in SIDES:
            name = self._names[side]
            run("ip", "-n", name, "address", "add", ADDRESSES[side] + "/24", "dev", "cable")
            run("ip", "-n", name, "link", "set", "lo", "up")
            run("ip", "-n", name, "link", "set", "cable", "up")

    def address(self, side):
        """The address of a side, which both can reach."""
        return ADDRESSES[side]

    def prefix(self, side):
        """What comes before a command's words to run it there; the process stays the same."""
        return ["ip", "netns", "exec", self._names[side]]

    def partition(self):
        """Drop everything, both ways. Nobody is told: connections only fall silent."""
        self._filter("drop")

    def loss(self, percent):
        """Drop so many packets of a hundred, each way."""
        self._filter("numgen random mod 100 < %d counter drop" % percent)

    def dropped(self):
        """How many packets loss() has dropped by now."""
        rules = [run(*self.prefix(side), "nft", "list", "table", "inet", "chaos") for side in SIDES]
        return sum(int(re.search(r"packets (\d+)", text)[1]) for text in rules)

    def heal(self):
        """Everything passes again."""
        self._filter("accept")

    def _filter(self, rule):
        """One rule for what comes in over the cable, set in one step. Dropping what goes
        out instead would be told to the sender."""
        rules = """
            add table inet chaos
            delete table inet chaos
            table inet chaos {
                chain cable {
                    type filter hook input priority 0;
                    iifname "cable" %s
                }
            }""" % rule
        for side in SIDES:
            run(*self.prefix(side), "nft", "-f", "-", text=rules)

    def close(self):
        """Delete the namespaces, and with them cable and rules. Once more is harmless."""
        while self._made:
            run("ip", "netns", "delete", self._names[self._made.pop()])


def check():
    """Fail with what is missing, not with what comes of it."""
    if os.geteuid() != 0:
        raise PermissionError("network namespaces need root: run this test as root")
    missing = [tool for tool in ("ip", "nft") if not shutil.which(tool)]
    if missing:
        raise FileNotFoundError("%s not found: install iproute2 and nftables" % " and ".join(missing))


def sweep():
    """Delete what tests that were killed have left: namespaces of processes that are gone."""
    for line in run("ip", "netns", "list").splitlines():
        name = line.split()[0]
        owner = re.fullmatch(r"muster-(\d+)-(left|right)", name)
        if owner and not os.path.exists("/proc/" + owner[1]):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def run(*words, text=None):
    result = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError("%s: %s" % (" ".join(words), result.stderr.strip()))
    return result.stdout
