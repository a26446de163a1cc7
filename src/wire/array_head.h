/*  array_head.h - what stands before an array's elements, as long as it should be

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    msgpack has several forms for a length or a number. The shortest are taken, unless
    longer ones let the elements lie where a multiple of ARRAY_ALIGNMENT bytes is
    between them and those of another array, so that both can be aligned in memory.
*/
#ifndef WIRE_ARRAY_HEAD_H_INCLUDED
#define WIRE_ARRAY_HEAD_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include <muster/data.h>

#define ARRAY_ALIGNMENT 64

/*  The packed dtype and shape: 5 + 7, then 5 + 32 * 9 bytes. */
#define ARRAY_HEAD_ROOM 320

typedef struct {
    uint8_t bytes [ARRAY_HEAD_ROOM];
    size_t size;
} array_head_t;

/*  Pack dtype and shape of a valid array in as few bytes as they need. */
void array_head_pack (array_head_t *self, const muster_array_t *array);

/*  The same, longer by at most ARRAY_ALIGNMENT - 1 bytes. wanted is how much longer it
    should be; if no forms are, then as much modulo 32, 16 or 8. */
void array_head_pack_longer (array_head_t *self, const muster_array_t *array, size_t wanted);

#endif
