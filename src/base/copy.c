/*  copy.c - copying what nobody reads soon

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "base/copy.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>

#define WORD sizeof (__m128i)
#define STEP (4 * WORD)

/*  to is a multiple of WORD, size one of STEP. */
static void
stream (uint8_t *to, const uint8_t *from, size_t size)
{
    for (size_t at = 0; at < size; at += STEP) {
        __m128i a = _mm_loadu_si128 ((const __m128i *) (from + at));
        __m128i b = _mm_loadu_si128 ((const __m128i *) (from + at + WORD));
        __m128i c = _mm_loadu_si128 ((const __m128i *) (from + at + 2 * WORD));
        __m128i d = _mm_loadu_si128 ((const __m128i *) (from + at + 3 * WORD));
        _mm_stream_si128 ((__m128i *) (to + at), a);
        _mm_stream_si128 ((__m128i *) (to + at + WORD), b);
        _mm_stream_si128 ((__m128i *) (to + at + 2 * WORD), c);
        _mm_stream_si128 ((__m128i *) (to + at + 3 * WORD), d);
    }
    _mm_sfence ();      /* another thread may read it next */
}

void
copy_past_caches (uint8_t *to, const uint8_t *from, size_t size)
{
    size_t head = (WORD - (uintptr_t) to % WORD) % WORD;
    if (head > size)
        head = size;
    size_t body = (size - head) / STEP * STEP;
    memcpy (to, from, head);
    stream (to + head, from + head, body);
    memcpy (to + head + body, from + head + body, size - head - body);
}
#else
void
copy_past_caches (uint8_t *to, const uint8_t *from, size_t size)
{
    memcpy (to, from, size);
}
#endif
