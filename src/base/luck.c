/*  luck.c - the host's random numbers, kept as they were

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "base/luck.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

/*  Held while the host's state is set aside: a second thread would take ours for
    the host's. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void
before_fork (void)
{
    pthread_mutex_lock (&lock);
}

static void
after_fork (void)
{
    pthread_mutex_unlock (&lock);
}

/*  Locks of upper floors are held when this one is taken; a fork takes them in the
    reverse order of this registration, which therefore comes early. */
__attribute__ ((constructor (101))) static void
luck_load (void)
{
    /*  Without memory for this, no object can be made either. */
    (void) pthread_atfork (before_fork, after_fork, after_fork);
}

/*  A ROUTER counts the ids that it makes up for its peers from a number that it draws, and
    ends the process if one that it makes up is taken: nobody may know the next. */
static unsigned
new_seed (void)
{
    unsigned seed;
    /*  The address is as good as it gets where the system has nothing better. */
    if (getrandom (&seed, sizeof seed, 0) != sizeof seed)
        seed = (unsigned) (uintptr_t) &seed;
    return seed;
}

void
luck_set_aside (luck_t *self)
{
    pthread_mutex_lock (&lock);
    self->host = initstate (new_seed (), self->ours, sizeof self->ours);
}

void
luck_bring_back (luck_t *self)
{
    if (self->host)
        setstate (self->host);
    pthread_mutex_unlock (&lock);
}
