/*  producer.h - a plain producer: a bare ZeroMQ PUSH socket

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef SUPPORT_PRODUCER_H_INCLUDED
#define SUPPORT_PRODUCER_H_INCLUDED

#include <stddef.h>

typedef struct producer producer_t;

producer_t *producer_new (const char *endpoint);
/*  Waits until everything is on its way. */
void producer_destroy (producer_t **self_p);

/*  Send bytes as one frame; more: another frame of the same message follows. */
void producer_send (producer_t *self, const void *bytes, size_t size);
void producer_send_more (producer_t *self, const void *bytes, size_t size);

/*  Send [source, cmd, {"n": number}]. */
void producer_send_number (producer_t *self, const char *source, const char *cmd, int number);

#endif
