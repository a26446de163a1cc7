/*  array_head.c - what stands before an array's elements, as long as it should be

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "wire/array_head.h"

#include <string.h>

#include "wire/array.h"

/*  A lead byte and the bytes of a number that follow it; without any it holds the
    number itself. */
typedef struct {
    uint8_t lead;
    uint8_t width;
    uint64_t most;          /* the largest number that fits */
} form_t;

#define FORMS_MOST 5

static const form_t str_forms [FORMS_MOST] = {
    { 0xa0, 0, 31 }, { 0xd9, 1, UINT8_MAX }, { 0xda, 2, UINT16_MAX }, { 0xdb, 4, UINT32_MAX } };
static const form_t seq_forms [FORMS_MOST] = {
    { 0x90, 0, 15 }, { 0xdc, 2, UINT16_MAX }, { 0xdd, 4, UINT32_MAX } };
static const form_t uint_forms [FORMS_MOST] = {
    { 0x00, 0, 127 }, { 0xcc, 1, UINT8_MAX }, { 0xcd, 2, UINT16_MAX }, { 0xce, 4, UINT32_MAX },
    { 0xcf, 8, UINT64_MAX } };

/*  A number of the head and its forms from the shortest on that holds it. */
typedef struct {
    uint64_t number;
    const form_t *forms;
    int count;
    int chosen;
} slot_t;

#define SLOTS_MOST (2 + MUSTER_ARRAY_DIMS_MAX)

static slot_t
slot_of (uint64_t number, const form_t *forms)
{
    slot_t slot = { .number = number, .forms = forms };
    while (slot.forms->most < number)
        slot.forms++;
    while (slot.forms + slot.count < forms + FORMS_MOST && slot.forms [slot.count].most > 0)
        slot.count++;
    return slot;
}

static int
fill_slots (slot_t *slots, const char *dtype, const muster_array_t *array)
{
    int count = 0;
    slots [count++] = slot_of (strlen (dtype), str_forms);
    slots [count++] = slot_of (array->dims, seq_forms);
    for (size_t index = 0; index < array->dims; index++)
        slots [count++] = slot_of (array->shape [index], uint_forms);
    return count;
}

/*  Bytes by which a form is longer than the shortest. */
static int
extra (const slot_t *slot, int form)
{
    return slot->forms [form].width - slot->forms [0].width;
}

/*  --------------------------------------------------------------------------
    Choosing */

/*  Bit n of reach [i]: the slots before i can be n bytes longer together. */
static void
find_reach (const slot_t *slots, int count, uint64_t *reach)
{
    reach [0] = 1;
    for (int i = 0; i < count; i++) {
        reach [i + 1] = 0;
        for (int form = 0; form < slots [i].count; form++)
            reach [i + 1] |= reach [i] << extra (&slots [i], form);
    }
}

/*  What can be reached of what is wanted; 0 if nothing is of any use. */
static size_t
nearest (uint64_t reach, size_t wanted)
{
    for (size_t step = ARRAY_ALIGNMENT; step >= 8; step /= 2)
        for (size_t longer = wanted % step; longer < ARRAY_ALIGNMENT; longer += step)
            if (reach >> longer & 1)
                return longer;
    return 0;
}

static void
choose (slot_t *slots, int count, size_t wanted)
{
    uint64_t reach [SLOTS_MOST + 1];
    if (wanted == 0)
        return;
    find_reach (slots, count, reach);
    size_t left = nearest (reach [count], wanted);
    for (int i = count - 1; i >= 0; i--) {
        int form = 0;
        while ((size_t) extra (&slots [i], form) > left || !(reach [i] >> (left - extra (&slots [i], form)) & 1))
            form++;
        slots [i].chosen = form;
        left -= extra (&slots [i], form);
    }
}

/*  --------------------------------------------------------------------------
    Packing */

static void
put_number (array_head_t *self, const slot_t *slot)
{
    const form_t *form = &slot->forms [slot->chosen];
    self->bytes [self->size++] = form->width ? form->lead : (uint8_t) (form->lead | slot->number);
    for (int shift = 8 * form->width - 8; shift >= 0; shift -= 8)
        self->bytes [self->size++] = (uint8_t) (slot->number >> shift);
}

void
array_head_pack_longer (array_head_t *self, const muster_array_t *array, size_t wanted)
{
    slot_t slots [SLOTS_MOST];
    char dtype [sizeof array->dtype];
    array_explicit_dtype (array->dtype, dtype);
    int count = fill_slots (slots, dtype, array);
    choose (slots, count, wanted);
    self->size = 0;
    put_number (self, &slots [0]);
    memcpy (self->bytes + self->size, dtype, strlen (dtype));
    self->size += strlen (dtype);
    for (int i = 1; i < count; i++)
        put_number (self, &slots [i]);
}

void
array_head_pack (array_head_t *self, const muster_array_t *array)
{
    array_head_pack_longer (self, array, 0);
}
