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
#include <time.h>

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

/*  ZeroMQ numbers nameless peers from here: one that knew where it begins could take
    those numbers before, and ZeroMQ would end the process. */
static unsigned
seed (const luck_t *self)
{
    unsigned seed;
    if (getrandom (&seed, sizeof seed, GRND_NONBLOCK) == sizeof seed)
        return seed;
    return (unsigned) time (NULL) ^ (unsigned) (uintptr_t) self;
}

void
luck_set_aside (luck_t *self)
{
    pthread_mutex_lock (&lock);
    self->host = initstate (seed (self), self->ours, sizeof self->ours);
}

void
luck_bring_back (luck_t *self)
{
    if (self->host)
        setstate (self->host);
    pthread_mutex_unlock (&lock);
}
