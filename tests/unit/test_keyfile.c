/*  test_keyfile.c - the files of keys and of who is enrolled, read

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <muster/keys.h>

#include "base/alloc.h"
#include "model/endpoint.h"
#include "net/keyfile.h"
#include "place.h"
#include "secret.h"

#define ANNA "AVs+oGO=3H1HCHraKjVT&]J(Dn()u[<O#P-&2<*&"
#define BEN "KP/o1WIdeCsuF73={5<>V*rQV/?Dfr5d8(7@ihz("

static void
generate (const char *name)
{
    char reason [REASON_ROOM];
    cr_assert_eq (muster_keys_generate (name, reason, sizeof reason), 0, "%s", reason);
}

/*  Make keys in another process. */
static void
have_generated (const char *name)
{
    int status;
    pid_t child = fork ();
    if (child == 0)
        _exit (muster_keys_generate (name, NULL, 0) != 0);
    cr_assert (waitpid (child, &status, 0) == child && status == 0);
}

static void
enter (void)
{
    place_enter ();
    have_generated ("worker");
}

static void
assert_reason (const char *reason, const char *expected)
{
    cr_assert_str_eq (reason, expected);
}

static void
assert_no_secret (const char *path, muster_error_t expected, const char *expected_reason)
{
    static const keypair_t nothing;
    keypair_t keys;
    char reason [REASON_ROOM] = "";
    memset (&keys, 'x', sizeof keys);
    muster_error_t error = keyfile_load_secret (path, &keys, reason);
    cr_assert_eq (error, expected, "%s: %s", muster_error_name (error), reason);
    assert_reason (reason, expected_reason);
    cr_assert_arr_eq (&keys, &nothing, sizeof keys);
}

static void
assert_no_public (const char *path, muster_error_t expected, const char *expected_reason)
{
    char key [Z85_KEY + 1];
    char reason [REASON_ROOM] = "";
    muster_error_t error = keyfile_load_public (path, key, reason);
    cr_assert_eq (error, expected, "%s: %s", muster_error_name (error), reason);
    assert_reason (reason, expected_reason);
}

static void
assert_no_allow (const char *path, muster_error_t expected, const char *expected_reason)
{
    allow_t *allow;
    char reason [REASON_ROOM] = "";
    muster_error_t error = keyfile_load_allow (path, &allow, reason);
    cr_assert_eq (error, expected, "%s: %s", muster_error_name (error), reason);
    cr_assert_null (allow);
    assert_reason (reason, expected_reason);
}

TestSuite (keyfile, .init = enter, .fini = place_leave);

/*  --------------------------------------------------------------------------
    Keys */

Test (keyfile, has_a_pair_of_keys)
{
    keypair_t keys;
    char public_key [Z85_KEY + 1];
    char reason [REASON_ROOM] = "";
    cr_assert_eq (keyfile_load_secret ("worker.key", &keys, reason), 0, "%s", reason);
    cr_assert_eq (keyfile_load_public ("worker.pub", public_key, reason), 0, "%s", reason);
    cr_assert_str_eq (keys.public_key, public_key);
    cr_assert_eq (strlen (keys.secret_key), Z85_KEY);
    keyfile_wipe (&keys);
}

Test (keyfile, of_a_secret_may_be_a_symbolic_link)
{
    keypair_t keys;
    char reason [REASON_ROOM] = "";
    cr_assert_eq (symlink ("worker.key", "link"), 0);
    cr_assert_eq (keyfile_load_secret ("link", &keys, reason), 0, "%s", reason);
    keyfile_wipe (&keys);
}

Test (keyfile, of_a_secret_is_refused_if_others_can_use_it)
{
    static const struct {
        mode_t mode;
        const char *reason;
    } cases [] = {
        { 0644, "worker.key: others can read it: chmod 600 worker.key" },
        { 0640, "worker.key: others can read it: chmod 600 worker.key" },
        { 0604, "worker.key: others can read it: chmod 600 worker.key" },
        { 0666, "worker.key: others can read it: chmod 600 worker.key" },
        { 0620, "worker.key: others can write it: chmod 600 worker.key" },
        { 0602, "worker.key: others can write it: chmod 600 worker.key" },
        { 0611, "worker.key: others can use it: chmod 600 worker.key" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases [0]; i++) {
        cr_assert_eq (chmod ("worker.key", cases [i].mode), 0);
        assert_no_secret ("worker.key", MUSTER_ACCESS, cases [i].reason);
    }
}

Test (keyfile, of_a_secret_is_accepted_if_only_its_owner_can_use_it)
{
    static const mode_t modes [] = { 0600, 0400, 0700 };
    for (size_t i = 0; i < sizeof modes / sizeof modes [0]; i++) {
        keypair_t keys;
        char reason [REASON_ROOM] = "";
        cr_assert_eq (chmod ("worker.key", modes [i]), 0);
        cr_assert_eq (keyfile_load_secret ("worker.key", &keys, reason), 0, "%s", reason);
        keyfile_wipe (&keys);
    }
}

Test (keyfile, names_a_command_that_can_be_typed)
{
    static const struct {
        const char *path;
        const char *reason;
    } cases [] = {
        { "./a b", "./a b: others can read it: chmod 600 './a b'" },
        { "-r", "-r: others can read it: chmod 600 ./-r" },
        { "it's", "it's: others can read it: chmod 600 $'it\\x27s'" },
        { "a\nb", "a\\x0ab: others can read it: chmod 600 $'a\\x0ab'" },
        { "-\n", "-\\x0a: others can read it: chmod 600 $'./-\\x0a'" },
        { "a\\b", "a\\x5cb: others can read it: chmod 600 $'a\\x5cb'" },
        { "$(x)", "$(x): others can read it: chmod 600 '$(x)'" },
        { "\xc3\xa9", "\xc3\xa9: others can read it: chmod 600 '\xc3\xa9'" },
        { "\xff", "\\xff: others can read it: chmod 600 $'\\xff'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases [0]; i++) {
        cr_assert_eq (rename ("worker.key", cases [i].path), 0);
        cr_assert_eq (chmod (cases [i].path, 0644), 0);
        assert_no_secret (cases [i].path, MUSTER_ACCESS, cases [i].reason);
        cr_assert_eq (rename (cases [i].path, "worker.key"), 0);
    }
}

Test (keyfile, names_no_command_for_a_path_that_is_too_long)
{
    char path [400];
    char reason [REASON_ROOM];
    keypair_t keys;
    memset (path, 0, sizeof path);
    for (size_t size = 0; size < 300; size += 2)
        memcpy (path + size, "./", 2);
    strcat (path, "worker.key");
    cr_assert_eq (chmod ("worker.key", 0644), 0);
    cr_assert_eq (keyfile_load_secret (path, &keys, reason), MUSTER_ACCESS);
    cr_assert_not_null (strstr (reason, "...: others can read it: chmod 600 FILE"), "%s", reason);
}

Test (keyfile, of_the_other_kind_is_refused)
{
    assert_no_secret ("worker.pub", MUSTER_FORMAT, "worker.pub: has no secret key: give the .key file");
    assert_no_public ("worker.key", MUSTER_FORMAT,
        "worker.key: is a secret key file: give worker.pub, and do not pass the secret on");
    cr_assert_eq (rename ("worker.key", "a b.key"), 0);
    assert_no_public ("a b.key", MUSTER_FORMAT,
        "a b.key: is a secret key file: give 'a b.pub', and do not pass the secret on");
    cr_assert_eq (rename ("a b.key", "secret"), 0);
    assert_no_public ("secret", MUSTER_FORMAT,
        "secret: is a secret key file: give its .pub file, and do not pass the secret on");
}

Test (keyfile, needs_keys_that_belong_together)
{
    keypair_t keys, others;
    char text [CERTIFICATE_ROOM];
    char reason [REASON_ROOM];
    generate ("other");
    cr_assert_eq (keyfile_load_secret ("worker.key", &keys, reason), 0);
    cr_assert_eq (keyfile_load_secret ("other.key", &others, reason), 0);
    memcpy (keys.public_key, others.public_key, sizeof keys.public_key);
    place_write ("worker.key", text, certificate_write_secret (&keys, text), 0600);
    assert_no_secret ("worker.key", MUSTER_FORMAT, "worker.key: its public key does not belong to its secret key");
}

Test (keyfile, that_is_missing_is_named)
{
    assert_no_secret ("none.key", MUSTER_NOTFOUND, "none.key: No such file or directory");
    assert_no_public ("none.pub", MUSTER_NOTFOUND, "none.pub: No such file or directory");
    assert_no_allow ("none", MUSTER_NOTFOUND, "none: No such file or directory");
    assert_no_allow ("worker.pub/x", MUSTER_NOTFOUND, "worker.pub/x: Not a directory");
    assert_no_allow ("", MUSTER_NOTFOUND, ": No such file or directory");
}

Test (keyfile, that_may_not_be_read_is_named)
{
    place_write_text ("allow", "", 0200);
    cr_assert_eq (chmod ("worker.key", 0) | chmod ("worker.pub", 0), 0);
    place_become_nobody ();
    assert_no_secret ("worker.key", MUSTER_ACCESS, "worker.key: Permission denied");
    assert_no_public ("worker.pub", MUSTER_ACCESS, "worker.pub: Permission denied");
    assert_no_allow ("allow", MUSTER_ACCESS, "allow: Permission denied");
}

Test (keyfile, is_a_regular_file)
{
    cr_assert_eq (mkdir ("directory", 0700), 0);
    assert_no_secret ("directory", MUSTER_FORMAT, "directory: is a directory, not a file");
    assert_no_public ("directory", MUSTER_FORMAT, "directory: is a directory, not a file");
    assert_no_allow ("directory", MUSTER_FORMAT, "directory: is a directory, not a file");
    assert_no_secret ("/dev/zero", MUSTER_FORMAT, "/dev/zero: is no regular file");
}

Test (keyfile, that_is_a_fifo_is_not_waited_for)
{
    cr_assert_eq (mkfifo ("fifo", 0600), 0);
    assert_no_secret ("fifo", MUSTER_FORMAT, "fifo: is no regular file");
    assert_no_public ("fifo", MUSTER_FORMAT, "fifo: is no regular file");
    assert_no_allow ("fifo", MUSTER_FORMAT, "fifo: is no regular file");
}

Test (keyfile, that_is_huge_is_not_read)
{
    place_write ("huge", "", 0, 0600);
    cr_assert_eq (truncate ("huge", (off_t) 1 << 40), 0);
    assert_no_secret ("huge", MUSTER_FORMAT, "huge: is larger than 65536 bytes");
    assert_no_public ("huge", MUSTER_FORMAT, "huge: is larger than 65536 bytes");
    assert_no_allow ("huge", MUSTER_FORMAT, "huge: is larger than 16777216 bytes");
}

Test (keyfile, that_is_longer_than_it_says_is_refused)
{
    assert_no_public ("/proc/self/status", MUSTER_SYSTEM, "/proc/self/status: it grew while it was read: try again");
}

Test (keyfile, with_a_line_that_is_wrong_is_named_with_the_line)
{
    place_write_text ("bad", "# x\ncurve\n    public-key = \"?\"\n", 0600);
    assert_no_secret ("bad", MUSTER_FORMAT, "bad: line 3: its value is no key, 40 characters of Z85 in quotes");
    assert_no_public ("bad", MUSTER_FORMAT, "bad: line 3: its value is no key, 40 characters of Z85 in quotes");
    place_write_text ("empty", "", 0600);
    assert_no_secret ("empty", MUSTER_FORMAT, "empty: there is no public-key in a section curve: it is no key file");
}

/*  --------------------------------------------------------------------------
    Who is enrolled */

Test (keyfile, has_an_allow_list)
{
    allow_t *allow;
    char reason [REASON_ROOM] = "";
    place_write_text ("allow", "# x\ncurve " ANNA " a\n", 0644);
    cr_assert_eq (keyfile_load_allow ("allow", &allow, reason), 0, "%s", reason);
    cr_assert_eq (allow_count (allow), 1);
    cr_assert (allow_entry_may (allow_find (allow, ANNA), "a", 1));
    allow_release (&allow);
}

Test (keyfile, of_an_allow_list_may_be_empty)
{
    allow_t *allow;
    char reason [REASON_ROOM] = "";
    place_write_text ("allow", "", 0444);
    cr_assert_eq (keyfile_load_allow ("allow", &allow, reason), 0, "%s", reason);
    cr_assert_eq (allow_count (allow), 0);
    allow_release (&allow);
}

Test (keyfile, of_an_allow_list_is_refused_if_others_can_write_it)
{
    static const mode_t modes [] = { 0664, 0646, 0666, 0620 };
    for (size_t i = 0; i < sizeof modes / sizeof modes [0]; i++) {
        place_write_text ("allow", "", modes [i]);
        assert_no_allow ("allow", MUSTER_ACCESS, "allow: others can write it: chmod go-w allow");
    }
}

Test (keyfile, of_an_allow_list_is_refused_if_it_belongs_to_another_user)
{
    if (geteuid () != 0)
        return;
    place_write_text ("allow", "", 0644);
    cr_assert_eq (chown ("allow", 65534, (gid_t) -1), 0);
    assert_no_allow ("allow", MUSTER_ACCESS, "allow: belongs to another user, who can write it: chown 0 allow");
}

Test (keyfile, of_an_allow_list_names_the_line_that_is_wrong)
{
    place_write_text ("allow", "curve " ANNA " a\n\n\ncurve " BEN " b\n\n\ncurve " ANNA " c\n", 0644);
    assert_no_allow ("allow", MUSTER_FORMAT, "allow: line 7: the key of line 1 again: make one line of both");
}

/*  --------------------------------------------------------------------------
    Memory */

Test (keyfile, leaves_no_secret_in_memory)
{
    secret_t secret = secret_of ("worker.key");
    char reason [REASON_ROOM] = "";
    keypair_t keys;
    cr_assert_not (secret_text_is_in_memory (&secret));
    cr_assert_eq (keyfile_load_secret ("worker.key", &keys, reason), 0, "%s", reason);
    cr_assert (secret_text_is_in_memory (&secret));
    keyfile_wipe (&keys);
    cr_assert_not (secret_bytes_are_in_memory (&secret));
    cr_assert_not (secret_text_is_in_memory (&secret));
}

static void
assert_error_leaves_no_secret (const secret_t *secret, muster_error_t expected)
{
    char reason [REASON_ROOM];
    char public_key [Z85_KEY + 1];
    keypair_t keys;
    cr_assert_eq (keyfile_load_secret ("worker.key", &keys, reason), expected);
    cr_assert_eq (keyfile_load_public ("worker.key", public_key, reason), MUSTER_FORMAT);
    cr_assert_not (secret_bytes_are_in_memory (secret));
    cr_assert_not (secret_text_is_in_memory (secret));
}

Test (keyfile, leaves_no_secret_in_memory_after_an_error)
{
    secret_t secret = secret_of ("worker.key");
    cr_assert_eq (chmod ("worker.key", 0644), 0);
    assert_error_leaves_no_secret (&secret, MUSTER_ACCESS);
    cr_assert_eq (chmod ("worker.key", 0600), 0);
    cr_assert_eq (system ("echo '?' >> worker.key"), 0);
    assert_error_leaves_no_secret (&secret, MUSTER_FORMAT);
    cr_assert_eq (system ("sed -i '/^?/d; s|public-key = .*|public-key = \"" BEN "\"|' worker.key"), 0);
    assert_error_leaves_no_secret (&secret, MUSTER_FORMAT);
}

static void *
generate_new (void *arg)
{
    generate ("new");
    return arg;
}

/*  The stack of a thread that has ended stays as it left it. */
Test (keyfile, making_keys_leaves_no_secret_in_memory)
{
    pthread_t thread;
    cr_assert_eq (pthread_create (&thread, NULL, generate_new, NULL), 0);
    cr_assert_eq (pthread_join (thread, NULL), 0);
    secret_t secret = secret_of ("new.key");
    cr_assert_not (secret_bytes_are_in_memory (&secret));
    cr_assert_not (secret_text_is_in_memory (&secret));
}

Test (keyfile, says_when_there_is_no_memory)
{
    keypair_t keys;
    char public_key [Z85_KEY + 1];
    char reason [REASON_ROOM];
    alloc_fail_from (1);
    cr_assert_eq (keyfile_load_secret ("worker.key", &keys, reason), MUSTER_NOMEM);
    cr_assert_eq (keyfile_load_public ("worker.pub", public_key, reason), MUSTER_NOMEM);
    alloc_fail_from (0);
    assert_reason (reason, "worker.pub: out of memory");
    muster_error_t error = MUSTER_NOMEM;
    allow_t *allow = NULL;
    place_write_text ("allow", "curve " ANNA " a\n", 0644);
    for (size_t nth = 1; error; nth++) {
        alloc_fail_from (nth);
        error = keyfile_load_allow ("allow", &allow, reason);
        alloc_fail_from (0);
        cr_assert (!error || (error == MUSTER_NOMEM && !allow));
    }
    allow_release (&allow);
}
