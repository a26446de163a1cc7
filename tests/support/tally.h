/*  tally.h - a handler for many messages: counts them, and sees that each source's are in order

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef SUPPORT_TALLY_H_INCLUDED
#define SUPPORT_TALLY_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <muster/muster.h>

typedef struct tally tally_t;

tally_t *tally_new (void);
void tally_destroy (tally_t **self_p);

/*  A handler whose arg is a tally. data {"n": ...} of each source must count up from 0. */
int tally_handler (const muster_message_t *message, void *tally);

/*  Wait until count messages were seen, in all; false when patience ends first. */
bool tally_wait (tally_t *self, size_t count);
size_t tally_count (tally_t *self);
/*  Messages that were not the next of their source. */
size_t tally_wrong (tally_t *self);
/*  Messages that were marked late. */
size_t tally_late (tally_t *self);

#endif
