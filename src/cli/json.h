/*  json.h - JSON to and from the data of messages

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    What JSON has no form for stands in objects of one key: binary is {"$bin":
    base64}, an ext value {"$ext": [type, base64]}, what is no finite number
    {"$float": "nan"}, "inf" or "-inf", and a map that has a key which starts
    with "$" is {"$map": {...}}. All others are as they look; a number with a
    point or an exponent is a float, any other an integer from -2^63 to 2^64 - 1.
*/
#ifndef CLI_JSON_H_INCLUDED
#define CLI_JSON_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <muster/data.h>
#include <muster/message.h>

/*  Room for what json_read says. */
#define JSON_PROBLEM_ROOM 256

/*  Write {"source":...,"cmd":...,"data":...} and a newline. Errors: MUSTER_SYSTEM
    if the stream fails (it is not flushed), MUSTER_FORMAT. */
muster_error_t json_write_message (FILE *out, const muster_message_t *message);

/*  Write one packed value. Errors as above. */
muster_error_t json_write_data (FILE *out, const void *bytes, size_t size);

/*  Append the map that is written in text, which a NUL follows. False if it is
    none that a message can have: problem (JSON_PROBLEM_ROOM bytes) says why, and the writer's
    content is undefined. */
bool json_read (muster_writer_t *writer, const char *text, size_t size, char *problem);

#endif
