/*  array.c - NumPy's arrays, in and out

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "array.h"

#include <string.h>

#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#include <numpy/arrayobject.h>
#include <numpy/arrayscalars.h>

/*  NumPy is imported with the first array that comes or goes: whoever has none does not
    wait for it. The package comes first, as where a program imports it: two threads that
    take Python's locks of its modules in another order can lock each other out. */
static bool imported;       /* guarded by the GIL */

static int
need_numpy (void)
{
    if (imported)
        return 0;
    PyObject *numpy = PyImport_ImportModule ("numpy");
    Py_XDECREF (numpy);
    if (!numpy || _import_array () < 0)     /* import_array1 would print the exception */
        return -1;
    imported = true;
    return 0;
}

/*  Before NumPy is there, nothing is of it. */
static bool
has_numpy (void)
{
    if (imported)
        return true;
    if (!PyDict_GetItemString (PyImport_GetModuleDict (), "numpy"))
        return false;
    if (need_numpy () == 0)
        return true;
    PyErr_Clear ();
    return false;
}

bool
array_is (PyObject *value)
{
    return has_numpy () && PyArray_Check (value);
}

bool
array_is_scalar (PyObject *value)
{
    return has_numpy () && PyArray_IsScalar (value, Generic);
}

PyObject *
array_scalar_item (PyObject *scalar)
{
    if (PyArray_IsScalar (scalar, Datetime) || PyArray_IsScalar (scalar, Timedelta))
        return Py_NewRef (scalar);
    return PyObject_CallMethod (scalar, "item", NULL);
}

/*  --------------------------------------------------------------------------
    Out */

/*  False if the kind of the dtype, or its size, is none that the protocol has. */
static bool
dtype_text (const PyArray_Descr *dtype, char *text)
{
    if (!strchr ("biufc", dtype->kind) || dtype->elsize > 16)
        return false;
    char order = dtype->byteorder;
    if (order == '=')
        order = NPY_NATBYTE;
    snprintf (text, sizeof ((muster_array_t *) 0)->dtype, "%c%c%hhu", order, dtype->kind, (unsigned char) dtype->elsize);
    return true;
}

static int
write_contiguous (muster_writer_t *writer, PyArrayObject *array, muster_array_t *view)
{
    view->dims = (size_t) PyArray_NDIM (array);
    for (size_t i = 0; i < view->dims; i++)
        view->shape [i] = (uint64_t) PyArray_DIM (array, (int) i);
    view->bytes = PyArray_DATA (array);
    view->size = (size_t) PyArray_NBYTES (array);
    muster_writer_array (writer, view);
    return 0;
}

/*  Its mask would be lost. */
static bool
is_masked (PyObject *value)
{
    return !PyArray_CheckExact (value) && PyObject_HasAttrString (value, "_mask");
}

int
array_write (muster_writer_t *writer, PyObject *value, const char **trouble)
{
    if (is_masked (value)) {
        *trouble = "masked array: fill it first";
        return -1;
    }
    PyArrayObject *array = (PyArrayObject *) PyArray_FromAny (
        value, NULL, 0, 0, NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ENSUREARRAY, NULL);
    if (!array)
        return -1;
    muster_array_t view = { .dims = 0 };
    int rc = -1;
    if (PyArray_NDIM (array) > MUSTER_ARRAY_DIMS_MAX)
        *trouble = "array of more than 32 dimensions";
    else
    if (!dtype_text (PyArray_DESCR (array), view.dtype))
        *trouble = "array whose dtype is no boolean, integer, float or complex number of up to 16 bytes";
    else
        rc = write_contiguous (writer, array, &view);
    Py_DECREF (array);
    return rc;
}

/*  --------------------------------------------------------------------------
    In */

static PyArray_Descr *
dtype_new (const char *text)
{
    PyObject *name = PyUnicode_FromString (text);
    PyArray_Descr *dtype = NULL;
    if (name && PyArray_DescrConverter (name, &dtype) == NPY_FAIL)
        dtype = NULL;
    Py_XDECREF (name);
    return dtype;
}

static bool
is_aligned (const muster_array_t *array, const PyArray_Descr *dtype)
{
    return (uintptr_t) array->bytes % (size_t) (dtype->alignment > 0 ? dtype->alignment : 1) == 0;
}

static PyObject *
new_view (const muster_array_t *array, PyArray_Descr *dtype, npy_intp *shape, PyObject *owner)
{
    PyObject *view = PyArray_NewFromDescr (&PyArray_Type, dtype, (int) array->dims, shape,
        NULL, (void *) array->bytes, NPY_ARRAY_CARRAY, NULL);
    if (!view)
        return NULL;
    Py_INCREF (owner);
    if (PyArray_SetBaseObject ((PyArrayObject *) view, owner) == 0)
        return view;
    Py_DECREF (view);
    return NULL;
}

static PyObject *
new_copy (const muster_array_t *array, PyArray_Descr *dtype, npy_intp *shape)
{
    PyObject *copy = PyArray_NewFromDescr (&PyArray_Type, dtype, (int) array->dims, shape, NULL, NULL, 0, NULL);
    if (copy)
        memcpy (PyArray_DATA ((PyArrayObject *) copy), array->bytes, array->size);
    return copy;
}

PyObject *
array_new (const muster_array_t *array, PyObject *owner)
{
    npy_intp shape [MUSTER_ARRAY_DIMS_MAX];
    for (size_t i = 0; i < array->dims; i++)
        shape [i] = (npy_intp) array->shape [i];
    if (need_numpy ())
        return NULL;
    PyArray_Descr *dtype = dtype_new (array->dtype);
    if (!dtype)
        return NULL;
    return owner && is_aligned (array, dtype)
        ? new_view (array, dtype, shape, owner) : new_copy (array, dtype, shape);
}
