/*  fuzz_certificate.c - any text of a key file

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "model/certificate.h"
#include "model/endpoint.h"

static void
require (bool holds, const char *what)
{
    if (!holds) {
        fprintf (stderr, "fuzz_certificate: %s\n", what);
        abort ();
    }
}

static bool
is_key (const char *key)
{
    return z85_is_key (key, strnlen (key, Z85_KEY + 1));
}

/*  What is written is read again; the public file has no secret. */
static void
check_written (const certificate_t *keys)
{
    char text [CERTIFICATE_ROOM];
    char reason [REASON_ROOM];
    certificate_t again;
    size_t size = certificate_write_public (keys, text);
    require (size <= sizeof text, "no room for a public file");
    require (certificate_read (&again, text, size, reason) == 0, "a public file cannot be read");
    require (strcmp (again.public_key, keys->public_key) == 0 && !*again.secret_key, "other keys in a public file");
    if (!*keys->secret_key)
        return;
    size = certificate_write_secret (keys, text);
    require (size <= sizeof text, "no room for a secret file");
    require (certificate_read (&again, text, size, reason) == 0, "a secret file cannot be read");
    require (memcmp (&again, keys, sizeof again) == 0, "other keys in a secret file");
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    static const certificate_t nothing;
    certificate_t keys;
    char reason [REASON_ROOM] = "";
    memset (&keys, 'x', sizeof keys);
    muster_error_t error = certificate_read (&keys, (const char *) bytes, size, reason);
    require (error == 0 || error == MUSTER_FORMAT, "an error that reading has not");
    require (!error == !*reason, "a reason and no error, or an error and none");
    if (error) {
        require (memcmp (&keys, &nothing, sizeof keys) == 0, "keys are left after an error");
        return 0;
    }
    require (is_key (keys.public_key), "a public key that is none");
    require (!*keys.secret_key || is_key (keys.secret_key), "a secret key that is none");
    check_written (&keys);
    return 0;
}
