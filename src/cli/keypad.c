/*  keypad.c - keys, out of the bytes that a terminal sends for them

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/keypad.h"

#define ESCAPE 0x1b
#define NUMBER_MOST 1000

static keypad_key_t
letter (unsigned char byte)
{
    switch (byte) {
        case 'q': return KEYPAD_QUIT;
        case 's': return KEYPAD_SORT;
        case 'k': return KEYPAD_UP;
        case 'j': return KEYPAD_DOWN;
        case ' ': return KEYPAD_PAGE_DOWN;
        default: return KEYPAD_NOTHING;
    }
}

/*  What ends a sequence: a letter, or "~" behind a number. */
static keypad_key_t
sequence (unsigned char byte, unsigned number)
{
    static const keypad_key_t numbered [] = {
        [1] = KEYPAD_HOME, [4] = KEYPAD_END, [5] = KEYPAD_PAGE_UP, [6] = KEYPAD_PAGE_DOWN, [7] = KEYPAD_HOME, [8] = KEYPAD_END };
    switch (byte) {
        case 'A': return KEYPAD_UP;
        case 'B': return KEYPAD_DOWN;
        case 'H': return KEYPAD_HOME;
        case 'F': return KEYPAD_END;
        case '~': return number < sizeof numbered / sizeof numbered [0] ? numbered [number] : KEYPAD_NOTHING;
        default: return KEYPAD_NOTHING;
    }
}

keypad_key_t
keypad_take (keypad_t *self, unsigned char byte)
{
    if (byte == ESCAPE) {
        *self = (keypad_t) { .state = KEYPAD_ESCAPE };
        return KEYPAD_NOTHING;
    }
    if (self->state == KEYPAD_TEXT)
        return letter (byte);
    if (self->state == KEYPAD_ESCAPE) {
        self->state = byte == '[' || byte == 'O' ? KEYPAD_SEQUENCE : KEYPAD_TEXT;
        return KEYPAD_NOTHING;
    }
    if (byte >= '0' && byte <= '9' && self->number < NUMBER_MOST)
        self->number = self->number * 10 + (byte - '0');
    if (byte < '@' || byte > '~')
        return KEYPAD_NOTHING;
    self->state = KEYPAD_TEXT;
    return sequence (byte, self->number);
}
