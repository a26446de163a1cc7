/*  curve.h - making and checking CURVE keys

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef NET_CURVE_H_INCLUDED
#define NET_CURVE_H_INCLUDED

#include <muster/error.h>

#include "model/certificate.h"

/*  Make a pair of keys, which the caller wipes. Errors: MUSTER_SYSTEM where ZeroMQ was
    built without CURVE. */
muster_error_t curve_generate (certificate_t *keys);

/*  Does the public key belong to the secret one? Errors: MUSTER_FORMAT if not;
    MUSTER_SYSTEM where ZeroMQ was built without CURVE. */
muster_error_t curve_check (const certificate_t *keys);

#endif
