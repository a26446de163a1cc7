/*  place.h - a directory of a test's own

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    All of these end the test if they fail.
*/
#ifndef PLACE_H_INCLUDED
#define PLACE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*  Make a directory, and make it the working directory. */
void place_enter (void);

/*  Remove it and what is in it. */
void place_leave (void);

void place_write (const char *name, const void *bytes, size_t size, mode_t mode);
void place_write_text (const char *name, const char *text, mode_t mode);

/*  The bytes of a file, terminated; the caller frees them. */
char *place_read (const char *name);

bool place_has (const char *name);
mode_t place_mode (const char *name);

/*  Names in the directory, those that begin with a dot as well. */
size_t place_count (void);

/*  Go on as a user who may read and write nothing that is root's; in the directory all is theirs. */
void place_become_nobody (void);

#endif
