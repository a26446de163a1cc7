/*  model.h - a small neural network that reads a digit: 64 pixels, 32 hidden
    neurons, 10 labels

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef MODEL_H_INCLUDED
#define MODEL_H_INCLUDED

#include <muster/muster.h>
#include <stdbool.h>
#include <stddef.h>

#include "digits.h"

#define MODEL_HIDDEN 32
/*  A neuron has a weight for each input, and its bias after them. */
#define MODEL_WEIGHTS (MODEL_HIDDEN * (DIGITS_PIXELS + 1) + DIGITS_LABELS * (MODEL_HIDDEN + 1))

typedef struct {
    float weight [MODEL_WEIGHTS];
} model_t;

/*  A model that knows nothing yet. */
void model_init (model_t *self, dice_t *dice);

/*  Go over the digits passes times, in an order of the dice, and learn.
    Returns the mean loss of the last pass. */
double model_train (model_t *self, digits_t *digits, int passes, dice_t *dice);

/*  The fraction of the digits that the model reads right. */
double model_accuracy (const model_t *self, const digits_t *digits);

/*  Add a fraction of another model's weights. */
void model_add (model_t *self, const model_t *other, double fraction);

/*  The weights as they travel: a view of them, and taking them from one.
    false if the array is not the weights of such a model. */
muster_array_t model_array (const model_t *self);
bool model_from_array (model_t *self, const muster_array_t *array);

#endif
