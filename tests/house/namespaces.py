"""Where network namespaces can be made and nothing of the machine is touched.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

A command that runs there is root, in a network of its own and with a /run of its own,
which has the namespaces' names: all of it goes when the command's processes have.
"""
import os
import subprocess

PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"    # where ip is, and not everybody looks
PREPARE = 'mount -t tmpfs none /run && exec "$@"'
PROBE = """\
ip netns add one && ip netns add two &&
ip link add cable netns one type veth peer name cable netns two &&
ip netns exec one true"""
SECONDS = 60


def words_before(*options):
    return ["unshare", *options, "--mount", "--net", "sh", "-c", PREPARE, "sh"]


def why_not(before):
    """What holds a machine off from making namespaces; None if nothing does."""
    try:
        done = subprocess.run([*before, "sh", "-c", PROBE], env={**os.environ, "PATH": PATH, "LC_ALL": "C"},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.returncode == 0 else (done.stderr.strip() or f"ended with {done.returncode}").splitlines()[-1]


def namespaces():
    """The words before a command that run it there, and why there are none."""
    found = []
    for options in ([], ["--map-root-user"]):
        before = words_before(*options)
        problem = why_not(before)
        if not problem:
            return before, None
        found.append(problem)
    return None, "; ".join(dict.fromkeys(found))
