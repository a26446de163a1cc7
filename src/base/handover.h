/*  handover.h - memory that goes to another thread by ways ThreadSanitizer does not see

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    libzmq is not built for ThreadSanitizer, which so takes what libzmq gives
    from one thread to another for a race. What happened before handover_give
    is seen after handover_take of the same address. Nothing in other builds.
*/
#ifndef BASE_HANDOVER_H_INCLUDED
#define BASE_HANDOVER_H_INCLUDED

#if defined (__has_feature)
#if __has_feature (thread_sanitizer)
#define HANDOVER_IS_WATCHED 1
#endif
#elif defined (__SANITIZE_THREAD__)
#define HANDOVER_IS_WATCHED 1
#endif

#ifdef HANDOVER_IS_WATCHED
void __tsan_acquire (void *memory);
void __tsan_release (void *memory);
#endif

static inline void
handover_give (void *memory)
{
#ifdef HANDOVER_IS_WATCHED
    __tsan_release (memory);
#endif
    (void) memory;
}

static inline void
handover_take (void *memory)
{
#ifdef HANDOVER_IS_WATCHED
    __tsan_acquire (memory);
#endif
    (void) memory;
}

#endif
