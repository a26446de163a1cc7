/*  keypad.h - keys, out of the bytes that a terminal sends for them

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_KEYPAD_H_INCLUDED
#define CLI_KEYPAD_H_INCLUDED

typedef enum {
    KEYPAD_NOTHING,     /* the key is not over, or means nothing */
    KEYPAD_QUIT,
    KEYPAD_SORT,
    KEYPAD_UP,
    KEYPAD_DOWN,
    KEYPAD_PAGE_UP,
    KEYPAD_PAGE_DOWN,
    KEYPAD_HOME,
    KEYPAD_END
} keypad_key_t;

/*  All zero to begin with. */
typedef struct {
    enum { KEYPAD_TEXT, KEYPAD_ESCAPE, KEYPAD_SEQUENCE } state;
    unsigned number;    /* of a sequence */
} keypad_t;

/*  The key that ends with this byte. */
keypad_key_t keypad_take (keypad_t *self, unsigned char byte);

#endif
