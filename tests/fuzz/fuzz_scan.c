/*  fuzz_scan.c - the scan against its reference, on any bytes

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The first byte of an input chooses the form and the limits.
*/
#include "fuzz.h"
#include "require.h"
#include "scan_reference.h"

static void
check_parts (const uint8_t *bytes, scan_form_t form, const scan_message_t *message)
{
    scan_message_t split;
    scan_split (bytes, message->size, form, &split);
    require (split.size == message->size && split.data == message->data && split.data_size == message->data_size
        && split.source == message->source && split.source_size == message->source_size
        && split.cmd == message->cmd && split.cmd_size == message->cmd_size && split.kind == message->kind
        && split.stream == message->stream && split.position == message->position, "split into other parts");
    require (scan_name (message->cmd, message->cmd_size), "cmd is no name");
    require (scan_data (message->data, message->data_size, &(scan_limits_t) { 0 }) == MUSTER_REFUSAL_NONE,
        "data alone is refused");
}

static void
check_message (const uint8_t *bytes, size_t size, scan_form_t form, const scan_limits_t *limits)
{
    scan_message_t message;
    size_t expected_size;
    muster_refusal_t verdict = scan_whole (bytes, size, form, limits, &message);
    require (verdict == scan_reference (bytes, size, form, limits, &expected_size), "another verdict");
    if (verdict)
        return;
    require (message.size == expected_size, "another size");
    check_parts (bytes, form, &message);
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return 0;
    const uint8_t choice = *bytes;
    const scan_limits_t limits = { .depth = choice & 2 ? 64 : choice >> 5, .message_size = choice & 4 ? 0 : 64 };
    check_message (bytes + 1, size - 1, choice & 1 ? SCAN_SESSION : SCAN_PLAIN, &limits);
    require (scan_data (bytes + 1, size - 1, &limits) == scan_reference_data (bytes + 1, size - 1, &limits),
        "another verdict on data");
    return 0;
}
