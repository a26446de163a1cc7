/*  feed.h - the messages that send is to send

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_FEED_H_INCLUDED
#define CLI_FEED_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include <muster/data.h>

/*  Where they go: sends one map; reason says more about an error. */
typedef struct {
    muster_error_t (*send) (void *target, const void *bytes, size_t size);
    const char *(*reason) (void *target);
    void *target;
} feed_t;

/*  Send the map that data holds; NULL: one for each line of stdin, blank lines
    left out. False if something went wrong, which was said; what came before
    it was sent. */
bool feed_run (const feed_t *feed, const muster_writer_t *data);

#endif
