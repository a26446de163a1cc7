/*  keyfiles.c - making keys, and saying whose may do what

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "keyfiles.h"

#include "arguments.h"
#include "errors.h"

#define REASON_ROOM 768

PyDoc_STRVAR (generate_doc,
"generate_keys($module, name, /)\n--\n\n"
"Make NAME.key and NAME.pub. Raises as muster.keys.generate.");

static PyObject *
generate_keys (PyObject *module, PyObject *name)
{
    (void) module;
    char reason [REASON_ROOM] = "";
    muster_error_t error = 0;
    PyObject *kept;
    const char *path = arguments_path (name, "name", &kept);
    if (path)
        CALL (error, muster_keys_generate (path, reason, sizeof reason));
    Py_XDECREF (kept);
    return path ? errors_none (error, reason) : NULL;
}

/*  The files that enrol and revoke are given. */
typedef struct {
    const char *allow, *public;
    PyObject *kept_allow, *kept_public;
} files_t;

/*  The caller ends them, whatever comes of it. */
static int
take_files (files_t *self, PyObject *allow, PyObject *public)
{
    *self = (files_t) { .allow = NULL };
    self->allow = arguments_path (allow, "allow", &self->kept_allow);
    if (self->allow)
        self->public = arguments_path (public, "public", &self->kept_public);
    return self->public ? 0 : -1;
}

static void
end_files (files_t *self)
{
    Py_CLEAR (self->kept_allow);
    Py_CLEAR (self->kept_public);
}

PyDoc_STRVAR (enrol_doc,
"enrol_key($module, allow, public, sources, /)\n--\n\n"
"Allow the key in public the sources, an iterable of str. Raises as muster.keys.enrol.");

static PyObject *
enrol_key (PyObject *module, PyObject *arguments)
{
    (void) module;
    char reason [REASON_ROOM] = "";
    muster_error_t error = 0;
    PyObject *allow, *public, *sources;
    files_t files;
    names_t names = { .count = 0 };
    if (!PyArg_ParseTuple (arguments, "OOO:enrol_key", &allow, &public, &sources))
        return NULL;
    int rc = take_files (&files, allow, public);
    if (!rc)
        rc = arguments_names (sources, "sources must be an iterable of str", &names);
    if (!rc)
        CALL (error, muster_keys_enrol (files.allow, files.public, names.names, names.count, reason, sizeof reason));
    arguments_names_end (&names);
    end_files (&files);
    return rc ? NULL : errors_none (error, reason);
}

PyDoc_STRVAR (revoke_doc,
"revoke_key($module, allow, public, /)\n--\n\n"
"Take the key in public out of the allow file. Raises as muster.keys.revoke.");

static PyObject *
revoke_key (PyObject *module, PyObject *arguments)
{
    (void) module;
    char reason [REASON_ROOM] = "";
    muster_error_t error = 0;
    PyObject *allow, *public;
    files_t files;
    if (!PyArg_ParseTuple (arguments, "OO:revoke_key", &allow, &public))
        return NULL;
    int rc = take_files (&files, allow, public);
    if (!rc)
        CALL (error, muster_keys_revoke (files.allow, files.public, reason, sizeof reason));
    end_files (&files);
    return rc ? NULL : errors_none (error, reason);
}

static PyMethodDef functions [] = {
    { "generate_keys", generate_keys, METH_O, generate_doc },
    { "enrol_key", enrol_key, METH_VARARGS, enrol_doc },
    { "revoke_key", revoke_key, METH_VARARGS, revoke_doc },
    { NULL, NULL, 0, NULL }
};

int
keyfiles_init (PyObject *module)
{
    return PyModule_AddFunctions (module, functions);
}
