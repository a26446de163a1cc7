/*  allowfile.h - an allow file, while it is changed

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    One process at a time changes the allow files of a directory. Whoever reads such a
    file finds it whole, as it was or as it is to be.
*/
#ifndef NET_ALLOWFILE_H_INCLUDED
#define NET_ALLOWFILE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include <muster/error.h>

#include "net/file.h"

typedef struct allowfile allowfile_t;

/*  Lock the file at path, or the one that a symbolic link there stands for, and read it.
    One that is missing is empty. Errors, with reason (REASON_ROOM bytes): MUSTER_BUSY if
    others keep it locked for ten seconds, MUSTER_NOTFOUND if there is no directory for it,
    and those of keyfile_load_allow but for what is in it. */
muster_error_t allowfile_open (allowfile_t **self_p, const char *path, char *reason);

/*  What was in it, not terminated. */
const char *allowfile_text (const allowfile_t *self, size_t *size);

/*  Is there such a file? */
bool allowfile_exists (const allowfile_t *self);

/*  Put a file with this text in its place, at once and on the disk, with its mode, and its
    owner if we may. Errors, with reason: MUSTER_ACCESS, MUSTER_RESOURCE, MUSTER_SYSTEM;
    the file is as it was. */
muster_error_t allowfile_replace (allowfile_t *self, const char *text, size_t size, char *reason);

/*  Unlock it. NULL is harmless. */
void allowfile_close (allowfile_t **self_p);

#endif
