/*  fuzz_picture.c - any picture on any data, and any values packed

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    An input is a picture, a NUL, and what is data to unpack and values to pack.
*/
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <muster/data.h>

#include "fuzz.h"
#include "model/message.h"
#include "require.h"
#include "wire/picture.h"
#include "wire/scan.h"
#include "wire/syntax.h"

#define ROOM 512
#define PLACES 24

/*  Arguments that a picture takes, at most. */
static size_t
arguments_of (const char *picture)
{
    size_t count = 0;
    for (const char *at = picture; *at; at++)
        count += strchr ("yO", *at) ? 2 : strchr ("sbiIUfA%", *at) ? 1 : 0;
    return count;
}

/*  Every argument of unpack is a pointer, so one list serves any picture: of
    places that hold a short text, to be a key, and room for whatever is given out. */
static void
unpack_any (const char *picture, const uint8_t *bytes, size_t size)
{
    static const char *const keys [PLACES] = { "", "a", "k", "b", "k", "c", "loss", "x" };
    if (arguments_of (picture) > PLACES || scan_data (bytes, size, &(scan_limits_t) { .depth = 64 }))
        return;
    char *places = calloc (PLACES, ROOM);
    require (places, "no memory");
    for (size_t place = 0; place < PLACES; place++)
        strcpy (places + place * ROOM, keys [place] ? keys [place] : "k");
    muster_message_t message = { .data = bytes, .size = size };
#define P(n) (void *) (places + ROOM * (n))
    muster_error_t error = muster_message_unpack (&message, picture,
        P (0), P (1), P (2), P (3), P (4), P (5), P (6), P (7), P (8), P (9), P (10), P (11),
        P (12), P (13), P (14), P (15), P (16), P (17), P (18), P (19), P (20), P (21), P (22), P (23));
#undef P
    require ((error == MUSTER_INVAL) == !syntax_valid (picture, true), "syntax and unpack differ");
    require (error == MUSTER_OK || error == MUSTER_INVAL || error == MUSTER_TYPE || error == MUSTER_NOTFOUND,
        "an error that unpack has not");
    message_return_loans (&message);
    free (places);
}

static muster_error_t
pack (muster_writer_t *writer, const char *picture, ...)
{
    va_list arguments;
    va_start (arguments, picture);
    muster_error_t error = picture_pack (writer, picture, arguments);
    va_end (arguments);
    return error;
}

/*  What is packed comes out again, and the scan lets it pass. */
static void
pack_values (const uint8_t *bytes, size_t size)
{
    int64_t number = 0;
    double real = 0;
    memcpy (&number, bytes, size < sizeof number ? size : sizeof number);
    memcpy (&real, &number, sizeof real);
    muster_writer_t *writer = muster_writer_new ();
    require (writer, "no memory");
    muster_error_t error = pack (writer, "{s:s%, s:[I{s:U}], s:f, s:y, s:b}", "text", bytes, size, "list", number,
        "u", (uint64_t) number, "real", real, "bin", bytes, size, "bool", (int) number);
    const void *packed;
    size_t packed_size;
    require (muster_writer_bytes (writer, &packed, &packed_size) == MUSTER_OK, "writer has an error");
    require ((error == MUSTER_OK && packed_size > 0) || (error == MUSTER_INVAL && packed_size == 0), "half a map");
    if (!error) {
        const char *text;
        size_t text_size;
        int64_t same;
        muster_message_t message = { .data = packed, .size = packed_size };
        require (scan_data (packed, packed_size, &(scan_limits_t) { .depth = 64 }) == MUSTER_REFUSAL_NONE, "refused");
        error = muster_message_unpack (&message, "{s:s%, s:[I]}", "text", &text, &text_size, "list", &same);
        require (error == MUSTER_OK && text_size == size && memcmp (text, bytes, size) == 0 && same == number,
            "other values came out");
        message_return_loans (&message);
    }
    muster_writer_destroy (&writer);
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    const uint8_t *end = memchr (bytes, 0, size);
    if (size == 0 || !end)
        return 0;
    size_t rest = size - (size_t) (end + 1 - bytes);
    unpack_any ((const char *) bytes, end + 1, rest);
    pack_values (end + 1, rest);
    return 0;
}
