"""muster keygen, enrol and revoke, as a user types them.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import os
import re
import stat
import subprocess
import unittest

from command import MUSTER, TIMEOUT, CommandCase


class KeysCase(CommandCase):
    def setUp(self):
        self.place = self.directory()

    def path(self, name):
        return os.path.join(self.place, name)

    def run_here(self, *args, **options):
        return self.run_muster(*args, cwd=self.place, **options)

    def assert_says(self, result, line):
        """It is done, and says so in this line alone, on stderr."""
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", f"muster: {line}\n"))

    def assert_refused(self, result, line):
        self.assertEqual((result.returncode, result.stdout, result.stderr), (1, "", f"muster: {line}\n"))

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", newline="") as file:
            return file.read()

    def mode(self, name):
        return stat.S_IMODE(os.lstat(self.path(name)).st_mode)

    def keygen(self, *names):
        """Make keys; returns the public ones."""
        for name in names:
            self.assert_done(self.run_here("keygen", name))
        return [re.search(r'public-key = "(.{40})"', self.read(f"{name}.pub")).group(1) for name in names]

    def enrol(self, *args):
        self.assert_done(self.run_here("enrol", *args))


class Usage(KeysCase):
    def test_says_what_to_do_when_it_does_not_understand(self):
        for args, pattern in (
                (["keygen"], "give one name"),
                (["keygen", "a", "b"], "give one name"),
                (["keygen", "a", "--bogus"], "no option --bogus"),
                (["keygen", "-x"], "no option -x"),
                (["keygen", "a", "--help=1"], "takes no value"),
                (["enrol"], "give the allow file and the public key file first"),
                (["enrol", "allow"], "give the allow file and the public key file first"),
                (["enrol", "allow", "a.pub"], "--source or --observer is missing"),
                (["enrol", "allow", "a.pub", "--source"], "--source needs a value"),
                (["enrol", "allow", "a.pub", "worker-1"], "write --source before worker-1"),
                (["enrol", "--source", "a", "allow", "a.pub"], "key file first"),
                (["enrol", "allow", "--source", "a", "a.pub"], "key file first"),
                (["enrol", "allow", "a.pub", "--source", ""], "--source needs 1 to 255 bytes"),
                (["enrol", "allow", "a.pub", "--source", "a", "s" * 256], "--source needs"),
                (["enrol", "allow", "a.pub", "--source", "a\nb"], "--source needs"),
                (["enrol", "allow", "a.pub", "--source", "\udcff"], "--source needs"),
                (["enrol", "allow", "a.pub", "--bogus"], "no option --bogus"),
                (["revoke"], "give the allow file and the public key file"),
                (["revoke", "allow"], "give the allow file and the public key file"),
                (["revoke", "allow", "a.pub", "b.pub"], "give the allow file and the public key file"),
                (["revoke", "allow", "a.pub", "--source", "a"], "no option --source")):
            self.assert_usage(args, pattern)

    def test_help_goes_to_stdout(self):
        for command in ("keygen", "enrol", "revoke"):
            for option in ("--help", "-h"):
                result = self.run_muster(command, option)
                self.assert_done(result)
                self.assertIn(f"usage: muster {command} ", result.stdout)
                self.assertEqual(result.stderr, "")

    def test_the_commands_are_listed(self):
        listed = self.run_muster("--help").stdout
        for command in ("keygen NAME", "enrol ALLOWFILE KEY.pub --source S...", "revoke ALLOWFILE KEY.pub"):
            self.assertIn(f"  muster {command}", listed)


class Keygen(KeysCase):
    def test_makes_a_secret_and_a_public_file(self):
        self.assert_says(self.run_here("keygen", "worker"), "wrote worker.key (secret, keep it here) and worker.pub")
        self.assertEqual(sorted(os.listdir(self.place)), ["worker.key", "worker.pub"])
        public = re.findall(r'    public-key = "(.{40})"\n', self.read("worker.key") + self.read("worker.pub"))
        self.assertEqual(len(public), 2)
        self.assertEqual(public[0], public[1])
        self.assertRegex(self.read("worker.key"), r'\n    secret-key = ".{40}"\n')
        self.assertNotIn("secret-key", self.read("worker.pub"))

    def test_only_the_owner_can_read_the_secret_whatever_the_umask(self):
        for name, mask in (("a", 0), ("b", 0o077), ("c", 0o277)):
            self.assert_done(self.run_here("keygen", name, umask=mask))
            self.assertEqual(self.mode(f"{name}.key"), 0o600)
            self.assertEqual(self.mode(f"{name}.pub"), 0o644 & ~mask)

    def test_overwrites_nothing(self):
        for there, other in (("worker.key", "worker.pub"), ("worker.pub", "worker.key")):
            self.write(there, "mine")
            self.assert_refused(
                self.run_here("keygen", "worker"), f"{there}: is there already: take another name, or move it away")
            self.assertEqual(self.read(there), "mine")
            self.assertFalse(os.path.exists(self.path(other)))
            os.remove(self.path(there))

    def test_says_where_it_cannot_write(self):
        self.assert_refused(self.run_here("keygen", "no/worker"), "no/worker.key: No such file or directory")

    def test_takes_a_name_that_begins_with_a_dash_after_two_dashes(self):
        self.assert_done(self.run_here("keygen", "--", "-worker"))
        self.assertTrue(os.path.exists(self.path("-worker.key")))

    def test_pyzmq_reads_the_keys(self):
        try:
            import zmq.auth
        except ImportError:
            self.skipTest("no pyzmq")
        self.keygen("worker")
        public, secret = zmq.auth.load_certificate(self.path("worker.key"))
        self.assertEqual(len(secret), 40)
        self.assertEqual(zmq.auth.load_certificate(self.path("worker.pub")), (public, None))
        self.assertEqual(zmq.curve_public(secret), public)


class Enrol(KeysCase):
    def test_makes_the_allow_file(self):
        anna, = self.keygen("anna")
        result = self.run_here("enrol", "allow", "anna.pub", "--source", "worker-1", umask=0)
        self.assert_says(result, "allow: anna.pub may use worker-1")
        self.assertEqual(self.read("allow"), f"curve {anna} worker-1\n")
        self.assertEqual(self.mode("allow"), 0o644)

    def test_takes_several_sources_in_either_way(self):
        anna, ben = self.keygen("anna", "ben")
        result = self.run_here("enrol", "allow", "anna.pub", "--source", "a", "--source", "b", "--source=c d")
        self.assert_says(result, "allow: anna.pub may use a and 2 more")
        result = self.run_here("enrol", "allow", "ben.pub", "--source", "a", "b", "--source", "-c", "--", "-d")
        self.assert_says(result, "allow: ben.pub may use a and 3 more")
        self.assertEqual(self.read("allow"), f'curve {anna} a b "c d"\ncurve {ben} a b -c -d\n')

    def test_adds_what_a_key_may_not_use_yet(self):
        anna, = self.keygen("anna")
        self.enrol("allow", "anna.pub", "--source", "a")
        self.enrol("allow", "anna.pub", "--source", "b", "a")
        self.assertEqual(self.read("allow"), f"curve {anna} a b\n")

    def test_keeps_comments_and_other_lines_as_they_are(self):
        anna, ben, carl = self.keygen("anna", "ben", "carl")
        text = f"# the lab\r\n\r\n\tcurve  {anna}\ta # Anna's \"desk\"\r\n #\ncurve {ben} \"b b\" # Ben"
        self.write("allow", text)
        self.enrol("allow", "carl.pub", "--source", "c")
        self.assertEqual(self.read("allow"), f"{text}\ncurve {carl} c\n")
        self.enrol("allow", "anna.pub", "--source", "é d")
        self.assertEqual(self.read("allow"), text.replace("\ta #", '\ta "é d" #') + f"\ncurve {carl} c\n")

    def test_keeps_the_mode(self):
        self.keygen("anna")
        self.write("allow", "", 0o600)
        self.enrol("allow", "anna.pub", "--source", "a")
        self.assertEqual(self.mode("allow"), 0o600)

    def test_many_at_once_are_all_there(self):
        names = [f"worker-{number}" for number in range(12)]
        keys = self.keygen(*names)
        running = [subprocess.Popen(
            [MUSTER, "enrol", "allow", f"{name}.pub", "--source", name], cwd=self.place, stderr=subprocess.PIPE)
            for name in names]
        for process in running:
            _, complaint = process.communicate(timeout=TIMEOUT)
            self.assertEqual(process.returncode, 0, complaint)
        lines = [f"curve {key} {name}" for name, key in zip(names, keys)]
        self.assertEqual(sorted(self.read("allow").splitlines()), sorted(lines))
        self.assertEqual([name for name in os.listdir(self.place) if name.startswith(".")], [])

    def test_names_the_line_that_is_wrong(self):
        anna, ben = self.keygen("anna", "ben")
        for text, complaint in (
                ("# x\n\nworker-1\n", 'line 3: it does not begin with "curve": write curve KEY SOURCE...'),
                ("curve worker-1\n", "line 1: the second word is no public key, 40 characters without quotes"),
                (f"\ncurve {anna}\n", "line 2: there is no source behind the key: name those that it may use"),
                (f"curve {anna} \"a\n", "line 1: a quote is not closed"),
                (f"curve {anna} a\n\ncurve {ben} b\ncurve {anna} c\n",
                 "line 4: the key of line 1 again: make one line of both")):
            self.write("allow", text)
            self.assert_refused(self.run_here("enrol", "allow", "ben.pub", "--source", "x"), f"allow: {complaint}")
            self.assertEqual(self.read("allow"), text)

    def test_refuses_a_secret_key_file(self):
        self.keygen("anna")
        self.assert_refused(
            self.run_here("enrol", "allow", "anna.key", "--source", "a"),
            "anna.key: is a secret key file: give anna.pub, and do not pass the secret on")
        self.assertFalse(os.path.exists(self.path("allow")))

    def test_refuses_a_public_key_file_that_is_none(self):
        self.write("anna.pub", "metadata\ncurve\n    public-key = \"short\"\n")
        self.assert_refused(
            self.run_here("enrol", "allow", "anna.pub", "--source", "a"),
            "anna.pub: line 3: its value is no key, 40 characters of Z85 in quotes")
        self.assert_refused(
            self.run_here("enrol", "allow", "none.pub", "--source", "a"), "none.pub: No such file or directory")

    def test_refuses_an_allow_file_that_others_can_write(self):
        self.keygen("anna")
        self.write("allow file", "", 0o666)
        self.assert_refused(
            self.run_here("enrol", "allow file", "anna.pub", "--source", "a"),
            "allow file: others can write it: chmod go-w 'allow file'")

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become somebody else")
    def test_says_what_may_not_be_read(self):
        nobody = self.as_nobody()
        if subprocess.run(["test", "-x", MUSTER], check=False, **nobody).returncode:
            self.skipTest("nobody else can run the command where it is")
        self.keygen("anna")
        self.write("allow", "# mine\n", 0o600)
        os.chmod(self.place, 0o755)
        self.assert_refused(
            self.run_here("enrol", "allow", "anna.pub", "--source", "a", **nobody), "allow: Permission denied")
        os.chmod(self.path("anna.pub"), 0o600)
        self.assert_refused(
            self.run_here("revoke", "allow", "anna.pub", **nobody), "anna.pub: Permission denied")


class Revoke(KeysCase):
    def test_takes_the_key_out(self):
        _, ben = self.keygen("anna", "ben")
        self.enrol("allow", "anna.pub", "--source", "a")
        self.enrol("allow", "ben.pub", "--source", "b")
        self.assert_says(self.run_here("revoke", "allow", "anna.pub"), "allow: anna.pub may use nothing any more")
        self.assertEqual(self.read("allow"), f"curve {ben} b\n")

    def test_keeps_comments_and_other_lines_as_they_are(self):
        anna, ben = self.keygen("anna", "ben")
        self.write("allow", f"# the lab\r\n\tcurve {anna} a # Anna\r\n\n  curve {ben} b #", 0o600)
        self.assert_done(self.run_here("revoke", "allow", "anna.pub"))
        self.assertEqual(self.read("allow"), f"# the lab\r\n\n  curve {ben} b #")
        self.assertEqual(self.mode("allow"), 0o600)

    def test_says_if_the_key_is_not_there(self):
        self.keygen("anna", "ben")
        self.assert_refused(self.run_here("revoke", "allow", "anna.pub"), "allow: No such file or directory")
        self.enrol("allow", "ben.pub", "--source", "b")
        self.assert_refused(self.run_here("revoke", "allow", "anna.pub"), "allow: anna.pub: its key is not enrolled")


if __name__ == "__main__":
    unittest.main()
