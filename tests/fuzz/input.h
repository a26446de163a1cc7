/*  input.h - an input as a program: bytes that are taken one after the other

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Past the end all bytes are 0.
*/
#ifndef FUZZ_INPUT_H_INCLUDED
#define FUZZ_INPUT_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *next;
    const uint8_t *end;
} input_t;

static inline bool
input_is_over (const input_t *self)
{
    return self->next == self->end;
}

static inline uint8_t
input_byte (input_t *self)
{
    return input_is_over (self) ? 0 : *self->next++;
}

/*  One of so many. */
static inline unsigned
input_below (input_t *self, unsigned count)
{
    return input_byte (self) % count;
}

/*  At most so many bytes as they stand. */
static inline size_t
input_take (input_t *self, size_t most, const uint8_t **bytes)
{
    size_t left = (size_t) (self->end - self->next);
    *bytes = self->next;
    if (most > left)
        most = left;
    self->next += most;
    return most;
}

/*  A number where one is likely to matter: near another (0 stands for that itself), a
    power of two, or at an edge. */
static inline uint64_t
input_number (input_t *self, uint64_t near)
{
    static const uint64_t edges [] = {
        0, 1, UINT32_MAX, (uint64_t) UINT32_MAX + 1, INT64_MAX - 2, INT64_MAX - 1, INT64_MAX, UINT64_MAX };
    uint8_t choice = input_byte (self);
    if (choice < 0x60)
        return near + choice;
    if (choice < 0xc0)
        return near - (choice - 0x5f);
    if (choice < 0xe0)
        return (uint64_t) 1 << (choice - 0xc0);
    if (choice < 0xf0)
        return near + (uint64_t) (choice - 0xe0) * 256 + input_byte (self);
    return edges [choice % 8];
}

#endif
