/*  version.h - the version of the library

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef MUSTER_VERSION_H_INCLUDED
#define MUSTER_VERSION_H_INCLUDED

#include "export.h"

/*  The version of these headers. */
#define MUSTER_VERSION_MAJOR 0
#define MUSTER_VERSION_MINOR 1
#define MUSTER_VERSION_PATCH 0

/*  The number in the shared library's name, libmuster.so.1: it rises when a program linked to the
    one before would no longer run. */
#define MUSTER_ABI 1

MUSTER_BEGIN_DECLS

/*  The version of the library that runs, "0.1.0". A static string. Any thread. */
MUSTER_EXPORT const char *muster_version (void);

MUSTER_END_DECLS

#endif
