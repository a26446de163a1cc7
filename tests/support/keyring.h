/*  keyring.h - keys and an allow file in a directory of a test's own

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    What cannot fail in a test that is right ends the test.
*/
#ifndef SUPPORT_KEYRING_H_INCLUDED
#define SUPPORT_KEYRING_H_INCLUDED

#include <muster/muster.h>

typedef struct {
    char directory [256];
} keyring_t;

/*  A directory with the listener's keys, "listener", and nobody enrolled. */
keyring_t keyring_open (void);

/*  Remove it with all that is in it. */
void keyring_close (keyring_t *self);

/*  The path of a file in it, in one of a few static buffers. */
const char *keyring_file (const keyring_t *self, const char *name, const char *ending);

/*  Make a pair of keys; enrol it for a source. */
void keyring_make (const keyring_t *self, const char *name);
void keyring_enrol (const keyring_t *self, const char *name, const char *source);
void keyring_enrol_observer (const keyring_t *self, const char *name);
void keyring_revoke (const keyring_t *self, const char *name);

/*  Both at once: a key that may use the source of the same name. */
void keyring_admit (const keyring_t *self, const char *name);

/*  Give a listener its keys and the allow file; a worker a key, and the listener's. */
void keyring_arm_listener (const keyring_t *self, muster_listener_t *listener);
void keyring_arm_worker (const keyring_t *self, muster_worker_t *worker, const char *name);

/*  Write text into a file of it; the allow file is "allow", without an ending. */
void keyring_write (const keyring_t *self, const char *name, const char *ending, const char *text);

/*  The key of a kind ("public-key", "secret-key") in a file; key has room for 41 bytes. */
void keyring_read (const keyring_t *self, const char *name, const char *ending, const char *kind, char *key);

#endif
