/*  json_check.h - what a JSON parser would let pass, or change

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_JSON_CHECK_H_INCLUDED
#define CLI_JSON_CHECK_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*  Check the words, strings and numbers of text, which json-c would take more
    of than JSON has, and numbers that it would change without a word: that it
    is UTF-8, no control character stands in it, no surrogate alone, no NUL in
    a key, no number that does not fit. What stands where is left to json-c.
    text is followed by a NUL. *keys: how many keys were met, so that one that
    comes twice in an object can be missed later. False, and problem
    (JSON_PROBLEM_ROOM bytes) says why. */
bool json_check (const char *text, size_t size, uint64_t *keys, char *problem);

#endif
