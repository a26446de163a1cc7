"""Each command, called in wrong ways: one line says what to do, nothing is printed, and it ends with 2.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.

CALLS has a row for each command that `muster --help` lists. Its options, and which of them
take a value, are those that `muster COMMAND --help` explains.
"""
import functools
import re
import subprocess
import unittest
from typing import NamedTuple

from command import MUSTER, TIMEOUT, CommandCase

ENDPOINT = "tcp://127.0.0.1:1"
BAD_ENDPOINTS = ("", "nonsense", "tcp://127.0.0.1", "tcp://:5670", "tcp://127.0.0.1:65536", "tcp://::1:5670", "ipc://", "inproc://name")
BAD_SECONDS = ("0", "-1", "soon", "inf", "1e9")
BAD_COUNTS = ("0", "-1", "1.5", "1x", "18446744073709551616")
BAD_NAMES = ("s" * 256, "a\tb")
BAD_JSON = ("", "{", "[]")


class Call(NamedTuple):
    """A command's arguments, none of which may be missing, and more that are wrong: what is added to
    the whole, and what is then said."""
    whole: tuple
    wrong: tuple = ()


def each(option, values, said):
    return tuple(((option, value), said) for value in values)


CALLS = {
    "listen": Call((ENDPOINT,), (
        (("more",), "not also more"),
        ((ENDPOINT,), f"one endpoint only, not also {ENDPOINT}"),
        *each("--count", BAD_COUNTS, "--count needs a number, 1 or more"),
        *each("--timeout", BAD_SECONDS, "--timeout needs a number of seconds"),
        (("--send", "w", "CMD"), "--send needs SOURCE CMD JSON"),
        *((("--send", name, "CMD", "{}"), "SOURCE of --send needs 1 to 255 bytes") for name in BAD_NAMES),
        *((("--send", "w", name, "{}"), "CMD of --send needs 1 to 255 bytes") for name in BAD_NAMES),
        *((("--send", "w", "CMD", text), "JSON: ") for text in BAD_JSON),
        (("--key", "k", "--allow", "f", "--insecure"), "--insecure is for a listener without keys"),
    )),
    "send": Call((ENDPOINT, "--source", "s", "--cmd", "c"), (
        *((("{}", more), f"one JSON at most .* not also {more}") for more in ("{}", "-", "more")),
        ((ENDPOINT,), "JSON: "),
        *(((text,), "JSON: ") for text in BAD_JSON),
        *each("--source", BAD_NAMES, "--source needs 1 to 255 bytes"),
        *each("--cmd", BAD_NAMES, "--cmd needs 1 to 255 bytes"),
        *each("--timeout", BAD_SECONDS, "--timeout needs a number of seconds"),
        (("--plain", "--key", "k"), "--server is missing"),
    )),
    "replay": Call(("recording", ENDPOINT), (
        ((ENDPOINT,), f"one endpoint only, not also {ENDPOINT}"),
        *each("--speed", ("-1", "2x", "nan", "inf", "1e9"), "--speed needs a number, 0 or more"),
    )),
    "keygen": Call(("name",), (
        (("more",), "give one name"),
    )),
    "enrol": Call(("allow", "w.pub", "--source", "s"), (
        *(((name,), "--source needs 1 to 255 bytes") for name in BAD_NAMES),
        *each("--source", BAD_NAMES, "--source needs 1 to 255 bytes"),
    )),
    "revoke": Call(("allow", "w.pub"), (
        (("more",), "give the allow file and the public key file"),
        (("--source", "s"), "no option --source"),
    )),
    "stats": Call((ENDPOINT,), (
        ((ENDPOINT,), f"one endpoint only, not also {ENDPOINT}"),
        *each("--timeout", BAD_SECONDS, "--timeout needs a number of seconds"),
    )),
    "top": Call((ENDPOINT,), (
        ((ENDPOINT,), f"one endpoint only, not also {ENDPOINT}"),
        *each("--sort", ("rates", "RATE"), "--sort needs rate, queue, source or seen"),
        *each("--interval", ("0.05", *BAD_SECONDS), "--interval needs a number of seconds, 0.1 or more"),
        *each("--timeout", BAD_SECONDS, "--timeout needs a number of seconds"),
    )),
    "doctor": Call((ENDPOINT,), (
        ((ENDPOINT,), f"one endpoint only, not also {ENDPOINT}"),
        *each("--timeout", BAD_SECONDS, "--timeout needs a number of seconds"),
        *each("--return", ("nonsense", "tcp://127.0.0.1"), "--return needs an endpoint"),
    )),
}


@functools.cache
def help_of(*command):
    return subprocess.run([MUSTER, *command, "--help"], capture_output=True, text=True, timeout=TIMEOUT, check=True).stdout


class Usage(CommandCase):
    def setUp(self):
        self.listed = re.findall(r"^  muster ([a-z]+) ", help_of(), re.MULTILINE)

    def options(self, command):
        """Pairs of an option and what its value is called, which is empty where it takes none."""
        return re.findall(r"^  (--[a-z-]+)(?: (\S+))?", help_of(command), re.MULTILINE)

    def calls(self):
        for command in self.listed:
            yield command, CALLS[command]

    def test_each_command_has_a_row_here(self):
        self.assertEqual(sorted(self.listed), sorted(CALLS))

    def test_a_command_that_is_none_is_refused(self):
        for args, pattern in (
                ([], "give a command: " + ".*".join(self.listed)), ([""], "there is no command"), (["lisn"], "no command lisn"),
                (["--bogus"], "no command --bogus"), (["-x"], "no command -x"), (["a\nb"], r"no command a\?b")):
            self.assert_usage(args, pattern)

    def test_what_a_terminal_would_obey_is_a_question_mark(self):
        for character in "\x1b\x7f\x80\x9f\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069":
            self.assert_usage([f"a{character}b"], r"no command a\?b ")
        for character in "\xa0é\u200d\u2010\u2027\u202f\u2065\u206a😀":
            self.assert_usage([f"a{character}b"], f"no command a{character}b ")

    def test_an_option_that_is_none_is_refused_wherever_it_stands(self):
        for command, call in self.calls():
            for option in ("--bogus", "-x"):
                self.assert_usage([command, *call.whole, option], f"no option {option} ")
                self.assert_usage([command, option, *call.whole], f"no option {option} ")
            for flag in (option for option, value in self.options(command) if not value):
                self.assert_usage([command, *call.whole, flag, "-xy"], "no option -x ")

    def test_an_option_of_any_length_leaves_room_for_where_help_is(self):
        for command, call in self.calls():
            self.assert_usage([command, *call.whole, "--" + "x" * 4000], "no option --xxx")

    def test_an_option_needs_its_value(self):
        for command, call in self.calls():
            for option in (option for option, value in self.options(command) if value):
                self.assert_usage([command, *call.whole, option], f"{option} needs a value")
                self.assert_usage([command, *call.whole, option, ""], f"{option} needs ")

    def test_an_option_without_a_value_takes_none(self):
        for command, call in self.calls():
            for option in ["--help", *(option for option, value in self.options(command) if not value)]:
                self.assert_usage([command, *call.whole, f"{option}=1"], f"{option}=1 takes no value")

    def test_a_missing_argument_is_named(self):
        said = ("endpoint: tcp://HOST:PORT|FILE is missing|NAME|allow file and the public key file|"
                r"--\w+ (?:or --\w+ )?is missing|needs a value")
        for command, call in self.calls():
            for length in range(len(call.whole)):
                self.assert_usage([command, *call.whole[:length]], said)

    def test_an_empty_argument_is_named(self):
        for command, call in self.calls():
            for place, word in enumerate(call.whole):
                if not word.startswith("--"):
                    self.assert_usage([command, *call.whole[:place], "", *call.whole[place + 1:]],
                                      "endpoint is empty: give|needs the name of a file|NAME is empty: give|needs 1 to 255 bytes")

    def test_an_endpoint_that_is_none_is_shown_with_what_one_looks_like(self):
        for command, call in self.calls():
            for endpoint in BAD_ENDPOINTS if ENDPOINT in call.whole else ():
                whole = [endpoint if word == ENDPOINT else word for word in call.whole]
                self.assert_usage([command, *whole], re.escape(endpoint[:100]) + ".*(tcp://|ipc://|port|host|address|path)")

    def test_a_key_needs_its_partner_and_the_partner_a_key(self):
        for command, call in self.calls():
            options = dict(self.options(command))
            for partner in ("--allow", "--server"):
                if "--key" in options and partner in options:
                    self.assert_usage([command, *call.whole, "--key", "k"], f"{partner} is missing: keys need both")
                    self.assert_usage([command, *call.whole, partner, "f"], "--key is missing: keys need both")

    def test_what_is_wrong_with_one_command_alone_is_named(self):
        for command, call in self.calls():
            for words, pattern in call.wrong:
                self.assert_usage([command, *call.whole, *words], pattern)


if __name__ == "__main__":
    unittest.main()
