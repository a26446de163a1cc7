/*  options.h - options of a Listener or a Worker, by name

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef OPTIONS_H_INCLUDED
#define OPTIONS_H_INCLUDED

#include <stdbool.h>

#include "core.h"

typedef enum { OPTION_BYTES, OPTION_COUNT, OPTION_SECONDS, OPTION_TEXT, OPTION_PATH, OPTION_FLAG } option_kind_t;

/*  The setter takes the object as void *; a path is set as text. */
typedef struct {
    const char *name;       /* NULL ends a list */
    option_kind_t kind;
    union {
        void (*bytes) (void *self, uint64_t value);
        void (*count) (void *self, size_t value);
        void (*seconds) (void *self, double value);
        void (*text) (void *self, const char *value);
        void (*flag) (void *self, bool value);
    } set;
} option_t;

/*  Set what the dict names; None leaves an option as it is. Exceptions: TypeError,
    ValueError, OverflowError, each with the option's name. */
int options_set (const option_t *options, void *self, PyObject *dict);

#endif
