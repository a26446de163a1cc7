/*  feed.c - the messages that send is to send

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/input.h"
#include "cli/json.h"
#include "cli/say.h"

static void
complain (const feed_t *feed, uint64_t line, muster_error_t error)
{
    const char *reason = feed->reason (feed->target);
    const char *comma = *reason ? ", " : "";
    if (line > 0)
        say ("line %" PRIu64 ": not sent: %s%s%s", line, muster_error_text (error), comma, reason);
    else
        say ("not sent: %s%s%s", muster_error_text (error), comma, reason);
}

/*  line: its number on stdin, 0 for none. */
static feed_result_t
send_data (const feed_t *feed, const muster_writer_t *data, uint64_t line)
{
    const void *bytes;
    size_t size;
    muster_error_t error = muster_writer_bytes (data, &bytes, &size);
    if (!error)
        error = feed->send (feed->target, bytes, size);
    if (!error)
        return FEED_SENT;
    if (feed->is_over (feed->target))
        return FEED_OVER;
    complain (feed, line, error);
    return FEED_FAILED;
}

static bool
is_blank (const char *text)
{
    return text [strspn (text, " \t\r\n")] == 0;
}

static feed_result_t
send_line (const feed_t *feed, muster_writer_t *data, const char *text, size_t size, uint64_t line)
{
    char problem [JSON_PROBLEM_ROOM];
    if (size == strlen (text) && is_blank (text))
        return FEED_SENT;
    muster_writer_clear (data);
    if (json_read (data, text, size, problem))
        return send_data (feed, data, line);
    say ("line %" PRIu64 ": %s", line, problem);
    return FEED_FAILED;
}

static feed_result_t
send_lines (const feed_t *feed, muster_writer_t *data)
{
    input_t input = { .text = NULL };
    const char *text;
    size_t size;
    uint64_t line = 0;
    input_result_t got = INPUT_LINE;
    feed_result_t result = FEED_SENT;
    while (result == FEED_SENT
        && (got = input_line (&input, feed->is_over, feed->target, &text, &size)) == INPUT_LINE)
        result = send_line (feed, data, text, size, ++line);
    if (got == INPUT_OVER)
        result = FEED_OVER;
    if (got == INPUT_BROKEN) {
        say ("stdin: %s", strerror (errno));
        result = FEED_FAILED;
    }
    input_free (&input);
    return result;
}

feed_result_t
feed_run (const feed_t *feed, const muster_writer_t *data)
{
    if (data)
        return send_data (feed, data, 0);
    muster_writer_t *line = muster_writer_new ();
    if (!line) {
        say ("out of memory");
        return FEED_FAILED;
    }
    feed_result_t result = send_lines (feed, line);
    muster_writer_destroy (&line);
    return result;
}
