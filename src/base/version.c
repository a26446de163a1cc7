/*  version.c - the version of the library

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/version.h>

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF (number)

const char *
muster_version (void)
{
    return TEXT (MUSTER_VERSION_MAJOR) "." TEXT (MUSTER_VERSION_MINOR) "." TEXT (MUSTER_VERSION_PATCH);
}
