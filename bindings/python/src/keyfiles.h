/*  keyfiles.h - making keys, and saying whose may do what

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef KEYFILES_H_INCLUDED
#define KEYFILES_H_INCLUDED

#include "core.h"

/*  Put generate_keys, enrol_key and revoke_key, which muster.keys builds on, into module. */
int keyfiles_init (PyObject *module);

#endif
