/*  digits.h - the handwritten digits, who gets which, and the dice that decide

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef DIGITS_H_INCLUDED
#define DIGITS_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGITS_PIXELS 64
#define DIGITS_LABELS 10

typedef struct {
    float pixel [DIGITS_PIXELS]; /* 0, paper, to 1, ink */
    int label;
} digit_t;

typedef struct {
    digit_t *digit;
    size_t count;
} digits_t;

/*  Dice that fall alike for the same seed and stream, on any machine. */
typedef struct {
    uint64_t state;
} dice_t;

dice_t dice_new (uint64_t seed, uint64_t stream);

/*  A number from 0 to 1, 1 excluded. */
double dice_uniform (dice_t *self);

/*  A number from 0 to count - 1. */
size_t dice_below (dice_t *self, size_t count);

/*  Read the digits of a file, gzipped or not, and hold out a fifth of them
    that nobody trains on; seed decides which. Says what is wrong on stderr. */
bool digits_load (const char *path, uint64_t seed, digits_t *training, digits_t *held_out);

/*  Keep of the training digits only the share of one worker out of workers.
    The shares are unequal, and each is mostly of two to four labels. */
void digits_keep_share (digits_t *self, uint64_t seed, size_t worker, size_t workers);

void digits_shuffle (digits_t *self, dice_t *dice);
void digits_destroy (digits_t *self);

#endif
