/*  worker.c - a worker: trains the model it is sent on digits of its own

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/muster.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crew.h"
#include "digits.h"
#include "federated.h"
#include "keyring.h"
#include "model.h"

typedef struct {
    digits_t share;
    dice_t dice;
    model_t model;
} trainee_t;

static muster_error_t
train (trainee_t *self, const muster_message_t *command)
{
    muster_array_t weights;
    muster_error_t error = muster_message_unpack (command, "{s:A}", "weights", &weights);
    if (error)
        return error;
    if (!model_from_array (&self->model, &weights))
        return MUSTER_TYPE;

    double loss = model_train (&self->model, &self->share, PASSES, &self->dice);
    weights = model_array (&self->model);
    return muster_message_reply (
        command, REPLY_UPDATE, "{s:A, s:i, s:f}", "weights", &weights, "n", (int) self->share.count, "loss", loss);
}

/*  Do what one command asks; *stop is set when it is to go home. */
static muster_error_t
obey (trainee_t *self, const muster_message_t *command, bool *stop)
{
    const char *cmd = muster_message_cmd (command);
    if (strcmp (cmd, COMMAND_TRAIN) == 0)
        return train (self, command);
    *stop = strcmp (cmd, COMMAND_STOP) == 0;
    return MUSTER_OK;
}

/*  Take commands until one says STOP or the coordinator is gone. */
static muster_error_t
serve (trainee_t *self, muster_worker_t *worker)
{
    bool stop = false;
    muster_error_t error = MUSTER_OK;
    while (!stop && !error) {
        muster_message_t *command;
        error = muster_worker_recv (worker, &command, PATIENCE_MS);
        if (!error) {
            error = obey (self, command, &stop);
            muster_error_t done = muster_message_done (&command, error != MUSTER_OK);
            error = error ? error : done;
        }
    }
    return error;
}

/*  Its own key, and the coordinator's public one. */
static void
take_keys (muster_worker_t *worker, const char *directory)
{
    char path [KEYRING_ROOM];
    muster_worker_set_key (worker, keyring_path (path, directory, muster_worker_source (worker), ".key"));
    muster_worker_set_server (worker, keyring_path (path, directory, KEYRING_COORDINATOR, ".pub"));
}

static muster_error_t
work (trainee_t *self, muster_worker_t *worker, const char *keys)
{
    take_keys (worker, keys);
    muster_worker_set_liveness (worker, LIVENESS_SECONDS);
    muster_error_t error = muster_worker_start (worker);
    if (!error)
        error = serve (self, worker);
    if (!error)
        error = muster_worker_close (worker, NULL);
    return error;
}

int
worker_main (const options_t *options, size_t number)
{
    char source [16];
    digits_t held_out;
    trainee_t self = { .dice = dice_new (options->seed, number) };
    if (!digits_load (options->data, options->seed, &self.share, &held_out))
        return EXIT_FAILURE;
    digits_destroy (&held_out);
    digits_keep_share (&self.share, options->seed, number, options->workers);

    crew_source (number, source);
    muster_worker_t *worker = muster_worker_new (options->endpoint, source);
    muster_error_t error = worker ? work (&self, worker, options->keys) : MUSTER_NOMEM;
    if (error) {
        const char *reason = worker ? muster_worker_reason (worker) : "";
        fprintf (stderr, "%s: %s\n", source, *reason ? reason : muster_error_text (error));
    }
    muster_worker_destroy (&worker);
    digits_destroy (&self.share);
    return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
