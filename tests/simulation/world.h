/*  world.h - a listener, workers and a network in simulated time, from one seed

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The sessions, credit and the judgement of hellos are the library's; what is
    here stands for sockets, threads, handlers and the clock. Everything that is
    left to chance comes from the seed: the same seed is the same schedule.
*/
#ifndef SIMULATION_WORLD_H_INCLUDED
#define SIMULATION_WORLD_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "model/ended.h"
#include "model/session.h"

#define WORKERS_MOST 4
#define CONNECTIONS 4       /* of one worker: the newest and those whose frames are still under way */
#define QUEUE_MOST 64       /* frames on one way */
#define MESSAGES_MOST 160   /* of one session */
#define STORIES_MOST 64     /* sessions in a schedule */
#define PEERS_MOST 64
#define INBOX_MOST 2048
#define COMMANDS_MOST 8192
#define NEVER INT64_MAX

typedef struct world world_t;
typedef struct worker worker_t;
typedef struct peer peer_t;

/*  --------------------------------------------------------------------------
    The network */

typedef enum { WAY_DATA, WAY_UP, WAY_DOWN, WAYS } way_t;

typedef struct {
    frame_t frame;
    blob_t *blob;           /* owns the body's bytes; NULL for a control frame */
    const uint8_t *body;
    size_t size;
    int64_t at;             /* when it arrives */
} packet_t;

typedef struct {
    packet_t packets [QUEUE_MOST];
    unsigned first, count;
    bool hole;              /* what comes is swallowed */
    bool closed;            /* nothing goes in any more */
} queue_t;

typedef struct {
    worker_t *worker;
    int story;
    uint32_t epoch;
    bool used;
    int64_t up_at;          /* when its worker knows that it is connected */
    int64_t down_at;        /* or that it is not */
    queue_t ways [WAYS];
} connection_t;

/*  What becomes of a worker's connections, those to come as well. */
typedef enum {
    LINK_UP, LINK_REFUSES, LINK_HOLE, LINK_HOLE_DATA, LINK_HOLE_UP, LINK_HOLE_DOWN, LINK_STALLS, LINK_STATES
} link_state_t;

/*  --------------------------------------------------------------------------
    What happened to the messages of one session */

typedef struct {
    int source;
    uint32_t accepted;
    uint8_t handled [MESSAGES_MOST + 1];    /* how often, by position */
    bool refused [MESSAGES_MOST + 1];
    uint64_t farthest;      /* the last position handled or refused */
    uint64_t confirmed;     /* the last one that its worker was told of */
    bool repeats;           /* a listener died, or forgot it */
    bool contested;         /* another session has had its source */
    bool over;              /* it was ended for good, */
    int64_t over_at;        /* then, and is remembered for the retention */
} story_t;

/*  --------------------------------------------------------------------------
    The listener */

struct peer {
    session_t session;
    connection_t *route;
    bool used, present, forgotten;
    int story;
    unsigned generation;    /* unique in the world */
    uint64_t next;          /* position that is handled next */
    unsigned pending;       /* messages in the inbox */
    int64_t absent_since;
    uint32_t commands;      /* accepted */
};

typedef struct {
    peer_t *peer;
    uint64_t position;
    size_t size;
    bool refused;
} entry_t;

typedef enum { LISTENER_UP, LISTENER_DRAINS, LISTENER_PARTS, LISTENER_STOPPED, LISTENER_DEAD } listener_state_t;

typedef struct {
    listener_state_t state;
    int64_t until;          /* of the state */
    session_id_t id;
    credit_t credit;
    ended_t ended;
    peer_t peers [PEERS_MOST];
    int places;             /* the first of these: in use, or were */
    entry_t inbox [INBOX_MOST];
    unsigned first, count;
    int64_t held_until;     /* until then messages are not read: there is no room elsewhere */
    bool handling;          /* the first of the inbox is at its handler */
    int64_t handled_at;
    unsigned youngest [WORKERS_MOST];   /* generation handled last, by source */
} listener_t;

/*  --------------------------------------------------------------------------
    A worker */

typedef struct {
    size_t size;
    uint32_t stream;
    int64_t done_at;
} command_t;

struct worker {
    int index;
    int source;             /* of story_t; two workers may have the same */
    bool alive;
    session_t session;
    credit_t credit;
    int story;
    connection_t connections [CONNECTIONS];
    connection_t *connection;
    link_state_t link;
    int64_t link_until;
    uint32_t to_send;
    int64_t send_at;
    int64_t resend_at;      /* what the network did not take is tried again */
    int64_t born_at;        /* when it starts (again) */
    uint64_t flushing;      /* position waited for */
    bool waits;             /* its user, for room or for a flush */
    uint64_t moved;         /* session_progress, when its user looked last, */
    int64_t moved_at;       /* and since when nothing has moved that has to */
    unsigned window;        /* frames under way at most */
    command_t commands [COMMANDS_MOST];
    unsigned first, count;
    uint64_t held;          /* bytes of these */
    int64_t read_at;        /* when the last of these will be */
    uint64_t command_next;
    bool met_another;
    bool leaving;
};

/*  --------------------------------------------------------------------------
    The world */

typedef struct {
    int workers;
    unsigned faults;        /* chance of one, in a thousand, each time something happens */
    unsigned drops;         /* frames lost or doubled inside a connection, in ten thousand */
    int64_t latency;        /* ms, most */
    int64_t handler;        /* ms, most; now and then much more */
    int64_t handler_rare;
    int64_t reader;         /* of commands: ms, most */
    session_limits_t limits;
    uint64_t budget, floor, send_buffer, command_buffer;
    size_t size;            /* of messages, most */
    size_t chunk;
    int64_t retention;
    bool crashes, stops, takeovers, poison, over_limit, holds;
} plan_t;

/*  Has it no room for the floors of all workers? */
bool plan_is_tight (const plan_t *self);

struct world {
    uint64_t seed, random;
    int64_t now;
    int64_t calm_at;        /* no faults from then on */
    int64_t give_up_at;
    bool calm;
    bool trace;
    bool failed;
    char why [256];
    plan_t plan;
    listener_t listener;
    worker_t workers [WORKERS_MOST];
    story_t stories [STORIES_MOST];
    int story_count;
    unsigned generations;
    uint32_t lost, resumed, replaced, gaps, doubled;
};

/*  --------------------------------------------------------------------------
    Chance; the end of a schedule */

uint64_t world_below (world_t *self, uint64_t most);
int64_t world_between (world_t *self, int64_t least, int64_t most);
bool world_chance (world_t *self, unsigned of_thousand);

/*  The time in microseconds. */
uint64_t world_us (const world_t *self);

void world_fail (world_t *self, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
void world_tell (const world_t *self, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

#define HOLD(world, condition, ...) \
    do { \
        if (!(condition)) \
            world_fail (world, __VA_ARGS__); \
    } while (0)

/*  Run the schedule of a seed; false if a promise was broken: why says which. */
bool world_run (world_t *self, uint64_t seed, bool trace);

/*  --------------------------------------------------------------------------
    network.c */

connection_t *network_open (world_t *self, worker_t *worker, uint32_t epoch);
/*  The worker closes it: what is under way may arrive or not. */
void network_close (world_t *self, connection_t *connection);
bool network_has_room (const connection_t *connection, way_t way, unsigned window);
bool network_is_idle (const connection_t *connection, way_t way);
/*  False if it takes no more at the moment. Takes the piece's blob. */
bool network_send (world_t *self, connection_t *connection, way_t way, const frame_t *frame, outbox_piece_t *piece);
void network_deliver (world_t *self);
void network_fault (world_t *self, worker_t *worker);
void network_heal (world_t *self, worker_t *worker);
/*  All connections of all workers break: the listener has gone. */
void network_break_all (world_t *self);
int64_t network_deadline (const world_t *self);
void network_clear (world_t *self);

/*  --------------------------------------------------------------------------
    listener.c, worker.c: the two sides */

void listener_start (world_t *self);
void listener_crash (world_t *self);
void listener_stop (world_t *self);
void listener_take (world_t *self, connection_t *connection, way_t way, const packet_t *packet);
void listener_work (world_t *self);
void listener_check (world_t *self);
void listener_hold (world_t *self);
/*  Has it places for newcomers, while replaced ones wait for their handler? */
bool listener_has_places (const world_t *self);
void listener_command (world_t *self, int source);
/*  Has this worker commands to come, or to handle? */
bool listener_commands (world_t *self, const worker_t *worker);
int64_t listener_deadline (const world_t *self);
void listener_clear (world_t *self);

void worker_begin (world_t *self, worker_t *worker);
void worker_die (world_t *self, worker_t *worker);
void worker_take (world_t *self, worker_t *worker, const connection_t *connection, const packet_t *packet);
void worker_work (world_t *self, worker_t *worker);
void worker_check (world_t *self, worker_t *worker);
int64_t worker_deadline (const world_t *self, const worker_t *worker);
/*  It has said goodbye, or was ended. */
bool worker_is_over (const worker_t *worker);

/*  --------------------------------------------------------------------------
    story.c: what is promised of each message */

int story_begin (world_t *self, int source);
void story_handled (world_t *self, peer_t *peer, uint64_t position, bool refused);
/*  A worker was told that everything up to a position is handled: that is final. */
void story_reported (world_t *self, int story, uint64_t position);
/*  How many of its messages were refused. */
uint64_t story_refused (const world_t *self, int story);
/*  Promise 7: what is over for good does not return while that is remembered. */
void story_over (world_t *self, int story);
void story_returns (world_t *self, int story);
void story_end (world_t *self);

/*  Messages: their size and number, then filler. */
#define MESSAGE_LEAST 16
void message_write (uint8_t *bytes, size_t size, uint64_t number, bool poison);
bool message_read (const uint8_t *bytes, size_t left, size_t *size, uint64_t *number, bool *poison);

#endif
