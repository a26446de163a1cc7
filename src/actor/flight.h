/*  flight.h - sending a session's frames, and knowing how many are under way

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A frame is under way from zmq_msg_send until ZeroMQ's I/O thread has passed
    its bytes to the kernel. A batch is what fills meanwhile, and no more than
    a few frames are put before what is sent next.
*/
#ifndef ACTOR_FLIGHT_H_INCLUDED
#define ACTOR_FLIGHT_H_INCLUDED

#include <stdatomic.h>
#include <stdbool.h>

#include <muster/data.h>

#include "actor/wake.h"
#include "model/outbox.h"
#include "model/protocol.h"

typedef struct {
    atomic_uint owners;     /* the sender, and each frame under way */
    atomic_int frames;      /* under way */
    atomic_int waiting;     /* the sender has more for when no more than these are; less than 0: it has not */
    wake_t *wake;
} flight_t;

flight_t *flight_new (wake_t *wake);
void flight_release (flight_t **self_p);

/*  Frames under way. */
int flight_count (const flight_t *self);

/*  Have the actor called when no more than so many frames are under way. Returns
    false if that is so already: nobody would call. */
bool flight_await (flight_t *self, int frames);

/*  Who a ROUTER sends to; NULL for a PUSH or DEALER. */
typedef struct {
    uint8_t bytes [255];
    uint8_t size;
} route_t;

typedef enum { FLIGHT_SENT, FLIGHT_FULL, FLIGHT_FAILED } flight_result_t;

/*  Send a piece with its frame's header; takes over the piece's blob whatever
    comes of it. Never waits. FULL and FAILED: it was not sent. */
flight_result_t flight_send (
    flight_t *self, void *socket, const route_t *route, const frame_t *frame, outbox_piece_t *piece);

/*  Send a frame that lies in a blob, which others may share. */
flight_result_t flight_send_blob (flight_t *self, void *socket, const route_t *route, blob_t *blob, size_t size);

/*  Send a control frame, packed by means of writer. */
flight_result_t flight_send_control (
    void *socket, const route_t *route, const frame_t *frame, muster_writer_t *writer);

#endif
