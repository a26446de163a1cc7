/*  test_log.c - log lines and their sinks, escaping, floods

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

typedef struct {
    int lines;
    muster_log_level_t level;
    char last [2000];
} heard_t;

static void
hear (muster_log_level_t level, const char *line, void *arg)
{
    heard_t *heard = arg;
    heard->lines++;
    heard->level = level;
    snprintf (heard->last, sizeof heard->last, "%s", line);
}

Test (log, hands_lines_to_the_sink)
{
    heard_t heard = { 0 };
    muster_log_set (hear, &heard, MUSTER_LOG_DEBUG);
    log_write (LOG_SESSION, MUSTER_LOG_DEBUG, "%s has %d", "worker-1", 3);
    cr_assert_eq (heard.lines, 1);
    cr_assert_eq (heard.level, MUSTER_LOG_DEBUG);
    cr_assert_str_eq (heard.last, "worker-1 has 3");
}

Test (log, keeps_lines_below_the_level_back)
{
    heard_t heard = { 0 };
    muster_log_set (hear, &heard, MUSTER_LOG_ERROR);
    log_write (LOG_SESSION, MUSTER_LOG_WARNING, "no");
    cr_assert_eq (heard.lines, 0);
    log_write (LOG_SESSION, MUSTER_LOG_ERROR, "yes");
    cr_assert_eq (heard.lines, 1);
}

Test (log, keeps_a_line_of_1000_bytes_and_cuts_a_longer_one)
{
    heard_t heard = { 0 };
    char text [1201];
    muster_log_set (hear, &heard, MUSTER_LOG_DEBUG);
    memset (text, 'a', sizeof text);
    text [1000] = 0;
    log_write (LOG_SESSION, MUSTER_LOG_INFO, "%s", text);
    cr_assert_str_eq (heard.last, text);
    text [1000] = 'a';
    text [1200] = 0;
    log_write (LOG_SESSION, MUSTER_LOG_INFO, "%s", text);
    cr_assert_eq (strlen (heard.last), 1000);
}

Test (log, cuts_between_characters)
{
    heard_t heard = { 0 };
    char text [1202];
    muster_log_set (hear, &heard, MUSTER_LOG_DEBUG);
    memset (text, 'a', 999);
    strcpy (text + 999, "\xc3\xa9tude");
    log_write (LOG_SESSION, MUSTER_LOG_INFO, "%s", text);
    cr_assert_eq (strlen (heard.last), 999);
}

Test (log, makes_one_line_of_several)
{
    heard_t heard = { 0 };
    muster_log_set (hear, &heard, MUSTER_LOG_DEBUG);
    log_write (LOG_SESSION, MUSTER_LOG_INFO, "one\ntwo\r\x1b[0m");
    cr_assert_str_eq (heard.last, "one two  [0m");
}

Test (log, leaves_errno_alone)
{
    heard_t heard = { 0 };
    muster_log_set (hear, &heard, MUSTER_LOG_DEBUG);
    errno = EBADF;
    log_write (LOG_SESSION, MUSTER_LOG_INFO, "%m");
    cr_assert_eq (errno, EBADF);
}

/*  What a child writes to stderr while it calls speak. */
static size_t
stderr_of (void (*speak) (void), char *text, size_t room)
{
    int ends [2];
    cr_assert_eq (pipe (ends), 0);
    pid_t child = fork ();
    if (child == 0) {
        dup2 (ends [1], STDERR_FILENO);
        speak ();
        _exit (0);
    }
    close (ends [1]);
    size_t used = 0;
    ssize_t size;
    while ((size = read (ends [0], text + used, room - 1 - used)) > 0)
        used += (size_t) size;
    text [used] = 0;
    close (ends [0]);
    waitpid (child, NULL, 0);
    return used;
}

static void
speak_at_each_level (void)
{
    log_write (LOG_SESSION, MUSTER_LOG_DEBUG, "d");
    log_write (LOG_SESSION, MUSTER_LOG_INFO, "i");
    log_write (LOG_SESSION, MUSTER_LOG_WARNING, "w");
    log_write (LOG_SESSION, MUSTER_LOG_ERROR, "e");
}

/*  Without the times, whose digits become 0. */
static void
assert_stderr (void (*speak) (void), const char *expected)
{
    char text [400];
    stderr_of (speak, text, sizeof text);
    for (char *c = text; *c; c++)
        if (*c >= '1' && *c <= '9')
            *c = '0';
    cr_assert_str_eq (text, expected);
}

#define LINE(level, text) "muster: 0000-00-00T00:00:00.000Z level=" level " component=session " text "\n"

Test (log, goes_to_stderr_from_warning_on_unless_set_with_time_and_level)
{
    assert_stderr (speak_at_each_level, LINE ("warning", "w") LINE ("error", "e"));
}

static void
speak_as_configured (void)
{
    log_configure ("session=info");
    speak_at_each_level ();
}

Test (log, goes_to_stderr_from_the_level_on_that_is_configured)
{
    assert_stderr (speak_as_configured, LINE ("info", "i") LINE ("warning", "w") LINE ("error", "e"));
}

static bool
is_debugged (const char *configuration, log_component_t component)
{
    log_configure (configuration);
    return log_is_on (component, MUSTER_LOG_DEBUG);
}

Test (log, is_configured_for_all_components_or_for_one)
{
    cr_assert (is_debugged ("debug", LOG_NET));
    cr_assert (is_debugged ("net=debug", LOG_NET));
    cr_assert_not (is_debugged ("net=debug", LOG_SESSION));
    cr_assert (is_debugged ("info,net=debug", LOG_NET));
    cr_assert_not (is_debugged ("debug,net=info", LOG_NET));
    cr_assert (is_debugged ("debug,net=info", LOG_SESSION));
}

Test (log, passes_over_what_it_does_not_know_in_a_configuration)
{
    cr_assert_not (is_debugged ("bogus", LOG_NET));
    cr_assert_not (is_debugged ("bogus=debug", LOG_NET));
    cr_assert_not (is_debugged ("net=bogus,=debug,,net=", LOG_NET));
    cr_assert_not (is_debugged ("DEBUG", LOG_NET));
    cr_assert (is_debugged (",bogus,net=debug,=", LOG_NET));
    cr_assert_not (is_debugged (NULL, LOG_NET));
}

Test (log, is_only_made_more_by_a_configuration)
{
    heard_t heard = { 0 };
    log_configure ("error");
    muster_log_set (hear, &heard, MUSTER_LOG_INFO);
    log_write (LOG_NET, MUSTER_LOG_INFO, "yes");
    cr_assert_eq (heard.lines, 1);
    log_configure ("debug");
    muster_log_set (hear, &heard, MUSTER_LOG_INFO);
    log_write (LOG_NET, MUSTER_LOG_DEBUG, "yes");
    cr_assert_eq (heard.lines, 2);
}

Test (log, stays_at_a_level_that_is_fixed)
{
    heard_t heard = { 0 };
    log_configure ("debug");
    muster_log_set (hear, &heard, MUSTER_LOG_WARNING | MUSTER_LOG_FIXED);
    log_write (LOG_NET, MUSTER_LOG_INFO, "no");
    cr_assert_eq (heard.lines, 0);
    log_write (LOG_NET, MUSTER_LOG_WARNING, "yes");
    cr_assert_eq (heard.lines, 1);
}

static void
speak_after_null (void)
{
    heard_t heard = { 0 };
    muster_log_set (hear, &heard, MUSTER_LOG_DEBUG);
    muster_log_set (NULL, NULL, MUSTER_LOG_DEBUG);
    speak_at_each_level ();
}

Test (log, has_its_default_back_after_null)
{
    assert_stderr (speak_after_null, LINE ("warning", "w") LINE ("error", "e"));
}

static void
write_with_stderr_closed (void)
{
    close (STDERR_FILENO);
    log_write (LOG_SESSION, MUSTER_LOG_ERROR, "nobody hears");
}

Test (log, lives_with_stderr_closed)
{
    char text [200];
    cr_assert_eq (stderr_of (write_with_stderr_closed, text, sizeof text), 0);
}

typedef struct {
    sem_t entered;
    sem_t may_leave;
    atomic_bool left;
} gate_t;

static void
wait_in_sink (muster_log_level_t level, const char *line, void *arg)
{
    gate_t *gate = arg;
    (void) level, (void) line;
    sem_post (&gate->entered);
    sem_wait (&gate->may_leave);
    atomic_store (&gate->left, true);
}

static void *
write_line (void *arg)
{
    (void) arg;
    log_write (LOG_SESSION, MUSTER_LOG_ERROR, "line");
    return NULL;
}

static void *
open_gate (void *arg)
{
    sem_post (&((gate_t *) arg)->may_leave);
    return NULL;
}

Test (log, is_set_once_nobody_is_in_the_old_sink)
{
    gate_t gate = { .left = false };
    pthread_t writer, opener;
    sem_init (&gate.entered, 0, 0);
    sem_init (&gate.may_leave, 0, 0);
    muster_log_set (wait_in_sink, &gate, MUSTER_LOG_DEBUG);
    pthread_create (&writer, NULL, write_line, NULL);
    sem_wait (&gate.entered);
    pthread_create (&opener, NULL, open_gate, &gate);
    muster_log_set (NULL, NULL, MUSTER_LOG_DEBUG);
    cr_assert (atomic_load (&gate.left));
    pthread_join (writer, NULL);
    pthread_join (opener, NULL);
}

static void
assert_escaped (const char *text, size_t size, const char *expected)
{
    char buffer [100];
    cr_assert_eq (log_escape (buffer, sizeof buffer, text, size), buffer);
    cr_assert_str_eq (buffer, expected);
}

Test (escape, keeps_text)
{
    assert_escaped ("worker-1", 8, "worker-1");
    assert_escaped ("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8e\xb5", 11, "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8e\xb5");
    assert_escaped ("", 0, "");
}

Test (escape, writes_control_bytes_and_backslash_in_hexadecimal)
{
    assert_escaped ("a\nb\0c\x7f\\", 7, "a\\x0ab\\x00c\\x7f\\x5c");
    assert_escaped ("\xc2\x9b", 2, "\\xc2\\x9b");
}

Test (escape, writes_what_turns_the_writing_or_ends_a_line_in_hexadecimal)
{
    assert_escaped ("\xe2\x80\xae", 3, "\\xe2\\x80\\xae");
    assert_escaped ("\xe2\x81\xa7", 3, "\\xe2\\x81\\xa7");
    assert_escaped ("\xe2\x80\xa8", 3, "\\xe2\\x80\\xa8");
    assert_escaped ("\xd8\x9c", 2, "\\xd8\\x9c");
    assert_escaped ("\xe2\x80\x93", 3, "\xe2\x80\x93");
}

Test (escape, writes_what_is_not_utf8_in_hexadecimal)
{
    assert_escaped ("\xff\xfe", 2, "\\xff\\xfe");
    assert_escaped ("\xc0\x80", 2, "\\xc0\\x80");
    assert_escaped ("\xed\xa0\x80", 3, "\\xed\\xa0\\x80");
    assert_escaped ("\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80");
    assert_escaped ("\xe2\x82", 2, "\\xe2\\x82");
}

Test (escape, cuts_with_dots_where_room_ends)
{
    char buffer [9];
    log_escape (buffer, sizeof buffer, "12345678", 8);
    cr_assert_str_eq (buffer, "12345678");
    log_escape (buffer, sizeof buffer, "123456789", 9);
    cr_assert_str_eq (buffer, "12345...");
    log_escape (buffer, sizeof buffer, "1234\n6789", 9);
    cr_assert_str_eq (buffer, "1234...");
}

Test (escape, never_writes_past_its_room)
{
    const char text [] = "a\n\xe2\x82\xac\xff rest";
    for (size_t room = 0; room < 40; room++) {
        char buffer [41];
        memset (buffer, '!', sizeof buffer);
        log_escape (buffer, room, text, sizeof text - 1);
        cr_assert_eq (buffer [room], '!', "room %zu", room);
        cr_assert (room == 0 || memchr (buffer, 0, room), "room %zu", room);
    }
}

static void
assert_value (const char *text, const char *expected)
{
    char buffer [100];
    cr_assert_str_eq (log_value (buffer, sizeof buffer, text), expected);
}

Test (value, stands_as_it_is_or_in_quotes_where_it_would_not_be_one_word)
{
    assert_value ("worker-1", "worker-1");
    assert_value ("a\nb", "a\\x0ab");
    assert_value ("", "\"\"");
    assert_value ("two words", "\"two words\"");
    assert_value ("a=b", "\"a=b\"");
    assert_value ("say \"x\"", "\"say \\x22x\\x22\"");
}

Test (value, never_writes_past_its_room)
{
    for (size_t room = 8; room < 30; room++) {
        char buffer [31];
        memset (buffer, '!', sizeof buffer);
        log_value (buffer, room, "some words that are \" too long");
        cr_assert_eq (buffer [room], '!', "room %zu", room);
        cr_assert_eq (buffer [strlen (buffer) - 1], '"', "room %zu", room);
        cr_assert_lt (strlen (buffer), room);
    }
}

Test (log_limit, lets_one_line_a_second_out_and_sums_up_the_rest)
{
    log_limit_t limit = { 0 };
    cr_assert_eq (log_allow (&limit, 5000), 1);
    cr_assert_eq (log_allow (&limit, 5001), 0);
    cr_assert_eq (log_allow (&limit, 5999), 0);
    cr_assert_eq (log_allow (&limit, 6000), 3);
    cr_assert_eq (log_allow (&limit, 6001), 0);
    cr_assert_eq (log_allow (&limit, 90000), 2);
    cr_assert_eq (log_allow (&limit, 190000), 1);
}
