/*  questions.c - asking a listener what it speaks, to see how fast the answer comes

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/questions.h"

#include <stdlib.h>
#include <string.h>

#include "actor/monotonic.h"
#include "actor/wall.h"
#include "net/option.h"
#include "wire/frame.h"

/*  One has 17 bytes more where it is encrypted, and some for ZeroMQ's own. */
_Static_assert (QUESTIONS_LARGE + 100 < OPTION_CONTROL_FRAME, "a listener would hang up");

#define FLOOD_QUESTIONS (4 * 1024 * 1024 / QUESTIONS_LARGE + 1)
#define FLOOD_MS 1000

/*  Enough for any way that is not a satellite's, and no burden to a listener. */
#define FLOOD_UNDER_WAY 16

/*  --------------------------------------------------------------------------
    One */

static muster_error_t
send_question (visit_t *visit, uint32_t number, size_t size)
{
    zmq_msg_t msg;
    if (zmq_msg_init_size (&msg, size))
        return MUSTER_NOMEM;
    memset (zmq_msg_data (&msg), 0, size);
    frame_write_question (number, zmq_msg_data (&msg));
    if (zmq_msg_send (&msg, connection_dealer (visit->connection), ZMQ_DONTWAIT) >= 0)
        return 0;
    zmq_msg_close (&msg);
    return MUSTER_LOST;
}

/*  The answer of a listener of another version is one, though nothing but its header can be read. */
static bool
read_answer (const uint8_t *bytes, size_t size, answer_t *answer)
{
    frame_t frame;
    const uint8_t *body;
    size_t body_size;
    uint8_t version = PROTOCOL_VERSION;
    muster_refusal_t refusal = frame_read (bytes, size, &frame, &body, &body_size, &version);
    bool foreign = version != PROTOCOL_VERSION;
    if ((refusal && !foreign) || frame.kind != FRAME_END)
        return false;
    *answer = (answer_t) { .number = frame.epoch, .version = version, .error = MUSTER_VERSION };
    if (!foreign) {
        answer->error = (muster_error_t) frame.end.error;
        answer->time_ms = frame.end.time_ms;
        memcpy (answer->text, frame.end.text, sizeof answer->text);
    }
    return true;
}

/*  What else comes is passed over: who answers may be anybody. */
static bool
take_answer (visit_t *visit, answer_t *answer)
{
    zmq_msg_t msg;
    bool taken = false;
    for (int frames = 0; frames < VISIT_BURST && !taken && visit_receive (visit, &msg); frames++) {
        taken = read_answer (zmq_msg_data (&msg), zmq_msg_size (&msg), answer);
        zmq_msg_close (&msg);
    }
    return taken;
}

static muster_error_t
await_answer (visit_t *visit, uint32_t number, int timeout_ms, answer_t *answer)
{
    int64_t deadline = monotonic_deadline (timeout_ms);
    for (;;) {
        if (take_answer (visit, answer) && answer->number == number)
            return 0;
        muster_error_t error = visit_heed (visit);
        if (error || !visit->up)
            return MUSTER_LOST;
        if (visit->now >= deadline)
            return MUSTER_TIMEOUT;
        visit_wait (visit, deadline);
    }
}

static muster_error_t
ask (visit_t *visit, uint32_t number, int timeout_ms, answer_t *answer)
{
    muster_error_t error = send_question (visit, number, frame_header_size (FRAME_HELLO));
    return error ? error : await_answer (visit, number, timeout_ms, answer);
}

muster_error_t
questions_ask (visit_t *visit, int timeout_ms, answer_t *answer)
{
    return ask (visit, 1, timeout_ms, answer);
}

/*  --------------------------------------------------------------------------
    Several, one after the other */

static int
compare (const void *one, const void *other)
{
    double a = *(const double *) one, b = *(const double *) other;
    return (a > b) - (a < b);
}

/*  The listener read its clock when half of the time was over, as far as can be known. */
static void
note (round_trips_t *trips, const answer_t *answer, double took_ms, double began_ms)
{
    if (trips->best_ms > 0 && took_ms >= trips->best_ms)
        return;
    trips->best_ms = took_ms;
    trips->has_clock = answer->time_ms > 0;
    trips->ahead_ms = (double) answer->time_ms - (began_ms + took_ms / 2);
}

muster_error_t
questions_round_trips (visit_t *visit, int timeout_ms, round_trips_t *trips)
{
    double took [QUESTIONS_ROUND_TRIPS];
    answer_t answer;
    muster_error_t error = 0;
    *trips = (round_trips_t) { .best_ms = 0 };
    for (uint32_t i = 0; i < QUESTIONS_ROUND_TRIPS && !error; i++) {
        double wall = (double) wall_ms ();
        int64_t began = monotonic_ns ();
        error = ask (visit, i + 1, timeout_ms, &answer);
        took [i] = (double) (monotonic_ns () - began) / 1e6;
        if (!error)
            note (trips, &answer, took [i], wall);
    }
    if (error)
        return error;
    qsort (took, QUESTIONS_ROUND_TRIPS, sizeof took [0], compare);
    trips->median_ms = (took [QUESTIONS_ROUND_TRIPS / 2 - 1] + took [QUESTIONS_ROUND_TRIPS / 2]) / 2;
    return 0;
}

/*  --------------------------------------------------------------------------
    Many at a time */

static muster_error_t
keep_under_way (visit_t *visit, uint32_t *sent, uint32_t answered)
{
    muster_error_t error = 0;
    while (!error && *sent < FLOOD_QUESTIONS && *sent - answered < FLOOD_UNDER_WAY) {
        error = send_question (visit, *sent + 1, QUESTIONS_LARGE);
        if (!error)
            (*sent)++;
    }
    return error;
}

/*  Answers come in the order of the questions. */
muster_error_t
questions_flood (visit_t *visit, int timeout_ms, double *rate)
{
    uint32_t sent = 0, answered = 0;
    answer_t answer;
    int64_t began = monotonic_ns ();
    muster_error_t error = keep_under_way (visit, &sent, answered);
    while (!error && answered < sent) {
        error = await_answer (visit, answered + 1, timeout_ms, &answer);
        if (!error)
            answered++;
        if (!error && monotonic_ns () - began < FLOOD_MS * INT64_C (1000000))
            error = keep_under_way (visit, &sent, answered);
    }
    *rate = (double) answered * QUESTIONS_LARGE * 1e9 / (double) (monotonic_ns () - began);
    return error;
}
