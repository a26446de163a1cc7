/*  test_allow.c - which keys may use which sources

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include <muster/message.h>

#include "base/alloc.h"
#include "model/allow.h"
#include "model/allow_line.h"
#include "model/endpoint.h"

/*  Keys with what Z85 has of characters that mean something elsewhere. */
#define ANNA "AVs+oGO=3H1HCHraKjVT&]J(Dn()u[<O#P-&2<*&"
#define BEN "KP/o1WIdeCsuF73={5<>V*rQV/?Dfr5d8(7@ihz("
#define CARL "KEP01@+j4cd=8BM6bOd%foPSF6*3&iAR<:n@Az#}"

static allow_t *
parsed_bytes (const char *text, size_t size)
{
    allow_t *allow;
    char reason [REASON_ROOM] = "";
    cr_assert_eq (allow_parse (&allow, text, size, reason), 0, "%s", reason);
    cr_assert_not_null (allow);
    return allow;
}

static allow_t *
parsed (const char *text)
{
    return parsed_bytes (text, strlen (text));
}

static void
assert_refused_bytes (const char *text, size_t size, const char *part_of_reason)
{
    allow_t *allow;
    char reason [REASON_ROOM] = "";
    cr_assert_eq (allow_parse (&allow, text, size, reason), MUSTER_FORMAT, "%.200s", text);
    cr_assert_null (allow);
    cr_assert_not_null (strstr (reason, part_of_reason), "%s, not %s", reason, part_of_reason);
}

static void
assert_refused (const char *text, const char *part_of_reason)
{
    assert_refused_bytes (text, strlen (text), part_of_reason);
}

static bool
may (const allow_t *allow, const char *key, const char *source)
{
    const allow_entry_t *entry = allow_find (allow, key);
    return entry && allow_entry_may (entry, source, strlen (source));
}

/*  --------------------------------------------------------------------------
    Reading */

Test (allow, has_a_line_for_each_key)
{
    allow_t *allow = parsed ("curve " ANNA " worker-1 worker-2\ncurve " BEN " worker-3\n");
    cr_assert_eq (allow_count (allow), 2);
    cr_assert (may (allow, ANNA, "worker-1"));
    cr_assert (may (allow, ANNA, "worker-2"));
    cr_assert (may (allow, BEN, "worker-3"));
    cr_assert_not (may (allow, ANNA, "worker-3"));
    cr_assert_not (may (allow, BEN, "worker-1"));
    cr_assert_not (may (allow, ANNA, "worker-"));
    cr_assert_not (may (allow, ANNA, "worker-11"));
    cr_assert_not (may (allow, ANNA, ""));
    allow_release (&allow);
    cr_assert_null (allow);
}

Test (allow, finds_no_key_that_is_not_there)
{
    allow_t *allow = parsed ("curve " ANNA " a\n");
    cr_assert_null (allow_find (allow, BEN));
    cr_assert_null (allow_find (allow, ""));
    cr_assert_null (allow_find (allow, ANNA "x"));
    cr_assert_null (allow_find (allow, "AVs+"));
    allow_release (&allow);
}

Test (allow, may_be_empty)
{
    static const char *const texts [] = { "", "\n", "# nobody yet", " \t \n\t# nobody\n\n" };
    for (size_t i = 0; i < sizeof texts / sizeof texts [0]; i++) {
        allow_t *allow = parsed (texts [i]);
        cr_assert_eq (allow_count (allow), 0);
        cr_assert_null (allow_find (allow, ANNA));
        allow_release (&allow);
    }
}

Test (allow, passes_over_comments_and_blank_lines)
{
    allow_t *allow = parsed (
        "# \xff any bytes\n\n \t# y\n \tcurve\t" ANNA "  a\tb  # c d \"\n  \ncurve " BEN " a#b #c");
    cr_assert_eq (allow_count (allow), 2);
    cr_assert (may (allow, ANNA, "a"));
    cr_assert (may (allow, ANNA, "b"));
    cr_assert_not (may (allow, ANNA, "c"));
    cr_assert (may (allow, BEN, "a#b"));
    cr_assert_not (may (allow, BEN, "#c"));
    allow_release (&allow);
}

Test (allow, takes_crlf_and_a_missing_end_of_the_last_line)
{
    allow_t *allow = parsed ("# x\r\n\r\ncurve " ANNA " a\r\ncurve " BEN " \"b b\"\r\ncurve " CARL " c\r");
    cr_assert (may (allow, ANNA, "a"));
    cr_assert (may (allow, BEN, "b b"));
    cr_assert (may (allow, CARL, "c"));
    allow_release (&allow);
}

Test (allow, takes_quotes_around_sources)
{
    allow_t *allow = parsed ("curve " ANNA " \"a b\" \"# c\" \"say \\\"hi\\\" \\\\ \" d\"e\\f \"plain\"\n");
    cr_assert (may (allow, ANNA, "a b"));
    cr_assert (may (allow, ANNA, "# c"));
    cr_assert (may (allow, ANNA, "say \"hi\" \\ "));
    cr_assert (may (allow, ANNA, "d\"e\\f"));
    cr_assert (may (allow, ANNA, "plain"));
    allow_release (&allow);
}

Test (allow, takes_a_key_with_a_character_that_begins_comments)
{
    cr_assert_not_null (strchr (CARL, '#'));
    allow_t *allow = parsed ("curve " CARL " a\n");
    cr_assert (may (allow, CARL, "a"));
    allow_release (&allow);
}

Test (allow, takes_each_source_once_or_more_often)
{
    allow_t *allow = parsed ("curve " ANNA " b a b \"a\"\n");
    cr_assert (may (allow, ANNA, "a"));
    cr_assert (may (allow, ANNA, "b"));
    allow_release (&allow);
}

Test (allow, refuses_a_key_that_is_none)
{
    assert_refused ("curve", "line 1: the second word is no public key");
    assert_refused ("curve  \n", "line 1: the second word is no public key");
    assert_refused ("curve # a\n", "no public key");
    assert_refused ("curve worker-1 " ANNA, "no public key");
    assert_refused ("curve AVs+oGO=3H1HCHraKjVT&]J(Dn()u[<O#P-&2<* a", "no public key");
    assert_refused ("curve " ANNA "x a", "no public key");
    assert_refused ("curve \"" ANNA "\" a", "no public key");
    assert_refused ("curve AVs+oGO=3H1HCHraKjVT&]J(Dn()u[<O#P-&####a", "no public key");
    assert_refused ("curve AVs+oGO=3H1HCHraKjVT&]J(Dn()u[<O##### a", "no public key");
    assert_refused ("curve AVs+oGO=3H1HCHraKjVT&]J(Dn()u[<O#P-&2<*, a", "no public key");
    assert_refused ("curve 0000000000000000000000000000000000000000 a", "no public key");
}

Test (allow, refuses_lines_of_another_kind)
{
    assert_refused (ANNA " worker-1\n", "line 1: it does not begin with \"curve\"");
    assert_refused ("Curve " ANNA " a\n", "does not begin");
    assert_refused ("curve25519 " ANNA " a\n", "does not begin");
    assert_refused ("worker-1\n", "does not begin");
}

Test (allow, refuses_a_key_without_a_source)
{
    assert_refused ("curve " ANNA, "line 1: there is no source");
    assert_refused ("\ncurve " ANNA " \t\n", "line 2: there is no source");
    assert_refused ("\n\ncurve " ANNA " # all\n", "line 3: there is no source");
}

Test (allow, refuses_quotes_that_do_not_fit)
{
    assert_refused ("curve " ANNA " \"a", "a quote is not closed");
    assert_refused ("curve " ANNA " \"", "a quote is not closed");
    assert_refused ("curve " ANNA " \"a\\\"", "a quote is not closed");
    assert_refused ("curve " ANNA " \"a\"b", "no blank behind it");
    assert_refused ("curve " ANNA " \"a\"\"b\"", "no blank behind it");
    assert_refused ("curve " ANNA " \"a\\nb\"", "a backslash");
    assert_refused ("curve " ANNA " \"a\\", "a backslash");
    assert_refused ("curve " ANNA " \"a\nb\"", "line 1: a quote is not closed");
}

Test (allow, refuses_sources_that_can_be_none)
{
    assert_refused ("curve " ANNA " \"\"", "a source is empty");
    assert_refused ("curve " ANNA " a\xff", "a source is not UTF-8");
    assert_refused ("curve " ANNA " a\xed\xa0\x80", "a source is not UTF-8");
    assert_refused ("curve " ANNA " a\x01", "control character");
    assert_refused ("curve " ANNA " a\xc2\x85", "control character");
    assert_refused ("curve " ANNA " a\rb", "control character");
    assert_refused ("curve " ANNA " \"a\tb\"", "control character");
}

Test (allow, takes_a_source_of_255_bytes_and_none_longer)
{
    char text [1000];
    char source [MUSTER_NAME_MAX + 2];
    for (size_t quoted = 0; quoted < 2; quoted++) {
        const char *quote = quoted ? "\"" : "";
        memset (source, 's', sizeof source);
        source [MUSTER_NAME_MAX] = 0;
        snprintf (text, sizeof text, "curve " ANNA " %s%s%s", quote, source, quote);
        allow_t *allow = parsed (text);
        cr_assert (may (allow, ANNA, source));
        allow_release (&allow);
        snprintf (text, sizeof text, "curve " ANNA " %s%ss%s", quote, source, quote);
        assert_refused (text, "longer than 255 bytes");
    }
}

Test (allow, refuses_a_nul_byte)
{
    static const char source [] = "\ncurve " ANNA " a\0b\n";
    static const char comment [] = "# a\0b\n";
    assert_refused_bytes (source, sizeof source - 1, "line 2: there is a NUL byte");
    assert_refused_bytes (comment, sizeof comment - 1, "line 1: there is a NUL byte");
    assert_refused_bytes ("", 1, "line 1: there is a NUL byte");
}

Test (allow, takes_a_line_of_64_kib_and_none_longer)
{
    char *text = calloc (1, ALLOW_LINE_MOST + 3);
    memset (text, ' ', ALLOW_LINE_MOST);
    memcpy (text, "curve " ANNA " a", strlen ("curve " ANNA " a"));
    text [ALLOW_LINE_MOST - 1] = 'z';
    strcpy (text + ALLOW_LINE_MOST, "\r\n");
    allow_t *allow = parsed (text);
    cr_assert (may (allow, ANNA, "z"));
    allow_release (&allow);
    strcpy (text + ALLOW_LINE_MOST, "z\n");
    assert_refused (text, "line 1: it is longer than 65536 bytes");
    free (text);
}

Test (allow, takes_a_text_of_16_mib_and_none_larger)
{
    char *text = malloc (ALLOW_TEXT_MOST + 1);
    memset (text, '\n', ALLOW_TEXT_MOST + 1);
    allow_t *allow = parsed_bytes (text, ALLOW_TEXT_MOST);
    allow_release (&allow);
    assert_refused_bytes (text, ALLOW_TEXT_MOST + 1, "larger than 16777216 bytes");
    free (text);
}

Test (allow, refuses_a_key_on_two_lines)
{
    assert_refused ("curve " ANNA " a\ncurve " ANNA " a\n", "line 2: the key of line 1 again");
    assert_refused ("#\n\ncurve " ANNA " a\n#\ncurve " BEN " b\n\n\n\ncurve " ANNA " c\n",
        "line 9: the key of line 3 again");
    assert_refused ("curve " CARL " a\ncurve " ANNA " a\ncurve " CARL " a\ncurve " ANNA " a\n",
        "line 3: the key of line 1 again");
    assert_refused ("curve " ANNA " a\ncurve " CARL " a\ncurve " ANNA " a\ncurve " CARL " a\n",
        "line 3: the key of line 1 again");
}

Test (allow, names_the_first_line_that_is_wrong)
{
    assert_refused ("curve " ANNA " a\n\n# x\nnonsense\nmore\n", "line 4: ");
}

static void
make_key (char *key, size_t number)
{
    uint8_t bytes [32] = { (uint8_t) number, (uint8_t) (number >> 8), (uint8_t) (number * 31), 1 };
    zmq_z85_encode (key, bytes, sizeof bytes);
}

Test (allow, finds_each_of_ten_thousand_keys)
{
    size_t count = 10000;
    char *text = malloc (count * 80);
    char *at = text;
    char key [Z85_KEY + 1];
    for (size_t i = 0; i < count; i++) {
        make_key (key, i);
        at += sprintf (at, "curve %s worker-%zu all\n", key, i);
    }
    allow_t *allow = parsed (text);
    cr_assert_eq (allow_count (allow), count);
    for (size_t i = 0; i < count; i++) {
        char source [40];
        make_key (key, i);
        snprintf (source, sizeof source, "worker-%zu", i);
        cr_assert (may (allow, key, source) && may (allow, key, "all"));
        snprintf (source, sizeof source, "worker-%zu", i + 1);
        cr_assert_not (may (allow, key, source));
    }
    allow_release (&allow);
    free (text);
}

Test (allow, finds_each_of_five_thousand_sources)
{
    char *text = malloc (ALLOW_LINE_MOST);
    char *at = text + sprintf (text, "curve " ANNA);
    for (unsigned i = 0; i < 5000; i++)
        at += sprintf (at, " w-%u", (i * 7919) % 5000);
    allow_t *allow = parsed (text);
    const allow_entry_t *entry = allow_find (allow, ANNA);
    char source [40];
    for (unsigned i = 0; i < 5000; i++)
        cr_assert (allow_entry_may (entry, source, (size_t) sprintf (source, "w-%u", i)));
    cr_assert_not (allow_entry_may (entry, "w-5000", 6));
    cr_assert_not (allow_entry_may (entry, "w-\0", 3));
    allow_release (&allow);
    free (text);
}

Test (allow, lasts_until_the_last_share_is_given_up)
{
    allow_t *allow = parsed ("curve " ANNA " a\n");
    allow_t *share = allow_share (allow);
    cr_assert_eq (share, allow);
    allow_release (&allow);
    cr_assert_null (allow);
    cr_assert (may (share, ANNA, "a"));
    allow_release (&share);
    allow_release (&share);
}

Test (allow, says_when_there_is_no_memory)
{
    static const char text [] = "curve " ANNA " a b c\n";
    allow_t *allow;
    char reason [REASON_ROOM] = "";
    alloc_fail_from (1);
    cr_assert_eq (allow_parse (&allow, text, strlen (text), reason), MUSTER_NOMEM);
    alloc_fail_from (0);
    cr_assert_null (allow);
    cr_assert_str_not_empty (reason);
}

/*  --------------------------------------------------------------------------
    Changing */

#define SOURCES(...) \
    (const char *const []) { __VA_ARGS__ }, sizeof ((const char *const []) { __VA_ARGS__ }) / sizeof (char *)

static void
assert_with (const char *text, const char *key, const char *const *sources, size_t count, const char *expected)
{
    char *edited;
    size_t size;
    char reason [REASON_ROOM] = "";
    cr_assert_eq (allow_with (text, strlen (text), key, sources, count, &edited, &size, reason), 0, "%s", reason);
    cr_assert_eq (size, strlen (expected), "%.*s", (int) size, edited);
    cr_assert_arr_eq (edited, expected, size, "%.*s", (int) size, edited);
    alloc_free (edited);
}

static void
assert_not_with (const char *text, const char *key, const char *const *sources, size_t count,
    muster_error_t expected, const char *part_of_reason)
{
    char *edited;
    size_t size;
    char reason [REASON_ROOM] = "";
    cr_assert_eq (allow_with (text, strlen (text), key, sources, count, &edited, &size, reason), expected);
    cr_assert_null (edited);
    cr_assert_not_null (strstr (reason, part_of_reason), "%s", reason);
}

Test (allow_with, adds_a_line_at_the_end)
{
    assert_with ("", ANNA, SOURCES ("a", "b"), "curve " ANNA " a b\n");
    assert_with ("# x\ncurve " BEN " b\n", ANNA, SOURCES ("a"), "# x\ncurve " BEN " b\ncurve " ANNA " a\n");
}

Test (allow_with, ends_the_last_line_first)
{
    assert_with ("# x", ANNA, SOURCES ("a"), "# x\ncurve " ANNA " a\n");
}

Test (allow_with, adds_sources_to_the_line_of_the_key)
{
    assert_with ("curve " ANNA " a\n", ANNA, SOURCES ("b", "c"), "curve " ANNA " a b c\n");
    assert_with ("curve " ANNA " a", ANNA, SOURCES ("b"), "curve " ANNA " a b");
    assert_with ("curve " ANNA " a\r\n# x\r\n", ANNA, SOURCES ("b"), "curve " ANNA " a b\r\n# x\r\n");
}

Test (allow_with, adds_no_source_twice)
{
    assert_with ("curve " ANNA " a \"b c\"\n", ANNA, SOURCES ("a", "b c"), "curve " ANNA " a \"b c\"\n");
    assert_with ("curve " ANNA " a\n", ANNA, SOURCES ("b", "a", "b"), "curve " ANNA " a b\n");
    assert_with ("", ANNA, SOURCES ("b", "b"), "curve " ANNA " b\n");
}

Test (allow_with, keeps_comments_and_all_other_lines)
{
    assert_with ("\t#\xff\n\n  curve\t" ANNA "  a\t #  Anna's, \"desk\"  \ncurve " BEN "  b\r\n#", ANNA, SOURCES ("c"),
        "\t#\xff\n\n  curve\t" ANNA "  a c\t #  Anna's, \"desk\"  \ncurve " BEN "  b\r\n#");
}

Test (allow_with, quotes_what_needs_it)
{
    assert_with ("", ANNA, SOURCES ("a b", "#c", "d#", "\"e", "f\\g", "h\"", "\xc3\xa9"),
        "curve " ANNA " \"a b\" \"#c\" d# \"\\\"e\" \"f\\\\g\" \"h\\\"\" \xc3\xa9\n");
}

Test (allow_with, refuses_a_key_or_a_source_that_is_none)
{
    assert_not_with ("", "worker", SOURCES ("a"), MUSTER_INVAL, "a public key is 40 characters");
    assert_not_with ("", ANNA "x", SOURCES ("a"), MUSTER_INVAL, "a public key is 40 characters");
    assert_not_with ("", ANNA, NULL, 0, MUSTER_INVAL, "no source");
    assert_not_with ("", ANNA, SOURCES ("a", ""), MUSTER_INVAL, "a source is 1 to 255 bytes");
    assert_not_with ("", ANNA, SOURCES ("a", NULL), MUSTER_INVAL, "a source is 1 to 255 bytes");
    assert_not_with ("", ANNA, SOURCES ("a\n"), MUSTER_INVAL, "a source is 1 to 255 bytes");
    assert_not_with ("", ANNA, SOURCES ("\xff"), MUSTER_INVAL, "a source is 1 to 255 bytes");
}

Test (allow_with, changes_no_text_that_is_not_well_formed)
{
    assert_not_with ("# x\ncurve\n", ANNA, SOURCES ("a"), MUSTER_FORMAT, "line 2: ");
    assert_not_with ("curve " ANNA " a\ncurve " ANNA " b\n", ANNA, SOURCES ("c"), MUSTER_FORMAT, "line 2: the key of");
}

Test (allow_with, makes_no_line_over_64_kib)
{
    size_t count = 300;
    const char **sources = calloc (count, sizeof *sources);
    for (size_t i = 0; i < count; i++) {
        char *source = malloc (MUSTER_NAME_MAX + 1);
        snprintf (source, MUSTER_NAME_MAX + 1, "%0255zu", i);
        sources [i] = source;
    }
    assert_not_with ("#\n", ANNA, sources, count, MUSTER_FORMAT, "line 2: it is longer than 65536 bytes");
    for (size_t i = 0; i < count; i++)
        free ((char *) sources [i]);
    free (sources);
}

Test (allow_with, refuses_more_sources_than_a_line_has_room_for)
{
    assert_not_with ("", ANNA, (const char *const []) { "a" }, ALLOW_LINE_MOST / 2 + 1,
        MUSTER_INVAL, "more than a line takes");
}

static void
assert_without (const char *text, const char *key, const char *expected)
{
    char *edited;
    size_t size;
    char reason [REASON_ROOM] = "";
    cr_assert_eq (allow_without (text, strlen (text), key, &edited, &size, reason), 0, "%s", reason);
    cr_assert_eq (size, strlen (expected), "%.*s", (int) size, edited);
    cr_assert_arr_eq (edited, expected, size, "%.*s", (int) size, edited);
    alloc_free (edited);
}

static void
assert_not_without (const char *text, const char *key, muster_error_t expected, const char *part_of_reason)
{
    char *edited;
    size_t size;
    char reason [REASON_ROOM] = "";
    cr_assert_eq (allow_without (text, strlen (text), key, &edited, &size, reason), expected);
    cr_assert_null (edited);
    cr_assert_not_null (strstr (reason, part_of_reason), "%s", reason);
}

Test (allow_without, takes_the_line_out)
{
    assert_without ("curve " ANNA " a\n", ANNA, "");
    assert_without ("# x\r\n curve\t" ANNA " a # b\r\n\ncurve " BEN " b", ANNA, "# x\r\n\ncurve " BEN " b");
    assert_without ("# x\ncurve " BEN " b", BEN, "# x\n");
}

Test (allow_without, leaves_comments_with_the_key)
{
    assert_without ("# curve " ANNA " a\ncurve " ANNA " a\n", ANNA, "# curve " ANNA " a\n");
}

Test (allow_without, takes_all_lines_of_the_key_out_the_faulty_ones_too)
{
    assert_without ("curve " ANNA " a\ncurve " BEN " b\ncurve " ANNA " c\n", ANNA, "curve " BEN " b\n");
    assert_without ("curve " ANNA "\ncurve " ANNA " \"\n#", ANNA, "#");
}

Test (allow_without, says_if_the_key_is_not_there)
{
    assert_not_without ("", ANNA, MUSTER_NOTFOUND, "not in it");
    assert_not_without ("curve " BEN " b\n", ANNA, MUSTER_NOTFOUND, "not in it");
    assert_not_without ("# curve " ANNA " a\n", ANNA, MUSTER_NOTFOUND, "not in it");
}

Test (allow_without, leaves_no_text_that_is_not_well_formed)
{
    assert_not_without ("curve " ANNA " a\n# x\nnonsense\n", ANNA, MUSTER_FORMAT, "line 3: ");
}

Test (allow_without, refuses_a_key_that_is_none)
{
    assert_not_without ("", "worker", MUSTER_INVAL, "a public key is 40 characters");
}

Test (allow_with, says_when_there_is_no_memory)
{
    static const char text [] = "curve " ANNA " a\n";
    muster_error_t error = MUSTER_NOMEM;
    char reason [REASON_ROOM];
    char *edited = NULL;
    size_t size;
    for (size_t nth = 1; error; nth++) {
        alloc_fail_from (nth);
        error = allow_with (text, strlen (text), ANNA, SOURCES ("b"), &edited, &size, reason);
        alloc_fail_from (0);
        cr_assert (!error || (error == MUSTER_NOMEM && !edited));
    }
    alloc_free (edited);
}

Test (allow_without, says_when_there_is_no_memory)
{
    static const char text [] = "curve " ANNA " a\n";
    muster_error_t error = MUSTER_NOMEM;
    char reason [REASON_ROOM];
    char *edited = NULL;
    size_t size;
    for (size_t nth = 1; error; nth++) {
        alloc_fail_from (nth);
        error = allow_without (text, strlen (text), ANNA, &edited, &size, reason);
        alloc_fail_from (0);
        cr_assert (!error || (error == MUSTER_NOMEM && !edited));
    }
    alloc_free (edited);
}

/*  --------------------------------------------------------------------------
    Observers */

static void
assert_observer_edit (const char *text, const char *expected)
{
    char reason [REASON_ROOM] = "";
    char *edited;
    size_t size;
    cr_assert_eq (allow_with_observer (text, strlen (text), ANNA, &edited, &size, reason), 0, "%s", reason);
    cr_assert_eq (size, strlen (expected), "%.*s", (int) size, edited);
    cr_assert_arr_eq (edited, expected, size);
    alloc_free (edited);
}

Test (allow_observer, a_line_without_a_source_is_an_observer_s_alone)
{
    allow_t *allow = parsed ("curve-observer " ANNA "\ncurve " BEN " b\n");
    cr_assert (allow_entry_observes (allow_find (allow, ANNA)));
    cr_assert_not (allow_entry_observes (allow_find (allow, BEN)));
    cr_assert_not (may (allow, ANNA, "b"));
    allow_release (&allow);
}

Test (allow_observer, a_key_may_observe_and_have_sources)
{
    allow_t *allow = parsed ("curve-observer " ANNA " a # she\n");
    cr_assert (allow_entry_observes (allow_find (allow, ANNA)));
    cr_assert (may (allow, ANNA, "a"));
    allow_release (&allow);
}

Test (allow_observer, a_new_observer_gets_a_line_at_the_end)
{
    assert_observer_edit ("", "curve-observer " ANNA "\n");
    assert_observer_edit ("curve " BEN " b", "curve " BEN " b\ncurve-observer " ANNA "\n");
}

Test (allow_observer, the_rest_of_a_line_stays_as_it_was)
{
    assert_observer_edit ("  curve " ANNA " a # curve\n", "  curve-observer " ANNA " a # curve\n");
    assert_observer_edit ("curve-observer " ANNA "\n", "curve-observer " ANNA "\n");
}
