/*  blob.h - bytes that several owners share

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The last owner frees them; owners may be in different threads. Whoever
    fills a blob does so before sharing what it fills.
*/
#ifndef MODEL_BLOB_H_INCLUDED
#define MODEL_BLOB_H_INCLUDED

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    atomic_uint owners;
    bool is_block;          /* its memory is an alloc_block */
    size_t room;
    uint8_t bytes [];
} blob_t;

/*  Bytes, and the blob in which they lie, if that may have another owner. */
typedef struct {
    blob_t *blob;           /* NULL: they are to be copied */
    uint8_t *bytes;
    size_t size;
} blob_part_t;

/*  A blob with one owner, the caller; NULL when out of memory. */
blob_t *blob_new (size_t room);

/*  Another owner. Returns self. */
blob_t *blob_share (blob_t *self);

/*  Is the caller the only owner? */
bool blob_is_ours (blob_t *self);

/*  One owner less; *self_p is set to NULL. */
void blob_release (blob_t **self_p);

#endif
