/*  flight.c - sending a session's frames, and knowing how many are under way

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/flight.h"

#include <errno.h>
#include <string.h>

#include <zmq.h>

#include "base/alloc.h"
#include "base/handover.h"
#include "wire/frame.h"

/*  What a frame under way holds. */
typedef struct {
    blob_t *blob;
    flight_t *flight;
} cargo_t;

flight_t *
flight_new (wake_t *wake)
{
    flight_t *self = alloc_zero (sizeof *self);
    if (!self)
        return NULL;
    atomic_init (&self->owners, 1);
    atomic_init (&self->waiting, -1);
    self->wake = wake_share (wake);
    return self;
}

void
flight_release (flight_t **self_p)
{
    flight_t *self = *self_p;
    *self_p = NULL;
    if (self && atomic_fetch_sub (&self->owners, 1) == 1) {
        wake_release (&self->wake);
        alloc_free (self);
    }
}

int
flight_count (const flight_t *self)
{
    return atomic_load (&self->frames);
}

bool
flight_await (flight_t *self, int frames)
{
    if (atomic_load (&self->waiting) != frames)
        atomic_store (&self->waiting, frames);
    return atomic_load (&self->frames) > frames;
}

/*  Called by ZeroMQ, in any thread, when it needs the bytes no more. */
static void
land (void *data, void *hint)
{
    (void) data;
    cargo_t *cargo = hint;
    handover_take (cargo);
    flight_t *flight = cargo->flight;
    blob_release (&cargo->blob);
    alloc_free (cargo);
    int frames = atomic_fetch_sub (&flight->frames, 1) - 1;
    if (frames <= atomic_load (&flight->waiting) && atomic_exchange (&flight->waiting, -1) >= 0)
        wake_call (flight->wake);
    flight_release (&flight);
}

static cargo_t *
load (flight_t *flight, blob_t *blob)
{
    cargo_t *cargo = alloc_new (sizeof *cargo);
    if (!cargo)
        return NULL;
    atomic_fetch_add (&flight->owners, 1);
    atomic_fetch_add (&flight->frames, 1);
    *cargo = (cargo_t) { .blob = blob, .flight = flight };
    return cargo;
}

static bool
init_shared (zmq_msg_t *msg, flight_t *flight, blob_t *blob, uint8_t *bytes, size_t size)
{
    cargo_t *cargo = load (flight, blob);
    if (!cargo) {
        blob_release (&blob);
        return false;
    }
    handover_give (cargo);
    if (zmq_msg_init_data (msg, bytes, size, land, cargo)) {
        land (NULL, cargo);
        return false;
    }
    return true;
}

/*  The frame in a blob of its own: for what is sent again, in part or in pieces. */
static bool
init_copied (zmq_msg_t *msg, flight_t *flight, const frame_t *frame, const outbox_piece_t *piece)
{
    size_t header = frame_header_size (frame->kind);
    blob_t *copy = blob_new (header + piece->size);
    if (!copy)
        return false;
    frame_write_header (frame, copy->bytes);
    memcpy (copy->bytes + header, piece->body, piece->size);
    return init_shared (msg, flight, copy, copy->bytes, header + piece->size);
}

static bool
init_frame (zmq_msg_t *msg, flight_t *flight, const frame_t *frame, const outbox_piece_t *piece)
{
    if (!piece->in_place)
        return init_copied (msg, flight, frame, piece);
    size_t header = frame_header_size (frame->kind);
    uint8_t *at = (uint8_t *) piece->body - header;
    frame_write_header (frame, at);
    return init_shared (msg, flight, blob_share (piece->blob), at, header + piece->size);
}

/*  0, or why not. */
static int
try_send (void *socket, const route_t *route, zmq_msg_t *msg)
{
    int rc = 0;
    if (route)
        rc = zmq_send (socket, route->bytes, route->size, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    if (rc >= 0)
        rc = zmq_msg_send (msg, socket, ZMQ_DONTWAIT);
    return rc < 0 ? errno : 0;
}

/*  A socket hears of what its pipe has passed on about once in a millisecond, unless
    it is asked: it may be full only because it has not heard. */
static bool
is_full_indeed (void *socket)
{
    int events = 0;
    size_t size = sizeof events;
    return zmq_getsockopt (socket, ZMQ_EVENTS, &events, &size) || !(events & ZMQ_POLLOUT);
}

static flight_result_t
send_message (void *socket, const route_t *route, zmq_msg_t *msg)
{
    int error = try_send (socket, route, msg);
    if (error == EAGAIN && !is_full_indeed (socket))
        error = try_send (socket, route, msg);
    if (!error)
        return FLIGHT_SENT;
    zmq_msg_close (msg);
    return error == EAGAIN ? FLIGHT_FULL : FLIGHT_FAILED;
}

flight_result_t
flight_send (flight_t *self, void *socket, const route_t *route, const frame_t *frame, outbox_piece_t *piece)
{
    zmq_msg_t msg;
    bool done = init_frame (&msg, self, frame, piece);
    blob_release (&piece->blob);
    return done ? send_message (socket, route, &msg) : FLIGHT_FAILED;
}

flight_result_t
flight_send_blob (flight_t *self, void *socket, const route_t *route, blob_t *blob, size_t size)
{
    zmq_msg_t msg;
    bool done = init_shared (&msg, self, blob_share (blob), blob->bytes, size);
    return done ? send_message (socket, route, &msg) : FLIGHT_FAILED;
}

flight_result_t
flight_send_control (void *socket, const route_t *route, const frame_t *frame, muster_writer_t *writer)
{
    const void *bytes;
    size_t size;
    muster_writer_clear (writer);
    frame_write (frame, writer);
    if (muster_writer_bytes (writer, &bytes, &size))
        return FLIGHT_FAILED;
    zmq_msg_t msg;
    if (zmq_msg_init_size (&msg, size))
        return FLIGHT_FAILED;
    memcpy (zmq_msg_data (&msg), bytes, size);
    return send_message (socket, route, &msg);
}
