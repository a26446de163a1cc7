/*  keys.h - making keys, and saying whose may do what

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A worker and a listener know each other by keys. Each has a pair: NAME.key is
    secret and stays where it was made, NAME.pub is given to the others. The listener
    has an allow file with a line for each worker, in the manner of ssh's authorized_keys:

        curve KEY SOURCE...     # a comment
        curve-observer KEY      # may ask what the listener counts; SOURCE... may follow

    KEY is what the worker's public file has as its public-key, and each SOURCE one that
    it may use, in double quotes if it has blanks in it. The files of keys are czmq's
    certificates. All of them can be made and changed by hand as well.

    Any thread may call these functions. When one fails, reason (reason_size bytes; NULL
    for none) has a sentence that names the file, the line and what to do.
*/
#ifndef MUSTER_KEYS_H_INCLUDED
#define MUSTER_KEYS_H_INCLUDED

#include <stddef.h>

#include "error.h"

/*  Room for any reason. */
#define MUSTER_KEYS_REASON_ROOM 768

MUSTER_BEGIN_DECLS

/*  Make a pair of keys, NAME.key (which only its owner can read) and NAME.pub. Errors:
    MUSTER_EXISTS if there is one of the files already, MUSTER_INVAL for a name that is
    none, MUSTER_NOTFOUND if there is no directory for them, MUSTER_ACCESS if it may not
    be written, MUSTER_RESOURCE, MUSTER_NOMEM, MUSTER_SYSTEM; neither file is made then. */
MUSTER_EXPORT muster_error_t muster_keys_generate (const char *name, char *reason, size_t reason_size);

/*  Allow the key in public_file the count sources, besides those that it is allowed. The
    allow file is made if it is missing, replaced in one go if not, with its comments, the
    lines of other keys and its mode as they were. Waits up to ten seconds for others who
    change it. A listener heeds the change when it reloads. Errors: MUSTER_NOTFOUND if there is no
    public_file; MUSTER_FORMAT if a file breaks a rule of its format, or public_file is a
    secret one; MUSTER_INVAL for a source that can be none, or no source; MUSTER_ACCESS
    if a file may not be read or written, or others may write the allow file; MUSTER_BUSY,
    MUSTER_RESOURCE, MUSTER_NOMEM, MUSTER_SYSTEM. */
MUSTER_EXPORT muster_error_t muster_keys_enrol (const char *allow_file, const char *public_file,
    const char *const *sources, size_t count, char *reason, size_t reason_size);

/*  Allow the key in public_file to ask what the listener counts (observe.h), besides what it is
    allowed. Errors: as for muster_keys_enrol. */
MUSTER_EXPORT muster_error_t muster_keys_enrol_observer (const char *allow_file, const char *public_file,
    char *reason, size_t reason_size);

/*  Take the key in public_file, and all that it is allowed, out of the allow file. Errors:
    MUSTER_NOTFOUND if it is not there, or one of the files is not; the rest as for
    muster_keys_enrol. */
MUSTER_EXPORT muster_error_t muster_keys_revoke (const char *allow_file, const char *public_file,
    char *reason, size_t reason_size);

MUSTER_END_DECLS

#endif
