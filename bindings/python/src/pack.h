/*  pack.h - from Python's values to msgpack

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef PACK_H_INCLUDED
#define PACK_H_INCLUDED

#include "core.h"

int pack_init (void);

/*  Write data, a dict (None or NULL: an empty one), into a writer for one call: from a store of a few, which
    pack_return fills. Exceptions: TypeError for what msgpack has no form for, OverflowError
    for an int beyond 64 bits, ValueError for text that is no Unicode and for too many
    levels, RuntimeError for a container that changes meanwhile; each names the
    place, data["a"][3]. */
muster_writer_t *pack_data (PyObject *data);
void pack_return (muster_writer_t *writer);

#endif
