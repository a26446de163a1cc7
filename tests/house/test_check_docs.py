"""The check of the text finds what it is there to find.

This Source Code Form is subject to the terms of the Mozilla Public
License, v. 2.0. If a copy of the MPL was not distributed with this
file, You can obtain one at https://mozilla.org/MPL/2.0/.
"""
import contextlib
import io
import os
import tempfile
import unittest
import unittest.mock
from pathlib import Path

import check_docs
from check_docs import matches, problems


class CheckDocs(unittest.TestCase):
    examples = {}
    need, before = "", ()

    def found(self, text, place="README.md"):
        with tempfile.TemporaryDirectory() as root:
            file = Path(root, place)
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
            for name, example in self.examples.items():
                Path(root, name).parent.mkdir(parents=True, exist_ok=True)
                Path(root, name).write_text(example)
            found, self.tried = problems(root, os.environ["MUSTER_BUILD"], self.need, self.before)
        return found

    def assert_true_text(self, text, place="README.md"):
        self.assertEqual(self.found(text, place), [])
        self.assertEqual(self.tried, 1)

    def assert_false_text(self, text, why, place="README.md"):
        found = self.found(text, place)
        self.assertEqual(len(found), 1, found)
        self.assertIn(why, found[0])
        return found[0]

    def test_a_program_is_compiled_and_linked(self):
        self.assert_true_text(
            "```c\n#include <muster/muster.h>\n\nint\nmain (void)\n{\n    return !muster_version ();\n}\n```\n")

    def test_a_program_that_does_not_link_is_found(self):
        self.assert_false_text(
            "```c\nint other (void);\nint\nmain (void)\n{\n    return other ();\n}\n```\n", "undefined reference")

    def test_a_warning_in_a_program_is_found(self):
        self.assert_false_text("```c\nint\nmain (void)\n{\n    int unused;\n}\n```\n", "unused")

    def test_an_excerpt_of_statements_is_compiled(self):
        self.assert_true_text("```c\nint count = 1;\nprintf (\"%d\\n\", count);\n```\n")

    def test_an_excerpt_may_use_and_make_the_usual_objects(self):
        self.assert_true_text(
            "```c\nmuster_worker_t *worker = NULL;\nmuster_worker_destroy (&worker);\n"
            "muster_listener_destroy (&listener);\n```\n")

    def test_an_excerpt_of_functions_is_compiled(self):
        self.assert_true_text(
            "```c\nstatic int\non_message (const muster_message_t *message, void *arg)\n{\n    return 0;\n}\n```\n")

    def test_a_program_in_python_is_run(self):
        self.assert_true_text("```python\nimport muster\nassert muster.__version__\n```\n")

    def test_a_program_in_python_that_fails_is_found(self):
        self.assert_false_text("```python\nimport muster\nmuster.nothing\n```\n", "nothing")

    def test_an_excerpt_in_python_stands_in_an_example(self):
        self.examples = {"examples/python/a.py": "def f():\n    a = 1\n    return a\n"}
        self.assert_true_text("```python\na = 1\nreturn_a = a\n```\n".replace("return_a = a", "return a"))

    def test_an_excerpt_in_python_that_stands_nowhere_is_found(self):
        self.assert_false_text("```python\na = 1\n```\n", "no example")

    def test_a_wrong_excerpt_is_found_with_its_place(self):
        found = self.assert_false_text("# A\n\nText.\n\n```c\nint ok;\nmuster_nothing ();\n```\n", "muster_nothing")
        self.assertTrue(found.startswith("README.md:6: "), found)
        self.assertIn("README.md:7:", found)

    def test_an_excerpt_in_a_list_is_found(self):
        self.assert_false_text("- so:\n\n  ```c\n  muster_nothing ();\n  ```\n", "muster_nothing")

    def test_the_documents_are_read_too(self):
        self.assert_false_text("```c\nmuster_nothing ();\n```\n", "docs/guide.md:2", place="docs/guide.md")

    def test_a_console_is_run(self):
        self.assert_true_text("```console\n$ echo one; echo two\none\ntwo\n$ true\n```\n")

    def test_a_console_finds_the_command(self):
        self.assert_true_text("```console\n$ muster --version\n...\n```\n")

    def test_a_console_remembers(self):
        self.assert_true_text("```console\n$ name=muster\n$ echo $name\nmuster\n```\n")

    def test_a_command_may_go_on_in_the_next_line(self):
        self.assert_true_text("```console\n$ echo one \\\n> two\none two\n```\n")

    def test_a_console_finds_the_files_shown_above_it(self):
        self.assertEqual(self.found("```python file=a.py\nprint(1)\n```\n\n```console\n$ /usr/bin/python3 a.py\n1\n```\n"), [])

    def test_a_console_does_not_find_the_files_shown_below_it(self):
        found = self.found("```console\n$ cat a.py\n```\n\n```python file=a.py\nprint(1)\n```\n")
        self.assertEqual(len(found), 1, found)

    def test_wrong_output_is_found(self):
        self.assert_false_text("```console\n$ echo one\ntwo\n```\n", "printed:\none")

    def test_output_that_is_not_shown_is_found(self):
        self.assert_false_text("```console\n$ echo one\n```\n", "printed:\none")

    def test_an_exit_code_is_found(self):
        self.assert_false_text("```console\n$ false\n```\n", "ended with 1")

    def test_a_command_that_ends_the_session_is_found(self):
        self.assert_false_text("```console\n$ exit 0\n$ true\n```\n", "ended the session")

    def test_a_command_that_does_not_end_is_found(self):
        limit, check_docs.SECONDS = check_docs.SECONDS, 0.2
        self.addCleanup(setattr, check_docs, "SECONDS", limit)
        self.assert_false_text("```console\n$ cat /dev/zero > /dev/null\n```\n", "not done")

    def test_a_console_without_a_command_is_found(self):
        self.assert_false_text("```console\necho one\n```\n", "before the first command")

    def test_a_console_has_a_home_of_its_own(self):
        self.assert_true_text("```console\n$ test ~ -ef .\n```\n")

    def test_a_console_begins_where_the_build_is_if_it_says_so(self):
        self.assert_true_text("```console tree\n$ ls build/CMakeCache.txt\nbuild/CMakeCache.txt\n```\n")
        self.assert_false_text("```console\n$ ls build\n```\n", "ended with 2")

    def test_a_console_that_needs_something_is_left_to_the_run_for_that(self):
        text = "```console needs=namespaces\n$ false\n```\n"
        self.assertEqual((self.found(text), self.tried), ([], 0))
        self.need = "namespaces"
        self.assert_false_text(text, "ended with 1")
        self.assertEqual((self.found("```console\n$ false\n```\n"), self.tried), ([], 0))

    def test_words_may_come_before_the_shell_of_a_console(self):
        self.before = ["env", "NAME=muster"]
        self.assert_true_text("```console\n$ echo $NAME\nmuster\n```\n")

    def test_a_need_that_nobody_knows_is_found(self):
        found = self.found("```console needs=luck\n$ true\n```\n")
        self.assertEqual((len(found), self.tried), (1, 0))
        self.assertIn("needs luck", found[0])

    def test_where_a_need_cannot_be_had_it_says_so_and_why(self):
        output = io.StringIO()
        with unittest.mock.patch.dict(check_docs.NEEDS, namespaces=lambda: (None, "not permitted")), \
                contextlib.redirect_stdout(output):
            self.assertEqual(check_docs.main(".", os.environ["MUSTER_BUILD"], "namespaces"), 77)
        self.assertRegex(output.getvalue(), "^NOT RUN: .*: not permitted\n$")

    def test_other_blocks_are_left(self):
        self.assertEqual(self.found("```json\n{\n```\n\n```text\n$ false\n```\n\n```sh\nfalse\n```\n"), [])
        self.assertEqual(self.tried, 0)


class Matches(unittest.TestCase):
    def test_three_dots_stand_for_part_of_a_line(self):
        self.assertTrue(matches(["took ... ms"], "took 12 ms\n"))
        self.assertFalse(matches(["took ... ms"], "took 12 s\n"))
        self.assertFalse(matches(["took ... ms"], "took 12\nms\n"))

    def test_three_dots_alone_stand_for_any_lines(self):
        for got in ("", "one\n", "one\ntwo\n"):
            self.assertTrue(matches(["..."], got))
        self.assertTrue(matches(["one", "...", "four"], "one\ntwo\nthree\nfour\n"))
        self.assertFalse(matches(["one", "...", "four"], "one\ntwo\n"))

    def test_nothing_shown_is_nothing_printed(self):
        self.assertTrue(matches([], ""))
        self.assertFalse(matches([], "one\n"))


if __name__ == "__main__":
    unittest.main()
