/*  spare.c - memory of large messages that waits to be used again

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "base/spare.h"

#include <stdatomic.h>
#include <sys/mman.h>

#define SLOTS 2
#define AGE_MS 1000
#define SLEEP_MS 5000

/*  Stands at the beginning of a mapping that is kept. Whoever has taken it out of
    its slot owns it. */
typedef struct {
    size_t size;
    int64_t since;          /* when an actor saw it first; 0: none has */
} spare_t;

static _Atomic (spare_t *) slots [SLOTS];
static atomic_size_t users;

static void
drop (spare_t *spare)
{
    if (spare)
        munmap (spare, spare->size);
}

static bool
put (int slot, spare_t *spare)
{
    spare_t *none = NULL;
    return atomic_compare_exchange_strong (&slots [slot], &none, spare);
}

/*  The slot may have been filled meanwhile. */
static void
put_back (int slot, spare_t *spare)
{
    if (!put (slot, spare))
        drop (spare);
}

static void
drop_all (void)
{
    for (int slot = 0; slot < SLOTS; slot++)
        drop (atomic_exchange (&slots [slot], NULL));
}

void
spare_open (void)
{
    atomic_fetch_add (&users, 1);
}

void
spare_close (void)
{
    if (atomic_fetch_sub (&users, 1) == 1)
        drop_all ();
}

void *
spare_take (size_t *size)
{
    for (int slot = 0; slot < SLOTS; slot++) {
        spare_t *spare = atomic_exchange (&slots [slot], NULL);
        if (!spare)
            continue;
        if (spare->size >= *size && spare->size - *size <= *size / 2) {
            *size = spare->size;
            return spare;
        }
        put_back (slot, spare);
    }
    return NULL;
}

bool
spare_keep (void *memory, size_t size)
{
    if (atomic_load (&users) == 0)
        return false;
    spare_t *spare = memory;
    *spare = (spare_t) { .size = size };
    for (int slot = 0; slot < SLOTS; slot++)
        if (put (slot, spare)) {
            if (atomic_load (&users) == 0)
                drop_all ();    /* the last user went meanwhile, and may have missed it */
            return true;
        }
    return false;
}

int
spare_age (int64_t now_ms)
{
    int sleep_ms = SLEEP_MS;
    for (int slot = 0; slot < SLOTS; slot++) {
        spare_t *spare = atomic_exchange (&slots [slot], NULL);
        if (!spare)
            continue;
        if (spare->since == 0)
            spare->since = now_ms;
        if (now_ms - spare->since >= AGE_MS)
            drop (spare);
        else {
            put_back (slot, spare);
            sleep_ms = AGE_MS;
        }
    }
    return sleep_ms;
}

void
spare_forget (void)
{
    atomic_store (&users, 0);
    drop_all ();
}
