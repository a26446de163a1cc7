/*  picture.c - packing arguments by a picture

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "wire/picture.h"

#include <string.h>

#include "wire/array.h"
#include "wire/syntax.h"
#include "wire/utf8.h"
#include "wire/writer.h"

/*  va_list in a struct, as it cannot be handed on by pointer everywhere. */
typedef struct {
    muster_writer_t *writer;
    va_list arguments;
} packer_t;

static muster_error_t
pack_text (packer_t *self, bool sized)
{
    const char *text = va_arg (self->arguments, const char *);
    size_t size = sized ? va_arg (self->arguments, size_t) : text ? strlen (text) : 0;
    if (!text || !utf8_valid ((const uint8_t *) text, size))
        return MUSTER_INVAL;
    muster_writer_str (self->writer, text, size);
    return MUSTER_OK;
}

static muster_error_t
pack_bin (packer_t *self)
{
    const void *bytes = va_arg (self->arguments, const void *);
    size_t size = va_arg (self->arguments, size_t);
    if (!bytes && size > 0)
        return MUSTER_INVAL;
    muster_writer_bin (self->writer, bytes, size);
    return MUSTER_OK;
}

/*  The writer would keep the error; a bad argument is no fault of its. */
static muster_error_t
pack_array (packer_t *self)
{
    const muster_array_t *array = va_arg (self->arguments, const muster_array_t *);
    if (!array || !array_valid (array) || (!array->bytes && array->size > 0))
        return MUSTER_INVAL;
    muster_writer_array (self->writer, array);
    return MUSTER_OK;
}

static muster_error_t
pack_object (packer_t *self)
{
    const void *bytes = va_arg (self->arguments, const void *);
    size_t size = va_arg (self->arguments, size_t);
    muster_reader_t reader;
    if (!bytes)
        return MUSTER_INVAL;
    muster_reader_init (&reader, bytes, size);
    if (muster_reader_skip (&reader) || reader.next != reader.end)
        return MUSTER_INVAL;
    muster_writer_raw (self->writer, bytes, size);
    return MUSTER_OK;
}

static void
pack_number (packer_t *self, char sign)
{
    switch (sign) {
        case 'b':
            muster_writer_bool (self->writer, va_arg (self->arguments, int) != 0);
            break;
        case 'i':
            muster_writer_int (self->writer, va_arg (self->arguments, int));
            break;
        case 'I':
            muster_writer_int (self->writer, va_arg (self->arguments, int64_t));
            break;
        case 'U':
            muster_writer_uint (self->writer, va_arg (self->arguments, uint64_t));
            break;
        case 'f':
            muster_writer_double (self->writer, va_arg (self->arguments, double));
            break;
        default:
            muster_writer_nil (self->writer);
    }
}

static muster_error_t
pack_sign (packer_t *self, const char *at)
{
    switch (*at) {
        case '{':
            muster_writer_map (self->writer, syntax_count (at));
            return MUSTER_OK;
        case '[':
            muster_writer_seq (self->writer, syntax_count (at));
            return MUSTER_OK;
        case '}':
        case ']':
            return MUSTER_OK;
        case 's':
            return pack_text (self, at [1] == '%');
        case 'y':
            return pack_bin (self);
        case 'A':
            return pack_array (self);
        case 'O':
            return pack_object (self);
        default:
            pack_number (self, *at);
            return MUSTER_OK;
    }
}

/*  Values are packed in the picture's order, so nesting needs no attention. */
static muster_error_t
pack_all (packer_t *self, const char *picture)
{
    for (const char *at = syntax_sign (picture); *at; at = syntax_sign (at + 1)) {
        muster_error_t error = pack_sign (self, at);
        if (error)
            return error;
    }
    return writer_error (self->writer);
}

muster_error_t
picture_pack (muster_writer_t *writer, const char *picture, va_list arguments)
{
    if (!picture) {
        muster_writer_map (writer, 0);
        return writer_error (writer);
    }
    if (!syntax_valid (picture, false))
        return MUSTER_INVAL;
    packer_t self = { .writer = writer };
    size_t mark = writer_mark (writer);
    va_copy (self.arguments, arguments);
    muster_error_t error = pack_all (&self, picture);
    va_end (self.arguments);
    if (error)
        writer_rewind (writer, mark);
    return error;
}

muster_error_t
picture_pack_new (muster_writer_t **writer, const char *picture, va_list arguments)
{
    *writer = muster_writer_new ();
    return *writer ? picture_pack (*writer, picture, arguments) : MUSTER_NOMEM;
}
