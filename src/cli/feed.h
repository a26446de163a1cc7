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

/*  Where they go: sends one map; reason says more about an error; is_over, which is asked
    while stdin has no line and when one was not sent, says that none can be sent any more. */
typedef struct {
    muster_error_t (*send) (void *target, const void *bytes, size_t size);
    const char *(*reason) (void *target);
    bool (*is_over) (void *target);
    void *target;
} feed_t;

typedef enum {
    FEED_SENT,
    FEED_FAILED,    /* something went wrong, which was said */
    FEED_OVER       /* is_over did */
} feed_result_t;

/*  Send the map that data holds; NULL: one for each line of stdin, blank lines left out.
    Unless all was sent, what came before was. */
feed_result_t feed_run (const feed_t *feed, const muster_writer_t *data);

#endif
