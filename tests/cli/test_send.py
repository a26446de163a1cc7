"""muster send, as a user types it.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import json
import os
import subprocess
import unittest

from command import CommandCase

#   What is typed, and what listen prints; None: the same.
JSON = (
    ('{}', None),
    ('{"a":1,"b":[true,false,null,"x",{"c":{}}]}', None),
    (' { "b" : 1 ,\t"a" : [ 1 , 2 ] } ', '{"b":1,"a":[1,2]}'),
    ('{"n":18446744073709551615}', None),
    ('{"n":[9223372036854775808,9223372036854775807,-9223372036854775808,-1,0]}', None),
    ('{"f":[1.0,-0.0,0.1,0.30000000000000004,5e-324,1.7976931348623157e+308]}', None),
    ('{"f":[1e2,1E-2,10.50]}', '{"f":[100.0,0.01,10.5]}'),
    ('{"f":[{"$float":"nan"},{"$float":"inf"},{"$float":"-inf"}]}', None),
    ('{"b":[{"$bin":""},{"$bin":"/w=="},{"$bin":"AAEC"}]}', None),
    ('{"e":[{"$ext":[-1,"AAAAAA=="]},{"$ext":[5,""]}]}', None),
    ('{"$map":{"$bin":"x","a":{"$map":{"$map":{}}}}}', None),
    ('{"$map":{"a":1}}', '{"a":1}'),
    ('{"s":"\\u0000 \\u001f \\" \\\\ \\n é 😀"}', None),
    ('{"s":"\\u00e9\\ud83d\\ude00\\/"}', '{"s":"é😀/"}'),
    ('{"' + "k" * 1000 + '":"' + "v" * 100000 + '"}', None),
    ('{"a":' * 64 + "1" + "}" * 64, None),
)

#   What no message can have, and what is said about it.
NO_DATA = (
    ("", "unexpected end"),
    ("{", "unexpected end"),
    ("[]", "data must be a map"),
    ("null", "data must be a map"),
    ('"x"', "data must be a map"),
    ('{"$bin":""}', "data must be a map"),
    ('{"a":18446744073709551616}', "18446744073709551616 is no integer"),
    ('{"a":-9223372036854775809}', "-9223372036854775809 is no integer"),
    ('{"a":1e999}', "too large"),
    ('{"a":NaN}', "NaN"),
    ('{"a":01}', "no number"),
    ('{"a":1,"a":1}', "a key comes twice"),
    ('{"a":1} {}', "unexpected character"),
    ('{"a":1},', "unexpected character"),
    ("{'a':1}", "unexpected character"),
    ('{"a":1,"$x":1}', r"\$map"),
    ('{"a":{"$bin":"?"}}', "no base64"),
    ('{"a":"\udcff"}', "no UTF-8"),
    ('{"a":"\\ud800"}', "surrogate"),
    ('{"a":' * 65 + "1" + "}" * 65, "64 levels"),
)


class Usage(CommandCase):
    def test_says_what_to_do_when_it_does_not_understand(self):
        endpoint = "tcp://127.0.0.1:1"
        named = [endpoint, "--source", "s", "--cmd", "c"]
        for args, pattern in (
                ([], "endpoint"),
                ([endpoint], "--source is missing"),
                ([endpoint, "--source", "s"], "--cmd is missing"),
                ([endpoint, "--cmd", "c"], "--source is missing"),
                (["--source", "s", "--cmd", "c"], "endpoint"),
                ([*named, "{}", "{}"], "not also {}"),
                ([*named, "--bogus"], "no option --bogus"),
                ([*named, "-x"], "no option -x"),
                ([*named, "--plain=1"], "--plain=1 takes no value"),
                ([*named, "--timeout"], "--timeout needs a value"),
                ([*named, "--timeout", "0"], "--timeout needs a number of seconds"),
                ([*named, "--timeout", "x"], "--timeout needs a number of seconds"),
                ([endpoint, "--cmd", "c", "--source", ""], "--source needs 1 to 255 bytes"),
                ([endpoint, "--cmd", "c", "--source", "s" * 256], "--source needs"),
                ([endpoint, "--cmd", "c", "--source", "a\x85"], "--source needs"),
                ([endpoint, "--cmd", "c", "--source", "\udcff"], "--source needs"),
                ([endpoint, "--source", "s", "--cmd", "a\tb"], "--cmd needs")):
            self.assert_usage(["send", *args], pattern)

    def test_refuses_json_that_is_no_data(self):
        for text, pattern in NO_DATA:
            self.assert_usage(["send", "tcp://127.0.0.1:1", "--source", "s", "--cmd", "c", text], pattern)

    def test_help_goes_to_stdout(self):
        result = self.run_muster("send", "--help")
        self.assert_done(result)
        self.assertIn("usage: muster send", result.stdout)
        self.assertEqual(result.stderr, "")


class Sending(CommandCase):
    def test_json_arrives_as_it_was_meant(self):
        listener, endpoint = self.listen("--count", str(len(JSON)))
        for text, _ in JSON:
            self.assert_done(self.send(endpoint, text, source="s", cmd="c"))
        self.assert_ends(listener, 0, handled=len(JSON), rejected=0)
        for line, (text, printed) in zip(listener.out.all(), JSON):
            self.assertEqual(line, '{"source":"s","cmd":"c","data":' + (printed or text) + "}")

    def test_what_was_printed_can_be_sent_again(self):
        listener, endpoint = self.listen()
        texts = [printed or text for text, printed in JSON]
        self.assert_done(self.send(endpoint, "-", input="\n".join(texts)))
        again = [line.split('"data":', 1)[1][:-1] for line in listener.out.wait_for_count(len(texts))]
        self.assertEqual(again, texts)

    def test_sends_an_empty_map_without_json(self):
        listener, endpoint = self.listen("--count", "1")
        self.assert_done(self.send(endpoint))
        self.assertEqual(listener.messages()[0]["data"], {})

    def test_options_may_stand_before_and_after_the_arguments(self):
        listener, endpoint = self.listen("--count", "2")
        self.assert_done(self.run_muster("send", "--source", "s", "--cmd", "c", "--timeout", "60", endpoint, '{"n":1}'))
        self.assert_done(self.run_muster("send", endpoint, "--source=s", '{"n":2}', "--cmd=c"))
        self.assertEqual([message["data"]["n"] for message in listener.messages()], [1, 2])

    def test_waits_for_a_listener_that_comes_later(self):
        endpoint = "ipc://" + self.directory() + "/late"
        sender = self.start("send", endpoint, "--source", "s", "--cmd", "c")
        listener, _ = self.listen("--count", "1", endpoint=endpoint)
        self.assertEqual(sender.wait(), 0)
        self.assert_ends(listener, 0, handled=1)

    def test_fails_when_nobody_is_there_in_time(self):
        endpoint = "ipc://" + self.directory() + "/nobody"
        self.assert_fails(self.send(endpoint, "--timeout", "0.1"), ": 1 not handled: time limit passed")

    def test_refuses_an_endpoint_that_has_no_listener(self):
        for endpoint in ("tcp://127.0.0.1:*", "tcp://127.0.0.1:65535"):
            with self.subTest(endpoint=endpoint):
                result = self.send(endpoint)
                self.assert_fails(result, r"\Amuster: [^\n]+\n\Z")
                self.assertIn(endpoint, result.stderr)

    def test_sends_a_large_message(self):
        listener, endpoint = self.listen("--count", "1")
        text = json.dumps({"x": "v" * 10_000_000}, separators=(",", ":"))
        self.assert_done(self.send(endpoint, "-", input=text + "\n"))
        self.assert_ends(listener, 0, handled=1)
        self.assertTrue(listener.out.all()[0].endswith('"data":' + text + "}"))


class Lines(CommandCase):
    def test_sends_a_message_for_each_line_in_order(self):
        listener, endpoint = self.listen("--count", "20000")
        self.assert_done(self.send(endpoint, "-", input="".join(f'{{"n":{n}}}\n' for n in range(20000))))
        self.assert_ends(listener, 0, handled=20000, workers=1)
        self.assertEqual([message["data"]["n"] for message in listener.messages()], list(range(20000)))

    def test_blank_lines_are_none_and_the_last_needs_no_end(self):
        listener, endpoint = self.listen("--count", "2")
        self.assert_done(self.send(endpoint, "-", input='\n  \n{"n":1}\r\n\n{"n":2}'))
        self.assert_ends(listener, 0, handled=2)

    def test_no_line_is_no_message(self):
        listener, endpoint = self.listen()
        self.assert_done(self.send(endpoint, "-", input=""))
        listener.process.terminate()
        self.assert_ends(listener, 0, handled=0)

    def test_a_line_goes_out_when_it_is_typed(self):
        listener, endpoint = self.listen()
        sender = self.start("send", endpoint, "--source", "s", "--cmd", "c", "-", stdin=subprocess.PIPE)
        for n in (1, 2):
            sender.type(f'{{"n":{n}}}\n')
            listener.out.wait_for_count(n)
        sender.process.stdin.close()
        self.assertEqual(sender.wait(), 0)

    def test_a_bad_line_is_named_and_those_before_it_arrive(self):
        listener, endpoint = self.listen()
        for text, pattern in NO_DATA:
            if text:
                with self.subTest(text=text):
                    result = self.send(endpoint, "-", input='{"n":1}\n\n' + text + '\n{"n":2}\n')
                    self.assert_fails(result, r"\Amuster: line 3: [^\n]*" + pattern)
        listener.process.terminate()
        listener.wait()
        self.assertEqual([message["data"]["n"] for message in listener.messages()], [1] * (len(NO_DATA) - 1))

    def test_a_nul_in_a_line_is_no_json(self):
        listener, endpoint = self.listen()
        self.assert_fails(self.send(endpoint, "-", input='{"n":1}\0\n'), "line 1: control character at byte 8")
        self.assert_fails(self.send(endpoint, "-", input="\0\n"), "line 1: control character at byte 1")
        listener.process.terminate()
        self.assert_ends(listener, 0, handled=0)

    def test_stdin_that_cannot_be_read_fails(self):
        _, endpoint = self.listen()
        directory = os.open("/", os.O_RDONLY)
        self.addCleanup(os.close, directory)
        self.assert_fails(self.send(endpoint, "-", stdin=directory), "^muster: stdin: Is a directory")


class Commands(CommandCase):
    def test_commands_go_to_stdout_while_it_waits_for_lines(self):
        listener, endpoint = self.listen("--send", "s", "GO", '{"n":1}')
        sender = self.start("send", endpoint, "--source", "s", "--cmd", "c", "-", stdin=subprocess.PIPE)
        sender.out.wait_for(r'^\{"source":"[^"]+","cmd":"GO","data":\{"n":1\}\}$')
        sender.type("{}\n")
        listener.out.wait_for_count(1)
        sender.process.stdin.close()
        self.assertEqual(sender.wait(), 0)
        self.assertEqual(len(sender.out.all()), 1)

    def test_stdout_that_is_gone_fails(self):
        _, endpoint = self.listen("--send", "s", "GO", "{}")
        reading, writing = os.pipe()
        os.close(reading)
        self.addCleanup(os.close, writing)
        result = self.send(endpoint, source="s", stdout=writing, stderr=subprocess.PIPE)
        self.assert_fails(result, "^muster: stdout: Broken pipe")


class AnotherListener(CommandCase):
    def test_says_on_stderr_that_another_listener_has_the_endpoint_and_goes_on_with_that_one(self):
        endpoint = "ipc://" + os.path.join(self.directory(), "socket")
        first, _ = self.listen("--count", "1", endpoint=endpoint)
        sender = self.start("send", endpoint, "--source", "worker-1", "--cmd", "CMD", "-", stdin=subprocess.PIPE)
        sender.type("{}\n")
        self.assertEqual(first.wait(), 0)
        second, _ = self.listen("--count", "1", endpoint=endpoint)
        sender.err.wait_for("another listener has the endpoint")
        sender.type('{"n":2}\n')
        sender.process.stdin.close()
        self.assertEqual(sender.wait(), 0)
        self.assertEqual(sender.out.all(), [])
        self.assertEqual([message["data"] for message in second.messages()], [{"n": 2}])


if __name__ == "__main__":
    unittest.main()
