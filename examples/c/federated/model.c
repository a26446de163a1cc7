/*  model.c - a small neural network that reads a digit

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model.h"

#include <math.h>
#include <string.h>

#define BATCH 16
#define RATE 0.3F
/*  "<f4" is what a float is in memory on a little-endian machine. */
#define DTYPE "<f4"

_Static_assert (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the weights would have to be swapped");

/*  What the neurons say of one digit. */
typedef struct {
    float hidden [MODEL_HIDDEN];
    float chance [DIGITS_LABELS];
} answer_t;

/*  Where a neuron's weights begin. */
static size_t
hidden_row (size_t neuron)
{
    return neuron * (DIGITS_PIXELS + 1);
}

static size_t
output_row (size_t label)
{
    return hidden_row (MODEL_HIDDEN) + label * (MODEL_HIDDEN + 1);
}

void
model_init (model_t *self, dice_t *dice)
{
    float hidden_scale = sqrtf (6.0F / DIGITS_PIXELS);
    float output_scale = sqrtf (6.0F / MODEL_HIDDEN);
    for (size_t i = 0; i < MODEL_WEIGHTS; i++) {
        float scale = i < output_row (0) ? hidden_scale : output_scale;
        self->weight [i] = scale * (float) (2 * dice_uniform (dice) - 1);
    }
}

static float
fire (const float *weight, const float *input, size_t inputs)
{
    float sum = weight [inputs];
    for (size_t i = 0; i < inputs; i++)
        sum += weight [i] * input [i];
    return sum;
}

static void
softmax (float *value)
{
    float largest = value [0];
    for (size_t i = 1; i < DIGITS_LABELS; i++)
        largest = fmaxf (largest, value [i]);
    float sum = 0;
    for (size_t i = 0; i < DIGITS_LABELS; i++)
        sum += value [i] = expf (value [i] - largest);
    for (size_t i = 0; i < DIGITS_LABELS; i++)
        value [i] /= sum;
}

static void
answer (const model_t *self, const digit_t *digit, answer_t *said)
{
    for (size_t i = 0; i < MODEL_HIDDEN; i++)
        said->hidden [i] = fmaxf (0, fire (self->weight + hidden_row (i), digit->pixel, DIGITS_PIXELS));
    for (size_t i = 0; i < DIGITS_LABELS; i++)
        said->chance [i] = fire (self->weight + output_row (i), said->hidden, MODEL_HIDDEN);
    softmax (said->chance);
}

/*  Add blame times the inputs to a neuron's gradient. */
static void
blame_inputs (float *gradient, float blame, const float *input, size_t inputs)
{
    for (size_t i = 0; i < inputs; i++)
        gradient [i] += blame * input [i];
    gradient [inputs] += blame;
}

/*  Add what one digit asks the weights to change; returns its loss. */
static double
learn (const model_t *self, const digit_t *digit, model_t *gradient)
{
    answer_t said;
    float blame [MODEL_HIDDEN] = { 0 };
    answer (self, digit, &said);
    for (size_t label = 0; label < DIGITS_LABELS; label++) {
        float error = said.chance [label] - ((int) label == digit->label);
        const float *weight = self->weight + output_row (label);
        blame_inputs (gradient->weight + output_row (label), error, said.hidden, MODEL_HIDDEN);
        for (size_t i = 0; i < MODEL_HIDDEN; i++)
            blame [i] += error * weight [i];
    }
    for (size_t i = 0; i < MODEL_HIDDEN; i++)
        if (said.hidden [i] > 0)
            blame_inputs (gradient->weight + hidden_row (i), blame [i], digit->pixel, DIGITS_PIXELS);
    return -log (fmax (said.chance [digit->label], 1e-9));
}

static double
train_batch (model_t *self, const digit_t *digit, size_t count)
{
    double loss = 0;
    model_t gradient = { { 0 } };
    for (size_t i = 0; i < count; i++)
        loss += learn (self, digit + i, &gradient);
    model_add (self, &gradient, -RATE / (double) count);
    return loss;
}

double
model_train (model_t *self, digits_t *digits, int passes, dice_t *dice)
{
    double loss = 0;
    for (int pass = 0; pass < passes; pass++) {
        loss = 0;
        digits_shuffle (digits, dice);
        for (size_t i = 0; i < digits->count; i += BATCH) {
            size_t left = digits->count - i;
            loss += train_batch (self, digits->digit + i, left < BATCH ? left : BATCH);
        }
    }
    return digits->count ? loss / (double) digits->count : 0;
}

static int
guess (const model_t *self, const digit_t *digit)
{
    int best = 0;
    answer_t said;
    answer (self, digit, &said);
    for (int label = 1; label < DIGITS_LABELS; label++)
        if (said.chance [label] > said.chance [best])
            best = label;
    return best;
}

double
model_accuracy (const model_t *self, const digits_t *digits)
{
    size_t right = 0;
    for (size_t i = 0; i < digits->count; i++)
        right += guess (self, digits->digit + i) == digits->digit [i].label;
    return digits->count ? (double) right / (double) digits->count : 0;
}

void
model_add (model_t *self, const model_t *other, double fraction)
{
    for (size_t i = 0; i < MODEL_WEIGHTS; i++)
        self->weight [i] += (float) fraction * other->weight [i];
}

muster_array_t
model_array (const model_t *self)
{
    return (muster_array_t) {
        .dtype = DTYPE,
        .dims = 1,
        .shape = { MODEL_WEIGHTS },
        .bytes = self->weight,
        .size = sizeof self->weight,
    };
}

bool
model_from_array (model_t *self, const muster_array_t *array)
{
    if (strcmp (array->dtype, DTYPE) != 0 || array->size != sizeof self->weight)
        return false;
    memcpy (self->weight, array->bytes, sizeof self->weight);
    return true;
}
