/*  error.h - the errors that muster's functions return

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef MUSTER_ERROR_H_INCLUDED
#define MUSTER_ERROR_H_INCLUDED

#include "export.h"

/*  One line for each error: name, text. The codes are 1, 2, 3 ... in this
    order and never change; a new error goes to the end. */
#define MUSTER_ERROR_MAP(XX) \
    XX (INVAL, "invalid argument") \
    XX (NOMEM, "out of memory") \
    XX (RESOURCE, "out of descriptors or threads") \
    XX (SYSTEM, "the operating system refused") \
    XX (AGAIN, "no room at the moment") \
    XX (TIMEOUT, "time limit passed") \
    XX (CLOSED, "not started, stopped or closed") \
    XX (BUSY, "in use") \
    XX (DEADLOCK, "the call would wait for itself") \
    XX (FORKED, "the object belongs to the parent process") \
    XX (EXISTS, "the source has a handler, or the file is there") \
    XX (RESERVED, "the source is the listener's own") \
    XX (NOTFOUND, "no such worker, handler, key or file") \
    XX (INUSE, "address in use") \
    XX (ENDPOINT, "endpoint malformed or not usable") \
    XX (ACCESS, "access refused") \
    XX (FULL, "the listener has no room for another worker") \
    XX (TOOBIG, "message over the limit") \
    XX (FORMAT, "bytes that break a rule of their format") \
    XX (TYPE, "a value of another type than asked for") \
    XX (REJECTED, "the peer refused a message") \
    XX (LEFT, "the worker said goodbye") \
    XX (LOST, "the worker was silent for too long") \
    XX (REPLACED, "another worker took the source") \
    XX (REVOKED, "the worker's key was revoked") \
    XX (LATE, "no reply in time") \
    XX (VERSION, "the peer speaks another version of the protocol") \
    XX (END, "nothing more to come") \
    XX (INTERRUPTED, "the host ended the wait")

/*  What functions return: 0, or why not. */
typedef enum {
    MUSTER_OK = 0,          /* no error */
#define XX(name, text) MUSTER_##name,
    MUSTER_ERROR_MAP (XX)
#undef XX
    MUSTER_ERROR_COUNT      /* one more than the last */
} muster_error_t;

MUSTER_BEGIN_DECLS

/*  The name of an error, "TIMEOUT"; "OK" for 0 and "UNKNOWN" for a number
    that is no error. A static string. Any thread. */
MUSTER_EXPORT const char *muster_error_name (muster_error_t error);

/*  What an error means, in a few words. A static string. Any thread. */
MUSTER_EXPORT const char *muster_error_text (muster_error_t error);

MUSTER_END_DECLS

#endif
