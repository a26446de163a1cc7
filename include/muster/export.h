/*  export.h - what the shared library shows

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef MUSTER_EXPORT_H_INCLUDED
#define MUSTER_EXPORT_H_INCLUDED

#define MUSTER_EXPORT __attribute__ ((visibility ("default")))
#define MUSTER_CHECK_RESULT __attribute__ ((warn_unused_result))

#ifdef __cplusplus
#define MUSTER_BEGIN_DECLS extern "C" {
#define MUSTER_END_DECLS }
#else
#define MUSTER_BEGIN_DECLS
#define MUSTER_END_DECLS
#endif

#endif
