/*  test_cli_view.c - tests of what muster top shows, and of its keys

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/keypad.h"
#include "cli/number.h"
#include "cli/sheet.h"
#include "cli/view.h"

#define MB 1000000

static void
begin (void)
{
    cr_assert_not_null (setlocale (LC_CTYPE, "C.UTF-8"));
}

/*  --------------------------------------------------------------------------
    A listener and its workers */

#define WORKERS 30

typedef struct {
    muster_worker_stats_t workers [WORKERS], workers_before [WORKERS];
    snapshot_t now, before;
    rates_times_t times;
    view_t view;
} scene_t;

static void
set_worker (muster_worker_stats_t *worker, size_t number)
{
    *worker = (muster_worker_stats_t) { .present = true, .silent_ms = 300, .round_trip_us = 250 * number };
    snprintf (worker->source, sizeof worker->source, "worker-%02zu", number);
    snprintf (worker->session, sizeof worker->session, "%032zx", number);
    snprintf (worker->address, sizeof worker->address, "192.168.100.1%02zu", number);
}

/*  Ten seconds, in which each worker has sent ten messages more than the one before it. The last is
    halfway through a large one, the first is absent. */
static void
set_scene (scene_t *self, size_t count)
{
    *self = (scene_t) {
        .now = { .source = "0123abcd", .workers = self->workers, .count = count, .taken_at = 20000 },
        .before = { .source = "0123abcd", .workers = self->workers_before, .count = count, .taken_at = 10000 },
        .times = { .known = true, .half = 6, .most = 10 },
        .view = { .endpoint = "tcp://127.0.0.1:5671", .interval = 10, .columns = 80, .lines = 24 } };
    self->now.stats = (muster_stats_t) { .received = 123000, .received_bytes = 456 * (uint64_t) MB, .handled = 120000,
        .failed = 3, .workers = count - (count > 0), .sessions = count, .queued = 3000,
        .queued_bytes = 12 * (uint64_t) MB, .budget = 1000 * (uint64_t) MB, .committed = 250 * (uint64_t) MB };
    for (size_t i = 0; i < count; i++) {
        set_worker (&self->workers [i], i);
        set_worker (&self->workers_before [i], i);
        self->workers [i].received = i * 10;
    }
    if (count > 0) {
        self->workers [0].present = false;
        self->workers [count - 1].coming = 200 * (uint64_t) MB;
        self->workers [count - 1].coming_bytes = 400 * (uint64_t) MB;
    }
    self->view.now = &self->now;
    self->view.before = &self->before;
    self->view.times = &self->times;
}

/*  --------------------------------------------------------------------------
    Pictures */

#define LINES_MOST 200

typedef struct {
    char *text;
    char *lines [LINES_MOST];
    size_t count;
} picture_t;

static picture_t
draw (scene_t *scene)
{
    size_t size;
    picture_t self = { .text = view_draw (&scene->view, &size) };
    cr_assert_not_null (self.text);
    cr_assert_eq (size, strlen (self.text));
    for (char *at = self.text; at; at = self.lines [self.count++] ? strchr (at, '\n') : NULL) {
        at += *at == '\n';
        self.lines [self.count] = at;
    }
    for (size_t i = 1; i < self.count; i++)
        self.lines [i][-1] = 0;
    return self;
}

static void
clear (picture_t *self)
{
    free (self->text);
}

/*  Looks take no columns. */
static void
without_looks (char *line)
{
    char *begin;
    while ((begin = strchr (line, '\x1b')) != NULL) {
        char *end = strchr (begin, 'm');
        cr_assert_not_null (end);
        memmove (begin, end + 1, strlen (end + 1) + 1);
    }
}

static void
assert_fits (picture_t *self, unsigned columns, unsigned lines)
{
    cr_assert_leq (self->count, lines);
    for (size_t i = 0; i < self->count; i++) {
        without_looks (self->lines [i]);
        cr_assert_leq (sheet_width (self->lines [i]), columns, "%zu: %s", i, self->lines [i]);
    }
}

static void
assert_line (const picture_t *self, size_t number, const char *expected)
{
    cr_assert_lt (number, self->count);
    cr_assert_str_eq (self->lines [number], expected);
}

static size_t
count_of (const picture_t *self, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++)
        count += strstr (self->lines [i], text) != NULL;
    return count;
}

Test (view, at_80_by_24_has_the_whole_listener_and_all_columns, .init = begin)
{
    scene_t scene;
    set_scene (&scene, 3);
    scene.before.stats.received = 3000;
    picture_t picture = draw (&scene);
    assert_fits (&picture, 80, 24);
    cr_assert_eq (picture.count, 10);
    assert_line (&picture, 0, "tcp://127.0.0.1:5671  listener 0123abcd");
    assert_line (&picture, 1, "3 workers, by rate, over 10 s");
    assert_line (&picture, 2, "messages/s   12000  MB/s          65.6  handled/s    12000  queue         3000");
    assert_line (&picture, 3, "queue bytes  12.0M  budget used    25%  here             2  absent           1");
    assert_line (&picture, 4, "failed           3  no handler       0  half take    <64us  99% take   <1.02ms");
    assert_line (&picture, 5, "");
    assert_line (&picture, 6, "SOURCE            ADDRESS         STATE  MSG/S  MB/S QUEUE UNDER WAY   RTT  SEEN");
    assert_line (&picture, 7, "worker-02         192.168.100.102 here     2.0  20.0    20  400M 50% 500us  0.3s");
    assert_line (&picture, 8, "worker-01         192.168.100.101 here     1.0  0.00    10           250us  0.3s");
    assert_line (&picture, 9, "worker-00         192.168.100.100 absent   0.0  0.00     0               -  0.3s");
    clear (&picture);
}

Test (view, at_40_by_10_has_what_matters_most, .init = begin)
{
    scene_t scene;
    set_scene (&scene, WORKERS);
    scene.view.columns = 40;
    scene.view.lines = 10;
    picture_t picture = draw (&scene);
    assert_fits (&picture, 40, 10);
    cr_assert_eq (picture.count, 10);
    assert_line (&picture, 1, "workers 1 to 4 of 30, by rate, over 10 s");
    assert_line (&picture, 4, "queue bytes  12.0M  budget used    25%");
    assert_line (&picture, 5, "SOURCE     STATE  MSG/S  MB/S QUEUE WAY");
    assert_line (&picture, 6, "worker-29  here      29  20.0   290 50%");
    assert_line (&picture, 9, "worker-26  here      26  0.00   260");
    cr_assert_eq (scene.view.page, 4);
    clear (&picture);
}

Test (view, at_200_by_50_has_long_names_whole, .init = begin)
{
    scene_t scene;
    set_scene (&scene, WORKERS);
    scene.view.columns = 200;
    scene.view.lines = 50;
    strcpy (scene.workers [1].source, "a-name-of-some-fifty-characters-that-is-not-cut-off");
    strcpy (scene.workers [1].address, "2001:0db8:1111:2222:3333:4444:5555:6666");
    picture_t picture = draw (&scene);
    assert_fits (&picture, 200, 50);
    cr_assert_eq (count_of (&picture, "worker-"), WORKERS - 1);
    cr_assert_eq (count_of (&picture, scene.workers [1].source), 1);
    cr_assert_eq (count_of (&picture, scene.workers [1].address), 1);
    cr_assert_eq (count_of (&picture, "400M #######........ 50%"), 1);
    clear (&picture);
}

Test (view, has_a_bar_of_what_is_coming_where_the_names_leave_room, .init = begin)
{
    scene_t scene;
    set_scene (&scene, 3);
    for (scene.view.columns = 84; scene.view.columns <= 85; scene.view.columns++) {
        picture_t picture = draw (&scene);
        cr_assert_eq (count_of (&picture, "400M ##... 50%"), scene.view.columns - 84);
        cr_assert_eq (count_of (&picture, "400M 50%"), 85 - scene.view.columns);
        clear (&picture);
    }
}

Test (view, is_never_wider_or_higher_than_the_terminal, .init = begin)
{
    scene_t scene;
    set_scene (&scene, WORKERS);
    scene.now.stats.rejected = 7;
    scene.now.stats.refused [MUSTER_REFUSAL_UTF8] = 7;
    scene.view.live = true;
    scene.view.trouble = "nobody listens there";
    for (unsigned columns = 1; columns < 150; columns++)
        for (unsigned lines = 1; lines < 40; lines += 3) {
            scene.view.columns = columns;
            scene.view.lines = lines;
            picture_t picture = draw (&scene);
            assert_fits (&picture, columns, lines);
            clear (&picture);
        }
}

Test (view, without_a_limit_of_lines_has_all_workers_and_no_control_sequences, .init = begin)
{
    scene_t scene;
    set_scene (&scene, WORKERS);
    scene.view.lines = 0;
    picture_t picture = draw (&scene);
    cr_assert_eq (count_of (&picture, "worker-"), WORKERS);
    cr_assert_eq (count_of (&picture, "\x1b"), 0);
    clear (&picture);
}

Test (view, shows_no_rate_before_there_are_two_snapshots, .init = begin)
{
    scene_t scene;
    set_scene (&scene, 2);
    scene.view.before = NULL;
    scene.times.known = false;
    picture_t picture = draw (&scene);
    assert_line (&picture, 2, "messages/s       -  MB/s             -  handled/s        -  queue         3000");
    assert_line (&picture, 4, "failed           3  no handler       0  half take        -  99% take         -");
    assert_line (&picture, 7, "worker-01         192.168.100.101 here       -     -    10  400M 50% 250us  0.3s");
    clear (&picture);
}

Test (view, tells_each_reason_of_what_was_rejected, .init = begin)
{
    scene_t scene;
    set_scene (&scene, 1);
    scene.now.stats.rejected = 17;
    scene.now.stats.refused [MUSTER_REFUSAL_UTF8] = 12;
    scene.now.stats.refused [MUSTER_REFUSAL_SHAPE] = 5;
    picture_t picture = draw (&scene);
    assert_line (&picture, 5, "rejected 17: SHAPE 5, UTF8 12");
    clear (&picture);
}

Test (view, says_in_place_how_old_it_is_and_why_and_keeps_the_values, .init = begin)
{
    scene_t scene;
    set_scene (&scene, 2);
    scene.view.live = true;
    scene.view.trouble = "tcp://127.0.0.1:5671: nobody listens there";
    scene.view.age_ms = 12000;
    picture_t picture = draw (&scene);
    assert_line (&picture, 1, "\x1b[7m12s old: nobody listens there\x1b[0m");
    cr_assert_eq (count_of (&picture, "\x1b[2mworker-0"), 2);
    clear (&picture);
}

Test (view, says_that_it_waits_while_nothing_has_come, .init = begin)
{
    scene_t scene;
    set_scene (&scene, 0);
    scene.view.now = scene.view.before = NULL;
    picture_t picture = draw (&scene);
    cr_assert_eq (picture.count, 2);
    assert_line (&picture, 0, "tcp://127.0.0.1:5671");
    assert_line (&picture, 1, "asking");
    clear (&picture);
}

Test (view, scrolls_no_further_than_to_the_last_worker, .init = begin)
{
    scene_t scene;
    set_scene (&scene, WORKERS);
    scene.view.order = ROWS_SOURCE;
    scene.view.first = 1000;
    picture_t picture = draw (&scene);
    cr_assert_eq (scene.view.first + scene.view.page, WORKERS);
    assert_line (&picture, 1, "workers 14 to 30 of 30, by source, over 10 s");
    cr_assert_eq (count_of (&picture, "worker-29"), 1);
    cr_assert_eq (count_of (&picture, "worker-12"), 0);
    clear (&picture);
}

Test (view, shows_controls_and_what_turns_the_writing_as_question_marks, .init = begin)
{
    scene_t scene;
    set_scene (&scene, 1);
    strcpy (scene.workers [0].source, "a\x1b[2Jb\xc2\x9b\nc\xe2\x80\xae" "d\xff");
    strcpy (scene.now.source, "\x1b]0;x\x07");
    picture_t picture = draw (&scene);
    cr_assert_eq (strncmp (picture.lines [7], "a?[2Jb??c?d?   ", 15), 0, "%s", picture.lines [7]);
    assert_line (&picture, 0, "tcp://127.0.0.1:5671  listener ?]0;x?");
    clear (&picture);
}

Test (view, takes_numbers_that_make_no_sense, .init = begin)
{
    scene_t scene;
    set_scene (&scene, 2);
    memset (&scene.now.stats, 0xff, sizeof scene.now.stats);
    scene.workers [1].coming = UINT64_MAX;
    scene.workers [1].coming_bytes = 1;
    scene.workers [1].silent_ms = scene.workers [1].received = scene.workers [1].round_trip_us = UINT64_MAX;
    scene.workers [0].handled = UINT64_MAX;
    picture_t picture = draw (&scene);
    assert_fits (&picture, 80, 24);
    cr_assert_eq (count_of (&picture, "    1 99%  long  long"), 1);
    clear (&picture);
}

/*  --------------------------------------------------------------------------
    The picture in the docs */

static char *
read_text (const char *path)
{
    char *text = NULL;
    size_t room = 0;
    FILE *file = fopen (path, "r");
    cr_assert_not_null (file);
    cr_assert_gt (getdelim (&text, &room, 0, file), 0);
    fclose (file);
    return text;
}

/*  Three workers, the last of them a fifth through a large message. */
static void
set_scene_of_docs (scene_t *self)
{
    static const uint64_t received [] = { 26, 19, 0 }, round_trips [] = { 212, 247, 1240 }, silent [] = { 20, 40, 1030 };
    set_scene (self, 3);
    self->view.interval = 1;
    self->view.lines = 0;
    self->now.taken_at = self->before.taken_at + 1000;
    strcpy (self->now.source, "ce5b2fa2-71ec-4e49-b724-ffc7c7244516");
    strcpy (self->before.source, self->now.source);
    self->now.stats = (muster_stats_t) { .received = 45, .handled = 45, .workers = 3, .sessions = 3,
        .budget = UINT64_C (1) << 31, .committed = UINT64_C (65) << 20 };
    self->times.known = false;
    for (size_t i = 0; i < 3; i++) {
        muster_worker_stats_t *worker = &self->workers [i];
        snprintf (worker->source, sizeof worker->source, "worker-%zu", i + 1);
        strcpy (worker->address, "127.0.0.1");
        worker->present = true;
        worker->received = worker->handled = received [i];
        worker->round_trip_us = round_trips [i];
        worker->silent_ms = silent [i];
    }
    self->workers [2].coming_bytes = UINT64_C (64) << 20;
    self->workers [2].coming = UINT64_C (14400000);
    self->workers_before [2].coming = self->workers [2].coming - 1040000;
}

Test (view, is_in_the_docs_as_it_is_drawn, .init = begin)
{
    scene_t scene;
    size_t size;
    char *block;
    set_scene_of_docs (&scene);
    char *docs = read_text (TESTS_DIR "/../docs/coordinators.md");
    char *picture = view_draw (&scene.view, &size);
    cr_assert_not_null (picture);
    cr_assert_gt (asprintf (&block, "```text\n%s\n```\n", picture), 0);
    cr_assert_not_null (strstr (docs, block), "docs/coordinators.md does not have\n%s", picture);
    free (block);
    free (picture);
    free (docs);
}

/*  --------------------------------------------------------------------------
    Lines */

static void
assert_put (const char *text, unsigned columns, bool ends, const char *expected)
{
    char *written = NULL;
    size_t size;
    FILE *out = open_memstream (&written, &size);
    sheet_t sheet;
    sheet_init (&sheet, out, 80, false);
    sheet_line (&sheet, SHEET_PLAIN);
    if (ends)
        sheet_put_ends (&sheet, text, columns);
    else
        sheet_put (&sheet, text, columns, SHEET_LEFT);
    sheet_put (&sheet, "|", 1, SHEET_LEFT);
    sheet_end (&sheet);
    fclose (out);
    cr_assert_str_eq (written, expected);
    free (written);
}

Test (sheet, cuts_what_is_too_long_by_the_columns_it_takes, .init = begin)
{
    assert_put ("abcdef", 6, false, "abcdef|");
    assert_put ("abcdefg", 6, false, "abcde…|");
    assert_put ("abcdefg", 6, true, "abc…fg|");
    assert_put ("abc", 6, true, "abc   |");
    assert_put ("世界世界", 8, false, "世界世界|");
    assert_put ("世界世界", 7, false, "世界世…|");
    assert_put ("世界世界", 6, false, "世界… |");
    assert_put ("世界世界", 6, true, "世…界 |");
    assert_put ("e\xcc\x81te\xcc\x81", 3, false, "e\xcc\x81te\xcc\x81|");
    assert_put ("abc", 1, false, "…|");
    assert_put ("abc", 0, false, "|");
    assert_put ("", 2, false, "  |");
}

/*  --------------------------------------------------------------------------
    Numbers */

static void
assert_number (void (*write) (char *text, double value), double value, const char *expected)
{
    char text [NUMBER_ROOM];
    write (text, value);
    cr_assert_str_eq (text, expected);
    cr_assert_leq (strlen (text), NUMBER_COLUMNS);
}

Test (number, is_never_wider_than_its_column)
{
    static void (*const all []) (char *text, double value) = { number_count, number_rate, number_millions, number_bytes };
    char text [NUMBER_ROOM];
    for (size_t i = 0; i < sizeof all / sizeof all [0]; i++)
        for (double value = 0.001; value < 1e30; value *= 1.001) {
            (*all [i]) (text, value);
            cr_assert_leq (strlen (text), NUMBER_COLUMNS, "%g: %s", value, text);
        }
    for (uint64_t ms = 0; ms < UINT64_MAX / 2; ms += ms / 100 + 7) {
        number_age (text, ms);
        cr_assert_leq (strlen (text), NUMBER_COLUMNS, "%s", text);
        number_span (text, ms);
        cr_assert_leq (strlen (text), NUMBER_COLUMNS, "%s", text);
    }
    for (unsigned place = 0; place < MUSTER_TIMES_COUNT; place++) {
        number_time (text, place);
        cr_assert_leq (strlen (text), NUMBER_TIME_COLUMNS, "%s", text);
    }
}

Test (number, tells_a_span_in_the_unit_that_it_is_read_in)
{
    static const struct {
        uint64_t us;
        const char *expected;
    } spans [] = {
        { 0, "-" }, { 1, "1us" }, { 999, "999us" }, { 1000, "1.0ms" }, { 9999, "9.9ms" }, { 10000, "10ms" },
        { 999999, "999ms" }, { 1000000, "1.0s" }, { 12000000, "12s" }, { UINT64_MAX, "long" } };
    char text [NUMBER_ROOM];
    for (size_t i = 0; i < sizeof spans / sizeof spans [0]; i++) {
        number_span (text, spans [i].us);
        cr_assert_str_eq (text, spans [i].expected);
    }
}

Test (number, goes_over_to_the_next_unit_where_it_would_be_rounded_up_to_it)
{
    assert_number (number_count, 99999, "99999");
    assert_number (number_count, 99999.6, "100k");
    assert_number (number_count, 999499, "999k");
    assert_number (number_count, 999500, "1.00M");
    assert_number (number_rate, 9.94, "9.9");
    assert_number (number_rate, 9.96, "10");
    assert_number (number_bytes, 999, "999");
    assert_number (number_bytes, 1000, "1.00k");
    assert_number (number_millions, 1.5e6, "1.50");
    assert_number (number_millions, 99.96e6, "100");
}

/*  --------------------------------------------------------------------------
    Keys */

static keypad_key_t
key_of (keypad_t *keypad, const char *bytes)
{
    keypad_key_t key = KEYPAD_NOTHING;
    for (; *bytes; bytes++) {
        cr_assert_eq (key, KEYPAD_NOTHING);
        key = keypad_take (keypad, (unsigned char) *bytes);
    }
    return key;
}

Test (keypad, knows_letters_and_both_forms_of_the_arrows)
{
    keypad_t keypad = { 0 };
    cr_assert_eq (key_of (&keypad, "q"), KEYPAD_QUIT);
    cr_assert_eq (key_of (&keypad, "s"), KEYPAD_SORT);
    cr_assert_eq (key_of (&keypad, "\x1b[A"), KEYPAD_UP);
    cr_assert_eq (key_of (&keypad, "\x1bOB"), KEYPAD_DOWN);
    cr_assert_eq (key_of (&keypad, "\x1b[5~"), KEYPAD_PAGE_UP);
    cr_assert_eq (key_of (&keypad, "\x1b[6~"), KEYPAD_PAGE_DOWN);
    cr_assert_eq (key_of (&keypad, "\x1b[1~"), KEYPAD_HOME);
    cr_assert_eq (key_of (&keypad, "\x1b[F"), KEYPAD_END);
}

Test (keypad, takes_no_part_of_an_unknown_sequence_for_a_key)
{
    keypad_t keypad = { 0 };
    cr_assert_eq (key_of (&keypad, "\x1b[15~"), KEYPAD_NOTHING);
    cr_assert_eq (key_of (&keypad, "\x1b[1;5s"), KEYPAD_NOTHING);
    cr_assert_eq (key_of (&keypad, "\x1bq"), KEYPAD_NOTHING);
    cr_assert_eq (key_of (&keypad, "\x1b[99999999999999999999~"), KEYPAD_NOTHING);
    cr_assert_eq (key_of (&keypad, "\x1b\x1b[B"), KEYPAD_DOWN);
    cr_assert_eq (key_of (&keypad, "q"), KEYPAD_QUIT);
}
