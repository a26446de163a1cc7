/*  replay.c - muster replay

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <muster/worker.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/contact.h"
#include "cli/recording.h"
#include "cli/say.h"
#include "cli/welcome.h"

static const char help [] =
    "usage: muster replay FILE ENDPOINT [--speed X] [--key K.key --server L.pub]\n"
    "\n"
    "Send the messages that muster listen recorded in FILE to the listener at\n"
    "ENDPOINT, at the pace at which they came: one worker for each source, whose messages\n"
    "keep their order. Ends with 0 only when all are handled. Nothing is sent of a file\n"
    "that is no recording; one that was cut off is played up to there.\n"
    "\n"
    "  --speed X      X times as fast; 0: as fast as it goes\n"
    "  --key K.key    the key of all these workers, made by muster keygen and enrolled for\n"
    "                 each source where the listener is (muster enrol)\n"
    "  --server L.pub the listener's public key\n";

/*  Each source is a worker with a thread of its own. */
#define SOURCES_MOST 1000

#define SPEED_MOST 1e6

/*  Nobody waits longer for one message: about 30 years. */
#define WAIT_MOST 1e9

typedef struct {
    char source [RECORDING_NAME_MAX + 1];
    muster_worker_t *worker;
} player_t;

typedef struct {
    const char *path;
    contact_t contact;
    double speed;
    const void *bytes;
    size_t size;
    uint64_t records;
    uint64_t first_time;
    void *index;                /* the players by source (tsearch) */
    player_t *players [SOURCES_MOST];
    size_t count;
    struct timespec began;
} replay_t;

/*  --------------------------------------------------------------------------
    The file */

/*  Mapped memory that the file does not reach any more. */
static void
end_shortened (int number)
{
    static const char text [] = "muster: the recording became shorter while it was played\n";
    (void) number;
    ssize_t written = write (STDERR_FILENO, text, sizeof text - 1);
    (void) written;
    _exit (EXIT_FAILED);
}

/*  It stays mapped until the process ends. */
static bool
map_file (replay_t *self)
{
    struct stat status;
    /*  Who opens a pipe would wait for its other end. */
    int file = open (self->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    bool known = file >= 0 && fstat (file, &status) == 0;
    bool regular = known && S_ISREG (status.st_mode);
    if (regular && status.st_size > 0) {
        void *bytes = mmap (NULL, (size_t) status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        known = bytes != MAP_FAILED;
        signal (SIGBUS, end_shortened);
        self->bytes = bytes;
        self->size = (size_t) status.st_size;
    }
    if (!known)
        say ("%s: %s", self->path, strerror (errno));
    else
    if (!regular)
        say ("%s: no regular file", self->path);
    if (file >= 0)
        close (file);
    return known && regular;
}

static int
compare (const void *one, const void *other)
{
    return strcmp (((const player_t *) one)->source, ((const player_t *) other)->source);
}

static player_t *
find_player (const replay_t *self, const char *source)
{
    player_t key;
    snprintf (key.source, sizeof key.source, "%s", source);
    player_t **found = tfind (&key, &self->index, compare);
    return found ? *found : NULL;
}

static bool
add_player (replay_t *self, const char *source)
{
    if (self->count == SOURCES_MOST) {
        say ("%s: more than %d sources", self->path, SOURCES_MOST);
        return false;
    }
    player_t *player = calloc (1, sizeof *player);
    if (player) {
        snprintf (player->source, sizeof player->source, "%s", source);
        player->worker = muster_worker_new (self->contact.endpoint, source);
    }
    if (!player || !player->worker || !tsearch (player, &self->index, compare)) {
        say ("out of memory");
        if (player)
            muster_worker_destroy (&player->worker);
        free (player);
        return false;
    }
    self->players [self->count++] = player;
    return true;
}

static bool
note_record (replay_t *self, const record_t *record)
{
    if (self->records++ == 0)
        self->first_time = record->time;
    return find_player (self, record->source) || add_player (self, record->source);
}

/*  Go through the whole file before anything of it is sent. */
static bool
scan (replay_t *self)
{
    recording_t recording;
    record_t record;
    recording_result_t result = recording_begin (&recording, self->bytes, self->size);
    if (result != RECORDING_RECORD) {
        say ("%s: no recording of muster listen", self->path);
        return false;
    }
    while ((result = recording_next (&recording, &record)) == RECORDING_RECORD)
        if (!note_record (self, &record))
            return false;
    if (result == RECORDING_BROKEN)
        say ("%s: byte %zu: no message of a recording", self->path, recording.next);
    if (result == RECORDING_CUT)
        say ("%s: cut off after %" PRIu64 " messages", self->path, self->records);
    return result != RECORDING_BROKEN;
}

/*  --------------------------------------------------------------------------
    Playing */

static bool
complain (const replay_t *self, const player_t *player, muster_error_t error, uint64_t unconfirmed)
{
    const char *why = muster_worker_reason (player->worker);
    char count [40] = "";
    if (unconfirmed > 0)
        snprintf (count, sizeof count, "%" PRIu64 " not handled: ", unconfirmed);
    say ("%s: %s: %s%s%s%s", self->contact.endpoint, player->source, count, muster_error_text (error), *why ? ", " : "", why);
    return false;
}

static bool
start_players (const replay_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        muster_worker_t *worker = self->players [i]->worker;
        muster_worker_set_drain (worker, 0);
        muster_worker_set_key (worker, self->contact.key);
        muster_worker_set_server (worker, self->contact.server);
        if (muster_worker_start (worker)) {
            say ("%s", muster_worker_reason (worker));
            return false;
        }
    }
    return true;
}

/*  The pace is kept from the first message on, so that a late one delays none after it. */
static void
wait_for_turn (const replay_t *self, uint64_t time)
{
    struct timespec when = self->began;
    if (self->speed <= 0)
        return;
    double seconds = (double) (time - self->first_time) / 1e6 / self->speed;
    if (seconds > WAIT_MOST)
        seconds = WAIT_MOST;
    when.tv_sec += (time_t) seconds;
    when.tv_nsec += (long) ((seconds - (double) (time_t) seconds) * 1e9);
    if (when.tv_nsec >= 1000000000) {
        when.tv_sec++;
        when.tv_nsec -= 1000000000;
    }
    while (clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
        continue;
}

/*  What the listener asks of a worker that is no more is not answered. */
static void
drop_commands (const player_t *player)
{
    muster_message_t *command;
    while (muster_worker_recv (player->worker, &command, 0) == MUSTER_OK)
        muster_message_done (&command, 0);
}

/*  All go to one listener: who hears of the first hears of it. What is sent before there is
    one would lose its pace. */
static void
wait_for_listener (const replay_t *self)
{
    if (self->count > 0)
        welcome_await (self->players [0]->worker, &self->contact, NULL);
}

static bool
play (replay_t *self)
{
    recording_t recording;
    record_t record;
    wait_for_listener (self);
    clock_gettime (CLOCK_MONOTONIC, &self->began);
    (void) recording_begin (&recording, self->bytes, self->size);
    for (uint64_t left = self->records; left > 0; left--) {
        if (recording_next (&recording, &record) != RECORDING_RECORD) {
            say ("%s: changed meanwhile", self->path);
            return false;
        }
        const player_t *player = find_player (self, record.source);
        wait_for_turn (self, record.time);
        muster_error_t error = player
            ? muster_worker_send_raw (player->worker, record.cmd, record.data, record.size) : MUSTER_INVAL;
        if (error && player)
            say ("%s: byte %zu: not sent", self->path, recording.next - record.size);
        if (error)
            return player && complain (self, player, error, 0);
        drop_commands (player);
    }
    return true;
}

static bool
end_player (const replay_t *self, const player_t *player)
{
    uint64_t unconfirmed;
    muster_error_t error = muster_worker_flush (player->worker, -1);
    muster_error_t close_error = muster_worker_close (player->worker, &unconfirmed);
    if (!error)
        error = close_error;
    return !error || complain (self, player, error, unconfirmed);
}

static bool
end_players (const replay_t *self)
{
    bool handled = true;
    for (size_t i = 0; i < self->count; i++)
        handled = end_player (self, self->players [i]) && handled;
    return handled;
}

static void
destroy_players (replay_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        tdelete (self->players [i], &self->index, compare);
        muster_worker_destroy (&self->players [i]->worker);
        free (self->players [i]);
    }
}

static int
run (replay_t *self)
{
    bool done = map_file (self) && scan (self) && start_players (self) && play (self) && end_players (self);
    if (done)
        say ("handled=%" PRIu64 " workers=%zu", self->records, self->count);
    destroy_players (self);
    return done ? EXIT_DONE : EXIT_FAILED;
}

/*  --------------------------------------------------------------------------
    Options */

enum { OPTION_SPEED = 1 };

static const struct option options_known [] = {
    { "speed", required_argument, NULL, OPTION_SPEED },
    CONTACT_KEYS_OPTIONS,
    OPTIONS_END,
};

static bool
take_speed (replay_t *self)
{
    char *end = NULL;
    bool number = strchr (".0123456789", *optarg) && *optarg;
    self->speed = number ? strtod (optarg, &end) : 0;
    return (number && !*end && self->speed >= 0 && self->speed <= SPEED_MOST)
        || say_wrong ("replay", "--speed needs a number, 0 or more");
}

static bool
take_option (void *target, int option)
{
    replay_t *self = target;
    return option == OPTION_SPEED ? take_speed (self) : contact_take (&self->contact, "replay", option);
}

static int
take_arguments (replay_t *self, int argc, char **argv)
{
    if (optind == argc)
        return say_usage ("replay", "FILE is missing: give a recording of muster listen, then an endpoint");
    if (!options_file ("replay", "FILE", argv [optind++], &self->path))
        return EXIT_USAGE;
    return contact_take_last (&self->contact, "replay", argc, argv) ? EXIT_DONE : EXIT_USAGE;
}

int
replay_command (int argc, char **argv)
{
    static const options_t options = {
        .command = "replay", .help = help, .known = options_known, .take = take_option };
    replay_t self = { .speed = 1 };
    int code;
    if (!options_read (&options, argc, argv, &self, &code))
        return code;
    code = take_arguments (&self, argc, argv);
    return code == EXIT_DONE ? run (&self) : code;
}
