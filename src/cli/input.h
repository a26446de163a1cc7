/*  input.h - lines of stdin, and not waiting for them for ever

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_INPUT_H_INCLUDED
#define CLI_INPUT_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

/*  All zeroes at first. */
typedef struct {
    char *text;
    size_t room;
    size_t from;        /* where what is not taken yet begins */
    size_t to;          /* where what was read ends */
    bool ended;
} input_t;

typedef enum {
    INPUT_LINE,
    INPUT_END,
    INPUT_BROKEN,       /* errno says why */
    INPUT_OVER          /* is_over did */
} input_result_t;

/*  Take the next line, without its newline; a NUL follows it. It lasts until the next
    call. While there is none is_over is asked, ten times a second. */
input_result_t input_line (input_t *self, bool (*is_over) (void *argument), void *argument,
    const char **line, size_t *size);

void input_free (input_t *self);

#endif
