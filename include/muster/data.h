/*  data.h - reading and writing the msgpack bytes of a message's data

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A reader walks bytes value by value and allocates nothing; a writer packs
    values one after the other into memory of its own. Both serve when the
    pictures of message.h are too rigid: JSON, another language, a visitor.
    Neither is thread-safe; different objects may be used by different threads.
*/
#ifndef MUSTER_DATA_H_INCLUDED
#define MUSTER_DATA_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/*  Containers one inside the other that a message's data may have, the map
    itself being the first (protocol, section "Data"). */
#define MUSTER_DEPTH_MAX 64

/*  Dimensions of a muster_array_t. */
#define MUSTER_ARRAY_DIMS_MAX 32

/*  The msgpack ext type of an n-dimensional array. */
#define MUSTER_EXT_ARRAY 1

/*  An n-dimensional array, msgpack ext type 1 (protocol, section "Arrays"):
    a view, the bytes belong to whoever made it. */
typedef struct {
    char dtype [8];                          /* NumPy's typestr: "<f4", "|u1", ">i8", "<c16" */
    size_t dims;                             /* number of dimensions, 0 for a scalar */
    uint64_t shape [MUSTER_ARRAY_DIMS_MAX];  /* elements in each dimension */
    const void *bytes;                       /* the elements in C order, aligned for the dtype */
    size_t size;                             /* bytes of all elements */
} muster_array_t;

/*  What kind of value a reader has met. */
typedef enum {
    MUSTER_VALUE_NIL,       /* no value */
    MUSTER_VALUE_BOOL,      /* true or false */
    MUSTER_VALUE_UINT,      /* an integer of 0 or more */
    MUSTER_VALUE_INT,       /* a negative integer */
    MUSTER_VALUE_FLOAT,     /* 32 or 64 bits */
    MUSTER_VALUE_STR,       /* text in UTF-8 */
    MUSTER_VALUE_BIN,       /* bytes */
    MUSTER_VALUE_EXT,       /* bytes with a type, an array for one (MUSTER_EXT_ARRAY) */
    MUSTER_VALUE_ARRAY,     /* its elements are the values that follow */
    MUSTER_VALUE_MAP        /* key, value, key, value ... follow */
} muster_value_type_t;

/*  One value; type says which of the fields hold. */
typedef struct {
    muster_value_type_t type;   /* what it is */
    union {
        bool boolean;       /* BOOL */
        uint64_t u;         /* UINT */
        int64_t i;          /* INT */
        double f;           /* FLOAT */
        uint32_t count;     /* ARRAY: elements, MAP: pairs */
    };
    const uint8_t *bytes;   /* STR (not terminated), BIN, EXT: the payload, inside the bytes read */
    uint32_t size;          /* STR, BIN, EXT: bytes of the payload */
    int8_t ext_type;        /* EXT */
} muster_value_t;

/*  A position in bytes. Its fields are the library's; make one with
    muster_reader_init, on the stack. */
typedef struct {
    const uint8_t *next;    /* where the next value begins */
    const uint8_t *end;     /* behind the last byte */
} muster_reader_t;

/*  Packs values one after the other. */
typedef struct _muster_writer_t muster_writer_t;

MUSTER_BEGIN_DECLS

/*  Start reading at bytes. They must stay where they are while reader and
    the values read from it are used. */
MUSTER_EXPORT void muster_reader_init (muster_reader_t *self, const void *bytes, size_t size);

/*  Read the next value. A container gives its count; its content comes with
    the calls that follow. Errors: MUSTER_END at the end of the bytes,
    MUSTER_FORMAT if they are truncated or no msgpack (reader stays). */
MUSTER_EXPORT muster_error_t muster_reader_next (muster_reader_t *self, muster_value_t *value);

/*  Pass over the next value and all that is in it. Errors as for
    muster_reader_next; also MUSTER_FORMAT past MUSTER_DEPTH_MAX levels. */
MUSTER_EXPORT muster_error_t muster_reader_skip (muster_reader_t *self);

/*  Take an EXT value apart as an array. array->bytes points into the value
    and is aligned only as the value was. Errors: MUSTER_TYPE if it is
    another value or no valid array. */
MUSTER_EXPORT muster_error_t muster_value_array (const muster_value_t *value, muster_array_t *array);

/*  A new, empty writer; NULL when out of memory. The caller owns it. */
MUSTER_EXPORT muster_writer_t *muster_writer_new (void) MUSTER_CHECK_RESULT;

/*  Destroy a writer and its bytes. */
MUSTER_EXPORT void muster_writer_destroy (muster_writer_t **self_p);

/*  Append one value. A container announces how many values follow it; the
    caller then appends those. Nothing is reported here: the first error
    sticks and muster_writer_bytes returns it. */
MUSTER_EXPORT void muster_writer_nil (muster_writer_t *self);
MUSTER_EXPORT void muster_writer_bool (muster_writer_t *self, bool value);
MUSTER_EXPORT void muster_writer_int (muster_writer_t *self, int64_t value);
MUSTER_EXPORT void muster_writer_uint (muster_writer_t *self, uint64_t value);
MUSTER_EXPORT void muster_writer_float (muster_writer_t *self, float value);
MUSTER_EXPORT void muster_writer_double (muster_writer_t *self, double value);
MUSTER_EXPORT void muster_writer_str (muster_writer_t *self, const char *text, size_t size);
MUSTER_EXPORT void muster_writer_bin (muster_writer_t *self, const void *bytes, size_t size);
MUSTER_EXPORT void muster_writer_ext (muster_writer_t *self, int8_t type, const void *bytes, size_t size);
MUSTER_EXPORT void muster_writer_map (muster_writer_t *self, size_t pairs);
MUSTER_EXPORT void muster_writer_seq (muster_writer_t *self, size_t elements);

/*  Append an n-dimensional array; its bytes are copied. array->size must be
    what dtype and shape give, else the writer's error is MUSTER_INVAL. Large
    arrays of one writer lie so that as a rule all are aligned where one is. */
MUSTER_EXPORT void muster_writer_array (muster_writer_t *self, const muster_array_t *array);

/*  Append msgpack bytes that were packed elsewhere, as they are. */
MUSTER_EXPORT void muster_writer_raw (muster_writer_t *self, const void *bytes, size_t size);

/*  What was written so far; the bytes belong to the writer and last until it
    is used again. Errors: MUSTER_NOMEM, MUSTER_TOOBIG (a str, bin or ext of
    4 GiB or more), MUSTER_INVAL. Either out-pointer may be NULL. */
MUSTER_EXPORT muster_error_t muster_writer_bytes (const muster_writer_t *self, const void **bytes, size_t *size);

/*  Forget what was written, keep the memory. */
MUSTER_EXPORT void muster_writer_clear (muster_writer_t *self);

MUSTER_END_DECLS

#endif
