/*  digits.c - the handwritten digits, who gets which, and the dice that decide

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "digits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define LINE_MAX_BYTES 512
#define INK 16
#define STRAY 0.06 /* weight of a label that a worker does not favour */

enum { STREAM_SPLIT = 1000000, STREAM_SHARES };

/*  splitmix64: a counter, scrambled. */
static uint64_t
dice_throw (dice_t *self)
{
    uint64_t bits = self->state += UINT64_C (0x9e3779b97f4a7c15);
    bits = (bits ^ bits >> 30) * UINT64_C (0xbf58476d1ce4e5b9);
    bits = (bits ^ bits >> 27) * UINT64_C (0x94d049bb133111eb);
    return bits ^ bits >> 31;
}

dice_t
dice_new (uint64_t seed, uint64_t stream)
{
    dice_t outer = { seed };
    dice_t self = { dice_throw (&outer) + stream };
    self.state = dice_throw (&self);
    return self;
}

double
dice_uniform (dice_t *self)
{
    return (double) (dice_throw (self) >> 11) / (double) (UINT64_C (1) << 53);
}

size_t
dice_below (dice_t *self, size_t count)
{
    return (size_t) (dice_uniform (self) * (double) count);
}

void
digits_shuffle (digits_t *self, dice_t *dice)
{
    for (size_t left = self->count; left > 1; left--) {
        size_t chosen = dice_below (dice, left);
        digit_t last = self->digit [left - 1];
        self->digit [left - 1] = self->digit [chosen];
        self->digit [chosen] = last;
    }
}

void
digits_destroy (digits_t *self)
{
    free (self->digit);
    *self = (digits_t) { 0 };
}

static bool
parse_number (const char **text, char end, long limit, long *number)
{
    char *rest;
    *number = strtol (*text, &rest, 10);
    bool good = rest != *text && *rest == end && *number >= 0 && *number <= limit;
    *text = rest + 1;
    return good;
}

static bool
parse_digit (const char *line, digit_t *digit)
{
    long number;
    for (size_t i = 0; i < DIGITS_PIXELS; i++) {
        if (!parse_number (&line, ',', INK, &number))
            return false;
        digit->pixel [i] = (float) number / INK;
    }
    if (!parse_number (&line, '\n', DIGITS_LABELS - 1, &number))
        return false;
    digit->label = (int) number;
    return true;
}

static bool
append (digits_t *self, const digit_t *digit)
{
    /*  The room doubles at each power of two. */
    if ((self->count & (self->count - 1)) == 0) {
        size_t room = self->count ? self->count * 2 : 1;
        digit_t *grown = realloc (self->digit, room * sizeof *grown);
        if (!grown)
            return false;
        self->digit = grown;
    }
    self->digit [self->count++] = *digit;
    return true;
}

/*  NULL, or what is wrong. */
static const char *
read_digits (gzFile file, digits_t *digits)
{
    char line [LINE_MAX_BYTES];
    digit_t digit;
    while (gzgets (file, line, sizeof line)) {
        if (!parse_digit (line, &digit))
            return "a line is not 64 pixels and a label";
        if (!append (digits, &digit))
            return "out of memory";
    }
    if (!gzeof (file))
        return "cannot be read to its end";
    return digits->count ? NULL : "holds no digits";
}

static bool
read_file (const char *path, digits_t *digits)
{
    gzFile file = gzopen (path, "rb");
    const char *wrong = file ? read_digits (file, digits) : strerror (errno);
    if (file)
        gzclose (file);
    if (wrong)
        fprintf (stderr, "federated: %s: %s\n", path, wrong);
    return !wrong;
}

/*  Move the last digits of from to a place of their own. */
static bool
split_off (digits_t *from, size_t count, digits_t *to)
{
    to->digit = malloc ((count + 1) * sizeof *to->digit);
    if (!to->digit) {
        fprintf (stderr, "federated: out of memory\n");
        return false;
    }
    from->count -= count;
    to->count = count;
    memcpy (to->digit, from->digit + from->count, count * sizeof *to->digit);
    return true;
}

bool
digits_load (const char *path, uint64_t seed, digits_t *training, digits_t *held_out)
{
    *training = *held_out = (digits_t) { 0 };
    if (read_file (path, training)) {
        dice_t dice = dice_new (seed, STREAM_SPLIT);
        digits_shuffle (training, &dice);
        if (split_off (training, training->count / 5, held_out))
            return true;
    }
    digits_destroy (training);
    return false;
}

/*  How much each worker is after each label. The favourites go round the
    labels, so that with eight workers each label is somebody's. */
static void
draw_weights (dice_t *dice, size_t workers, double (*weight) [DIGITS_LABELS])
{
    size_t favourite = dice_below (dice, DIGITS_LABELS);
    for (size_t worker = 0; worker < workers; worker++) {
        double appetite = 0.2 + dice_uniform (dice);
        for (size_t label = 0; label < DIGITS_LABELS; label++)
            weight [worker][label] = STRAY;
        for (size_t left = 2 + dice_below (dice, 3); left; left--)
            weight [worker][favourite++ % DIGITS_LABELS] = appetite;
    }
}

static size_t
draw_owner (dice_t *dice, size_t workers, double (*weight) [DIGITS_LABELS], int label)
{
    double all = 0;
    for (size_t worker = 0; worker < workers; worker++)
        all += weight [worker][label];
    double mark = all * dice_uniform (dice);
    size_t owner = 0;
    while (owner + 1 < workers && mark >= weight [owner][label])
        mark -= weight [owner++][label];
    return owner;
}

void
digits_keep_share (digits_t *self, uint64_t seed, size_t worker, size_t workers)
{
    double weight [workers][DIGITS_LABELS];
    dice_t dice = dice_new (seed, STREAM_SHARES);
    draw_weights (&dice, workers, weight);

    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++)
        if (draw_owner (&dice, workers, weight, self->digit [i].label) == worker)
            self->digit [kept++] = self->digit [i];
    self->count = kept;
}
