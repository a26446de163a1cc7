/*  errors.h - the library's errors as exceptions

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ERRORS_H_INCLUDED
#define ERRORS_H_INCLUDED

#include "core.h"

/*  Make muster.Error and a subclass for each error, and put them into module. */
int errors_init (PyObject *module);

/*  Set the exception of an error, unless one is set that is the reason for it
    (a call that a signal interrupted). detail (may be NULL or ""): what the object
    says of it. Returns NULL. */
PyObject *errors_raise (muster_error_t error, const char *detail);

/*  None, or the exception of error. */
PyObject *errors_none (muster_error_t error, const char *detail);

/*  The exception's class of an error; borrowed. */
PyObject *errors_class (muster_error_t error);

#endif
