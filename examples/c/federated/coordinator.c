/*  coordinator.c - the coordinator: asks for updates, averages them

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <math.h>
#include <muster/muster.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crew.h"
#include "digits.h"
#include "federated.h"
#include "keyring.h"
#include "model.h"

#define JOIN_MS 10000
#define POINTS_ALLOWED 3.0
#define BAR_WIDTH 40

/*  What a worker made of a round; n is 0 if it did not reply. */
typedef struct {
    model_t model;
    int n;
    double loss;
} update_t;

typedef struct {
    const options_t *options;
    muster_listener_t *listener;
    char keys [KEYRING_ROOM];
    crew_t crew;
    update_t *updates; /* one for each worker */
    digits_t training; /* for the comparison only: the model of the rounds never sees it */
    digits_t held_out;
    model_t model;
} coordinator_t;

static double
seconds_now (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/*  Keep one worker's update. */
static muster_error_t
take_update (coordinator_t *self, const muster_message_t *reply)
{
    int n;
    double loss;
    muster_array_t weights;
    muster_error_t error = muster_message_unpack (
        reply, "{s:A, s:i, s:f}", "weights", &weights, "n", &n, "loss", &loss);
    if (error)
        return error;
    size_t number = crew_find (&self->crew, muster_message_source (reply));
    if (number == self->crew.count)
        return MUSTER_NOTFOUND;
    update_t *update = self->updates + number;
    if (n < 0 || !model_from_array (&update->model, &weights))
        return MUSTER_TYPE;
    update->n = n;
    update->loss = loss;
    return MUSTER_OK;
}

/*  Take the replies as they come; the round ends with MUSTER_END. */
static muster_error_t
take_updates (coordinator_t *self, muster_ask_t *ask)
{
    muster_error_t error;
    muster_message_t *reply;
    while ((error = muster_ask_next (ask, &reply)) == MUSTER_OK) {
        muster_error_t refused = take_update (self, reply);
        if (refused)
            fprintf (stderr, "federated: no update from %s: %s\n", muster_message_source (reply),
                muster_error_text (refused));
        muster_message_done (&reply, refused != MUSTER_OK);
    }
    return error == MUSTER_END ? MUSTER_OK : error;
}

static muster_error_t
send_model (coordinator_t *self, muster_ask_t *ask, int round)
{
    muster_array_t weights = model_array (&self->model);
    muster_ask_set_timeout (ask, ROUND_SECONDS);
    muster_error_t error = muster_ask_set_workers (ask, self->crew.sources, self->crew.count);
    if (error)
        return error;
    return muster_ask_send (ask, COMMAND_TRAIN, "{s:i, s:A}", "round", round, "weights", &weights);
}

/*  The mean of the updates, weighted by the digits behind each; in the order
    of the workers, so that the order of the replies changes nothing. Sets the
    mean loss; false if there is no update. */
static bool
average (coordinator_t *self, double *loss)
{
    double all = 0;
    for (size_t i = 0; i < self->crew.count; i++)
        all += self->updates [i].n;
    if (all == 0)
        return false;
    self->model = (model_t) { { 0 } };
    for (size_t i = 0; i < self->crew.count; i++) {
        const update_t *update = self->updates + i;
        if (update->n) {
            model_add (&self->model, &update->model, update->n / all);
            *loss += update->loss * update->n / all;
        }
    }
    return true;
}

/*  Bytes of the weights that went to the workers and came back. */
static size_t
count_bytes (const muster_ask_t *ask)
{
    size_t models = muster_ask_asked (ask) + muster_ask_replied (ask);
    const char *source;
    muster_error_t why;
    for (size_t i = 0; muster_ask_missing (ask, i, &source, &why) == MUSTER_OK; i++)
        if (why == MUSTER_NOTFOUND || why == MUSTER_AGAIN)
            models--;
    return models * sizeof (model_t);
}

static void
print_missing (const muster_ask_t *ask)
{
    const char *source;
    muster_error_t why;
    for (size_t i = 0; muster_ask_missing (ask, i, &source, &why) == MUSTER_OK; i++)
        printf ("%s %s (%s)", i ? "," : ", missing:", source, muster_error_name (why));
}

static void
print_round (const coordinator_t *self, const muster_ask_t *ask, int round, double loss, double seconds)
{
    char bar [BAR_WIDTH + 1] = "";
    double accuracy = model_accuracy (&self->model, &self->held_out);
    for (int i = 0; i < BAR_WIDTH; i++)
        bar [i] = i < (int) (accuracy * BAR_WIDTH) ? '#' : '.';
    printf ("%5d %7.1f %% %s %8.4f %8zu %8.3f  %zu of %zu", round, 100 * accuracy, bar, loss, count_bytes (ask),
        seconds, muster_ask_replied (ask), muster_ask_asked (ask));
    print_missing (ask);
    printf ("\n");
}

static muster_error_t
play_ask (coordinator_t *self, muster_ask_t *ask, int round)
{
    double loss = 0;
    double begun = seconds_now ();
    muster_error_t error = send_model (self, ask, round);
    if (!error)
        error = take_updates (self, ask);
    if (error)
        return error;
    bool learned = average (self, &loss);
    print_round (self, ask, round, loss, seconds_now () - begun);
    return learned ? MUSTER_OK : MUSTER_LATE;
}

static muster_error_t
play_round (coordinator_t *self, int round)
{
    for (size_t i = 0; i < self->crew.count; i++)
        self->updates [i].n = 0;
    muster_ask_t *ask = muster_ask_new (self->listener);
    if (!ask)
        return MUSTER_NOMEM;
    muster_error_t error = play_ask (self, ask, round);
    muster_ask_destroy (&ask);
    return error;
}

static muster_error_t
play_rounds (coordinator_t *self)
{
    dice_t dice = dice_new (self->options->seed, STREAM_WEIGHTS);
    model_init (&self->model, &dice);
    printf ("round  accuracy on the digits held out %*s loss    bytes  seconds  workers\n", BAR_WIDTH - 21, "");
    muster_error_t error = MUSTER_OK;
    for (int round = 1; round <= self->options->rounds && !error; round++)
        error = play_round (self, round);
    return error;
}

/*  An update that comes after its round is of no use any more. */
static int
ignore (const muster_message_t *message, void *arg)
{
    (void) message;
    (void) arg;
    return 0;
}

/*  Nobody but the workers gets in, and none of them as another. */
static bool
take_keys (coordinator_t *self)
{
    char path [KEYRING_ROOM];
    if (!keyring_make (self->keys, self->options->workers))
        return false;
    muster_listener_set_key (self->listener, keyring_path (path, self->keys, KEYRING_COORDINATOR, ".key"));
    muster_listener_set_allow (self->listener, keyring_path (path, self->keys, KEYRING_ALLOW, ""));
    return true;
}

static muster_error_t
gather (coordinator_t *self)
{
    if (!take_keys (self))
        return MUSTER_SYSTEM;
    muster_listener_set_liveness (self->listener, LIVENESS_SECONDS);
    muster_error_t error = muster_listener_register_default_handler (self->listener, ignore, NULL);
    if (!error)
        error = muster_listener_start (self->listener);
    if (error)
        return error;
    const char *endpoint = muster_listener_endpoint (self->listener);
    printf ("%zu digits to train on, %zu held out; %zu workers with keys at %s\n", self->training.count, self->held_out.count,
        self->options->workers, endpoint);
    if (!crew_start (&self->crew, self->options, endpoint, self->keys))
        return MUSTER_SYSTEM;
    return muster_listener_wait_for_workers (self->listener, self->options->workers, JOIN_MS);
}

/*  Send all workers home and wait until they are gone. */
static void
dismiss (coordinator_t *self)
{
    muster_error_t error = muster_listener_broadcast (self->listener, NULL, COMMAND_STOP, NULL);
    if (error && self->crew.count)
        fprintf (stderr, "federated: cannot stop the workers: %s\n", muster_error_text (error));
    crew_end (&self->crew);
}

static void
complain (const coordinator_t *self, muster_error_t error)
{
    const char *reason = muster_listener_reason (self->listener);
    fprintf (stderr, "federated: %s\n", *reason ? reason : muster_error_text (error));
}

static bool
run_federated (coordinator_t *self)
{
    self->listener = muster_listener_new (self->options->endpoint);
    if (!self->listener) {
        fprintf (stderr, "federated: out of memory\n");
        return false;
    }
    muster_error_t error = gather (self);
    if (!error)
        error = play_rounds (self);
    if (error)
        complain (self, error);
    dismiss (self);
    muster_listener_destroy (&self->listener);
    keyring_remove (self->keys, self->options->workers);
    return !error;
}

/*  The same model, as many passes, but over all the digits in one place. */
static double
train_centrally (coordinator_t *self)
{
    model_t model;
    dice_t dice = dice_new (self->options->seed, STREAM_WEIGHTS);
    model_init (&model, &dice);
    dice = dice_new (self->options->seed, STREAM_CENTRAL);
    model_train (&model, &self->training, PASSES * self->options->rounds, &dice);
    return model_accuracy (&model, &self->held_out);
}

static bool
compare (coordinator_t *self)
{
    double federated = 100 * model_accuracy (&self->model, &self->held_out);
    double central = 100 * train_centrally (self);
    double points = fabs (central - federated);
    bool close = points <= POINTS_ALLOWED;
    printf ("federated  %5.1f %%\n", federated);
    printf ("central    %5.1f %%  the same model, trained on all the digits at once\n", central);
    printf ("they differ by %.1f points%s\n", points, close ? "" : ", which is MORE THAN 3");
    return close;
}

int
coordinator_main (const options_t *options)
{
    coordinator_t self = { .options = options };
    setvbuf (stdout, NULL, _IOLBF, 0);
    if (!digits_load (options->data, options->seed, &self.training, &self.held_out))
        return EXIT_FAILURE;
    self.updates = calloc (options->workers, sizeof *self.updates);
    if (!self.updates)
        fprintf (stderr, "federated: out of memory\n");
    bool good = self.updates && run_federated (&self) && compare (&self);
    free (self.updates);
    digits_destroy (&self.training);
    digits_destroy (&self.held_out);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
