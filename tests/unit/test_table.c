/*  test_table.c - the hash of tables whose keys come from peers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <string.h>

#include "base/table.h"

Test (table, the_same_bytes_have_the_same_hash_wherever_they_lie)
{
    char bytes [40] = "xworker-1";
    for (size_t size = 0; size < 32; size++) {
        char other [48];
        memcpy (other + 3, bytes + 1, size);
        cr_assert_eq (table_hash (bytes + 1, size), table_hash (other + 3, size), "%zu", size);
    }
}

/*  Of 32 bits, each is as often set as not. */
Test (table, each_byte_and_the_size_count)
{
    unsigned set [32] = { 0 }, count = 0;
    for (size_t size = 1; size < 32; size++)
        for (size_t at = 0; at < size; at++) {
            uint8_t bytes [32] = { 0 };
            unsigned before = table_hash (bytes, size);
            bytes [at] ^= 1;
            unsigned change = before ^ table_hash (bytes, size);
            cr_assert_neq (change, 0);
            for (int bit = 0; bit < 32; bit++)
                set [bit] += change >> bit & 1;
            count++;
        }
    for (int bit = 0; bit < 32; bit++)
        cr_assert (set [bit] > count / 4 && set [bit] < count * 3 / 4, "bit %d: %u of %u", bit, set [bit], count);
    cr_assert_neq (table_hash ("\0", 1), table_hash ("\0\0", 2));
}

/*  Two session ids that are one to uthash's own hash, which everybody can compute. */
Test (table, keys_that_were_chosen_to_collide_do_not)
{
    static const uint8_t one [16] =
        { 0xaa, 0xd8, 0xc8, 0x45, 0x39, 0xe1, 0xf3, 0x87, 0x54, 0x86, 0x95, 0xc1, 0xca, 0x2c, 0xfb, 0x8e };
    static const uint8_t other [16] =
        { 0xbc, 0xf5, 0xa6, 0x05, 0x9b, 0x6c, 0xe1, 0x73, 0x30, 0xe6, 0xf6, 0xa9, 0x10, 0xa3, 0x62, 0xf4 };
    unsigned jenkins_one, jenkins_other;
    HASH_JEN (one, sizeof one, jenkins_one);
    HASH_JEN (other, sizeof other, jenkins_other);
    cr_assert_eq (jenkins_one, jenkins_other);
    cr_assert_neq (table_hash (one, sizeof one), table_hash (other, sizeof other));
}
