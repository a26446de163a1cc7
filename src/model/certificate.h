/*  certificate.h - CURVE keys in czmq's certificate files

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The text is ZPL, as czmq's zcert writes and reads it: a section "curve" with a
    public-key and, in a secret certificate, a secret-key. Other sections, czmq's
    "metadata", are passed over.
*/
#ifndef MODEL_CERTIFICATE_H_INCLUDED
#define MODEL_CERTIFICATE_H_INCLUDED

#include <stddef.h>

#include <muster/error.h>

#include "model/z85.h"

/*  Bytes of a text that is read, and of a line in it; room for one that is written. */
#define CERTIFICATE_MOST ((size_t) 64 * 1024)
#define CERTIFICATE_LINE_MOST ((size_t) 1024)
#define CERTIFICATE_ROOM ((size_t) 512)

/*  Z85, terminated. secret_key is "" in a public certificate. Whoever has one wipes it. */
typedef struct {
    char public_key [Z85_KEY + 1];
    char secret_key [Z85_KEY + 1];
} certificate_t;

/*  Read a text. Errors: MUSTER_FORMAT, self is all zeroes then, and reason (REASON_ROOM
    bytes) says what is wrong with which line, but nothing of what the keys are. */
muster_error_t certificate_read (certificate_t *self, const char *text, size_t size, char *reason);

/*  Write a text (CERTIFICATE_ROOM bytes, not terminated) with the public key alone, or with
    both. Return its size. */
size_t certificate_write_public (const certificate_t *self, char *text);
size_t certificate_write_secret (const certificate_t *self, char *text);

/*  Overwrite both keys. */
void certificate_wipe (certificate_t *self);

#endif
