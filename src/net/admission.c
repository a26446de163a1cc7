/*  admission.c - why a listener does not let a connection in

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/admission.h"

#include <stddef.h>

#include <zmq.h>

/*  ZAP's status for a key that is not on the list. */
#define NOT_ADMITTED 400

static const char not_enrolled [] =
    "the listener does not admit this key: its .pub file has to be enrolled in the listener's allow file";
static const char asks_for_keys [] = "the listener asks for keys: give key and server";
static const char has_none [] =
    "the listener has no keys, and who has a key talks to none without: give the listener keys, or no key here";
static const char has_another [] =
    "the listener has another key than the one that server gives: give the listener's own .pub file";

const char *
admission_event (int event, int value, bool keyed)
{
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH && value == NOT_ADMITTED)
        return not_enrolled;
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL && value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
        return keyed ? has_none : asks_for_keys;
    return NULL;
}

const char *
admission_answer (probe_answer_t answer, bool keyed)
{
    switch (answer) {
        case PROBE_KEYS: return keyed ? has_another : asks_for_keys;
        case PROBE_NO_KEYS: return keyed ? has_none : NULL;
        default: return NULL;
    }
}
