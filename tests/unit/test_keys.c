/*  test_keys.c - making keys, and saying whose may do what

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <muster/keys.h>

#include "base/alloc.h"
#include "model/endpoint.h"
#include "net/keyfile.h"
#include "place.h"

#define ANNA "AVs+oGO=3H1HCHraKjVT&]J(Dn()u[<O#P-&2<*&"
#define BEN "KP/o1WIdeCsuF73={5<>V*rQV/?Dfr5d8(7@ihz("

#define PUBLIC_FILE(key) "curve\n    public-key = \"" key "\"\n"

static void
enter (void)
{
    place_enter ();
    place_write_text ("anna.pub", PUBLIC_FILE (ANNA), 0644);
    place_write_text ("ben.pub", PUBLIC_FILE (BEN), 0644);
}

static void
assert_text (const char *name, const char *expected)
{
    char *text = place_read (name);
    cr_assert_str_eq (text, expected);
    free (text);
}

static void
assert_error (muster_error_t error, muster_error_t expected, const char *reason, const char *expected_reason)
{
    cr_assert_eq (error, expected, "%s: %s", muster_error_name (error), reason);
    cr_assert_str_eq (reason, expected_reason);
}

/*  --------------------------------------------------------------------------
    Making keys */

static void
assert_generated (const char *name)
{
    char reason [REASON_ROOM] = "x";
    assert_error (muster_keys_generate (name, reason, sizeof reason), 0, reason, "");
}

static void
assert_not_generated (const char *name, muster_error_t expected, const char *expected_reason)
{
    char reason [REASON_ROOM] = "";
    assert_error (muster_keys_generate (name, reason, sizeof reason), expected, reason, expected_reason);
}

TestSuite (keys_generate, .init = place_enter, .fini = place_leave);

Test (keys_generate, makes_files_that_can_be_read_again)
{
    keypair_t keys;
    char public_key [Z85_KEY + 1];
    char reason [REASON_ROOM] = "";
    assert_generated ("worker");
    cr_assert_eq (place_count (), 2);
    cr_assert_eq (keyfile_load_secret ("worker.key", &keys, reason), 0, "%s", reason);
    cr_assert_eq (keyfile_load_public ("worker.pub", public_key, reason), 0, "%s", reason);
    cr_assert_str_eq (keys.public_key, public_key);
}

Test (keys_generate, makes_other_keys_each_time)
{
    char one [Z85_KEY + 1], other [Z85_KEY + 1];
    char reason [REASON_ROOM];
    assert_generated ("one");
    assert_generated ("other");
    cr_assert_eq (keyfile_load_public ("one.pub", one, reason), 0);
    cr_assert_eq (keyfile_load_public ("other.pub", other, reason), 0);
    cr_assert_str_neq (one, other);
}

Test (keys_generate, keeps_the_secret_from_others_whatever_the_umask)
{
    static const struct {
        mode_t mask, public_mode;
    } cases [] = { { 0, 0644 }, { 022, 0644 }, { 077, 0600 }, { 0277, 0400 }, { 0777, 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases [0]; i++) {
        umask (cases [i].mask);
        assert_generated ("worker");
        cr_assert_eq (umask (cases [i].mask), cases [i].mask);
        cr_assert_eq (place_mode ("worker.key"), 0600);
        cr_assert_eq (place_mode ("worker.pub"), cases [i].public_mode);
        cr_assert_eq (unlink ("worker.key") | unlink ("worker.pub"), 0);
    }
}

Test (keys_generate, overwrites_neither_file)
{
    place_write_text ("a.key", "mine", 0640);
    assert_not_generated ("a", MUSTER_EXISTS, "a.key: is there already: take another name, or move it away");
    cr_assert_not (place_has ("a.pub"));
    assert_text ("a.key", "mine");
    cr_assert_eq (place_mode ("a.key"), 0640);
    place_write_text ("b.pub", "mine", 0640);
    assert_not_generated ("b", MUSTER_EXISTS, "b.pub: is there already: take another name, or move it away");
    cr_assert_not (place_has ("b.key"));
    assert_text ("b.pub", "mine");
}

Test (keys_generate, follows_no_symbolic_link)
{
    cr_assert_eq (symlink ("elsewhere", "a.key") | symlink ("elsewhere", "b.pub"), 0);
    assert_not_generated ("a", MUSTER_EXISTS, "a.key: is there already: take another name, or move it away");
    assert_not_generated ("b", MUSTER_EXISTS, "b.pub: is there already: take another name, or move it away");
    cr_assert_not (place_has ("elsewhere"));
    cr_assert_eq (place_count (), 2);
}

Test (keys_generate, needs_a_name)
{
    static const char reason [] = "keys need a name: the files are NAME.key and NAME.pub";
    assert_not_generated (NULL, MUSTER_INVAL, reason);
    assert_not_generated ("", MUSTER_INVAL, reason);
    cr_assert_eq (mkdir ("keys", 0700), 0);
    assert_not_generated ("keys/", MUSTER_INVAL, reason);
    assert_generated ("keys/a");
    cr_assert (place_has ("keys/a.key"));
}

Test (keys_generate, says_where_no_file_can_be_made)
{
    char name [300];
    char reason [REASON_ROOM];
    assert_not_generated ("no/a", MUSTER_NOTFOUND, "no/a.key: No such file or directory");
    memset (name, 'n', sizeof name - 1);
    name [sizeof name - 1] = 0;
    cr_assert_eq (muster_keys_generate (name, reason, sizeof reason), MUSTER_SYSTEM);
    cr_assert_not_null (strstr (reason, "...: File name too long"), "%s", reason);
    place_become_nobody ();
    cr_assert_eq (chmod (".", 0500), 0);
    assert_not_generated ("a", MUSTER_ACCESS, "a.key: Permission denied");
}

Test (keys_generate, takes_the_longest_name_that_a_file_can_have)
{
    char name [300] = "";
    memset (name, 'n', 255 - strlen (".key"));
    assert_generated (name);
    cr_assert_eq (place_count (), 2);
}

Test (keys_generate, leaves_nothing_where_a_file_cannot_be_written)
{
    struct rlimit limit = { .rlim_cur = 100, .rlim_max = RLIM_INFINITY };
    signal (SIGXFSZ, SIG_IGN);
    cr_assert_eq (setrlimit (RLIMIT_FSIZE, &limit), 0);
    muster_error_t error = muster_keys_generate ("a", NULL, 0);
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq (setrlimit (RLIMIT_FSIZE, &limit), 0);
    cr_assert_eq (error, MUSTER_SYSTEM);
    cr_assert_eq (place_count (), 0);
}

Test (keys_generate, says_when_there_is_no_memory)
{
    muster_error_t error = MUSTER_NOMEM;
    for (size_t nth = 1; error; nth++) {
        alloc_fail_from (nth);
        error = muster_keys_generate ("a", NULL, 0);
        alloc_fail_from (0);
        cr_assert (!error || (error == MUSTER_NOMEM && place_count () == 0));
    }
}

Test (keys_generate, gives_as_much_of_the_reason_as_there_is_room_for)
{
    char reason [8] = "1234567";
    place_write_text ("\xc3\xa9.key", "", 0600);
    cr_assert_eq (muster_keys_generate ("\xc3\xa9", NULL, 8), MUSTER_EXISTS);
    cr_assert_eq (muster_keys_generate ("\xc3\xa9", reason, 0), MUSTER_EXISTS);
    cr_assert_str_eq (reason, "1234567");
    cr_assert_eq (muster_keys_generate ("\xc3\xa9", reason, 8), MUSTER_EXISTS);
    cr_assert_str_eq (reason, "\xc3\xa9.key:");
    cr_assert_eq (muster_keys_generate ("\xc3\xa9", reason, 2), MUSTER_EXISTS);
    cr_assert_str_eq (reason, "");
    cr_assert_eq (muster_keys_generate ("b", reason, 8), 0);
    cr_assert_str_eq (reason, "");
}

/*  --------------------------------------------------------------------------
    Enrolling and revoking */

#define SOURCES(...) \
    (const char *const []) { __VA_ARGS__ }, sizeof ((const char *const []) { __VA_ARGS__ }) / sizeof (char *)

static void
assert_enrolled (const char *allow_file, const char *public_file, const char *const *sources, size_t count)
{
    char reason [REASON_ROOM] = "x";
    assert_error (muster_keys_enrol (allow_file, public_file, sources, count, reason, sizeof reason), 0, reason, "");
}

static void
assert_not_enrolled (const char *allow_file, const char *public_file, const char *const *sources, size_t count,
    muster_error_t expected, const char *expected_reason)
{
    char reason [REASON_ROOM] = "";
    assert_error (muster_keys_enrol (allow_file, public_file, sources, count, reason, sizeof reason),
        expected, reason, expected_reason);
}

static void
assert_revoked (const char *allow_file, const char *public_file)
{
    char reason [REASON_ROOM] = "x";
    assert_error (muster_keys_revoke (allow_file, public_file, reason, sizeof reason), 0, reason, "");
}

static void
assert_not_revoked (const char *allow_file, const char *public_file,
    muster_error_t expected, const char *expected_reason)
{
    char reason [REASON_ROOM] = "";
    assert_error (muster_keys_revoke (allow_file, public_file, reason, sizeof reason),
        expected, reason, expected_reason);
}

TestSuite (keys_enrol, .init = enter, .fini = place_leave);
TestSuite (keys_revoke, .init = enter, .fini = place_leave);

Test (keys_enrol, makes_the_file)
{
    umask (0);
    assert_enrolled ("allow", "anna.pub", SOURCES ("a", "b c"));
    assert_text ("allow", "curve " ANNA " a \"b c\"\n");
    cr_assert_eq (place_mode ("allow"), 0644);
    cr_assert_eq (place_count (), 3);
}

Test (keys_enrol, adds_to_the_file)
{
    place_write_text ("allow", "# mine\r\ncurve " ANNA " a # Anna\n", 0644);
    assert_enrolled ("allow", "ben.pub", SOURCES ("b"));
    assert_enrolled ("allow", "anna.pub", SOURCES ("a", "c"));
    assert_text ("allow", "# mine\r\ncurve " ANNA " a c # Anna\ncurve " BEN " b\n");
    cr_assert_eq (place_count (), 3);
}

Test (keys_enrol, leaves_a_file_that_says_so_already_alone)
{
    struct stat before, after;
    place_write_text ("allow", "curve " ANNA " a", 0644);
    cr_assert_eq (stat ("allow", &before), 0);
    assert_enrolled ("allow", "anna.pub", SOURCES ("a"));
    cr_assert_eq (stat ("allow", &after), 0);
    cr_assert_eq (before.st_ino, after.st_ino);
}

Test (keys_enrol, replaces_the_file_and_changes_none_in_place)
{
    struct stat before, after;
    place_write_text ("allow", "", 0644);
    cr_assert_eq (link ("allow", "before"), 0);
    cr_assert_eq (stat ("allow", &before), 0);
    assert_enrolled ("allow", "anna.pub", SOURCES ("a"));
    cr_assert_eq (stat ("allow", &after), 0);
    cr_assert_neq (before.st_ino, after.st_ino);
    assert_text ("before", "");
}

Test (keys_enrol, keeps_the_mode)
{
    static const mode_t modes [] = { 0600, 0640, 0644, 0444, 0755 };
    umask (077);
    for (size_t i = 0; i < sizeof modes / sizeof modes [0]; i++) {
        place_write_text ("allow", "", modes [i]);
        assert_enrolled ("allow", "anna.pub", SOURCES ("a"));
        cr_assert_eq (place_mode ("allow"), modes [i]);
    }
    cr_assert_eq (umask (077), 077);
}

Test (keys_enrol, keeps_the_owner)
{
    struct stat after;
    if (geteuid () != 0)
        return;
    place_write_text ("allow", "", 0640);
    cr_assert_eq (chown ("allow", 65534, 12345), 0);
    assert_enrolled ("allow", "anna.pub", SOURCES ("a"));
    cr_assert_eq (stat ("allow", &after), 0);
    cr_assert_eq (after.st_uid, 65534);
    cr_assert_eq (after.st_gid, 12345);
    cr_assert_eq (after.st_mode & 07777, 0640);
}

Test (keys_enrol, works_for_who_owns_the_directory_alone)
{
    place_write_text ("allow", "# x\n", 0644);
    place_become_nobody ();
    assert_enrolled ("allow", "anna.pub", SOURCES ("a"));
    assert_text ("allow", "# x\ncurve " ANNA " a\n");
}

Test (keys_enrol, follows_symbolic_links)
{
    cr_assert_eq (mkdir ("etc", 0700) | mkdir ("there", 0700), 0);
    cr_assert_eq (symlink ("etc/link", "allow") | symlink ("../there/allow", "etc/link"), 0);
    assert_enrolled ("allow", "anna.pub", SOURCES ("a"));
    assert_enrolled ("allow", "anna.pub", SOURCES ("b"));
    assert_text ("there/allow", "curve " ANNA " a b\n");
    cr_assert_eq (place_mode ("allow"), 0777);
    cr_assert_eq (unlink ("etc/link"), 0);
    char *here = realpath ("there/allow", NULL);
    cr_assert_eq (symlink (here, "etc/link"), 0);
    free (here);
    assert_revoked ("allow", "anna.pub");
    assert_text ("there/allow", "");
}

Test (keys_enrol, refuses_links_without_an_end)
{
    cr_assert_eq (symlink ("two", "one") | symlink ("one", "two"), 0);
    assert_not_enrolled ("one", "anna.pub", SOURCES ("a"), MUSTER_SYSTEM, "one: Too many levels of symbolic links");
}

Test (keys_enrol, refuses_a_path_that_is_too_long)
{
    static char path [5000];
    char reason [REASON_ROOM];
    memset (path, 'p', sizeof path - 1);
    cr_assert_eq (muster_keys_enrol (path, "anna.pub", SOURCES ("a"), reason, sizeof reason), MUSTER_SYSTEM);
    cr_assert_not_null (strstr (reason, "...: File name too long"), "%s", reason);
}

Test (keys_enrol, refuses_what_is_no_file)
{
    cr_assert_eq (mkdir ("directory", 0700) | mkfifo ("fifo", 0600), 0);
    assert_not_enrolled ("directory", "anna.pub", SOURCES ("a"),
        MUSTER_FORMAT, "directory: is a directory, not a file");
    assert_not_enrolled ("directory/", "anna.pub", SOURCES ("a"), MUSTER_FORMAT, "directory/: is no name of a file");
    assert_not_enrolled ("..", "anna.pub", SOURCES ("a"), MUSTER_FORMAT, "..: is a directory, not a file");
    assert_not_enrolled ("/", "anna.pub", SOURCES ("a"), MUSTER_FORMAT, "/: is no name of a file");
    assert_not_enrolled ("", "anna.pub", SOURCES ("a"), MUSTER_FORMAT, ": is no name of a file");
    assert_not_enrolled ("fifo", "anna.pub", SOURCES ("a"), MUSTER_FORMAT, "fifo: is no regular file");
    assert_not_enrolled ("no/allow", "anna.pub", SOURCES ("a"), MUSTER_NOTFOUND, "no/allow: No such file or directory");
}

Test (keys_enrol, refuses_arguments_that_are_none)
{
    static const char reason [] = "give an allow file, a public key file and sources";
    assert_not_enrolled (NULL, "anna.pub", SOURCES ("a"), MUSTER_INVAL, reason);
    assert_not_enrolled ("allow", NULL, SOURCES ("a"), MUSTER_INVAL, reason);
    assert_not_enrolled ("allow", "anna.pub", NULL, 0, MUSTER_INVAL, reason);
    assert_not_enrolled ("allow", "anna.pub", (const char *const []) { "a" }, 0,
        MUSTER_INVAL, "allow: no source is named");
    assert_not_enrolled ("allow", "anna.pub", SOURCES ("a\n"), MUSTER_INVAL,
        "allow: a source is 1 to 255 bytes of UTF-8 without control characters");
    cr_assert_not (place_has ("allow"));
}

Test (keys_enrol, refuses_a_public_file_that_is_none)
{
    cr_assert_eq (muster_keys_generate ("worker", NULL, 0), 0);
    assert_not_enrolled ("allow", "none.pub", SOURCES ("a"), MUSTER_NOTFOUND, "none.pub: No such file or directory");
    assert_not_enrolled ("allow", "worker.key", SOURCES ("a"), MUSTER_FORMAT,
        "worker.key: is a secret key file: give worker.pub, and do not pass the secret on");
    cr_assert_not (place_has ("allow"));
}

Test (keys_enrol, changes_no_file_that_is_wrong)
{
    place_write_text ("allow", "# x\nnonsense\n", 0644);
    assert_not_enrolled ("allow", "anna.pub", SOURCES ("a"), MUSTER_FORMAT,
        "allow: line 2: it does not begin with \"curve\": write curve KEY SOURCE...");
    assert_text ("allow", "# x\nnonsense\n");
}

Test (keys_enrol, changes_no_file_that_others_may_write)
{
    place_write_text ("allow", "", 0666);
    assert_not_enrolled ("allow", "anna.pub", SOURCES ("a"),
        MUSTER_ACCESS, "allow: others can write it: chmod go-w allow");
    assert_not_revoked ("allow", "anna.pub", MUSTER_ACCESS, "allow: others can write it: chmod go-w allow");
    assert_text ("allow", "");
}

Test (keys_enrol, says_that_it_may_not)
{
    place_write_text ("allow", "curve " BEN " b\n", 0644);
    place_become_nobody ();
    cr_assert_eq (chmod (".", 0500), 0);
    assert_not_enrolled ("allow", "anna.pub", SOURCES ("a"), MUSTER_ACCESS, "allow: Permission denied");
    assert_not_revoked ("allow", "ben.pub", MUSTER_ACCESS, "allow: Permission denied");
    assert_not_enrolled ("new", "anna.pub", SOURCES ("a"), MUSTER_ACCESS, "new: Permission denied");
}

Test (keys_enrol, leaves_the_file_as_it_was_where_no_new_one_can_be_written)
{
    struct rlimit limit = { .rlim_cur = 10, .rlim_max = RLIM_INFINITY };
    place_write_text ("allow", "# x\n", 0644);
    signal (SIGXFSZ, SIG_IGN);
    cr_assert_eq (setrlimit (RLIMIT_FSIZE, &limit), 0);
    muster_error_t error = muster_keys_enrol ("allow", "anna.pub", SOURCES ("a"), NULL, 0);
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq (setrlimit (RLIMIT_FSIZE, &limit), 0);
    cr_assert_eq (error, MUSTER_SYSTEM);
    assert_text ("allow", "# x\n");
    cr_assert_eq (place_count (), 3);
}

Test (keys_enrol, says_when_there_is_no_memory)
{
    muster_error_t error = MUSTER_NOMEM;
    place_write_text ("allow", "# x\n", 0644);
    for (size_t nth = 1; error; nth++) {
        alloc_fail_from (nth);
        error = muster_keys_enrol ("allow", "anna.pub", SOURCES ("a"), NULL, 0);
        alloc_fail_from (0);
        cr_assert (!error || error == MUSTER_NOMEM);
        assert_text ("allow", error ? "# x\n" : "# x\ncurve " ANNA " a\n");
    }
}

Test (keys_enrol, leaves_no_descriptor_open)
{
    int before = dup (0);
    close (before);
    assert_enrolled ("allow", "anna.pub", SOURCES ("a"));
    assert_not_enrolled ("allow", "anna.pub", SOURCES (""), MUSTER_INVAL,
        "allow: a source is 1 to 255 bytes of UTF-8 without control characters");
    assert_revoked ("allow", "anna.pub");
    int after = dup (0);
    cr_assert_eq (before, after);
}

Test (keys_enrol, gives_up_when_others_keep_the_file_locked)
{
    int directory = open (".", O_RDONLY | O_DIRECTORY);
    cr_assert_eq (flock (directory, LOCK_EX), 0);
    assert_not_enrolled ("allow", "anna.pub", SOURCES ("a"),
        MUSTER_BUSY, "allow: another process has its directory locked");
    cr_assert_eq (flock (directory, LOCK_UN), 0);
    assert_enrolled ("allow", "anna.pub", SOURCES ("a"));
}

/*  --------------------------------------------------------------------------
    Several at once */

#define PROCESSES 4
#define TURNS 25

/*  Enrol Anna's and Ben's key with sources of this process's own. */
static void
enrol_often (size_t process)
{
    for (size_t turn = 0; turn < TURNS; turn++) {
        char source [40];
        const char *const sources [] = { source };
        snprintf (source, sizeof source, "%zu-%zu", process, turn);
        const char *file = process % 2 ? "anna.pub" : "ben.pub";
        if (muster_keys_enrol ("allow", file, sources, 1, NULL, 0) != 0)
            _exit (1);
    }
    _exit (0);
}

/*  A reader meanwhile finds a whole file, always. */
static size_t
read_until_all_have_ended (void)
{
    size_t ended = 0;
    while (ended < PROCESSES) {
        int status;
        allow_t *allow;
        char reason [REASON_ROOM] = "";
        muster_error_t error = keyfile_load_allow ("allow", &allow, reason);
        cr_assert (error == 0 || error == MUSTER_NOTFOUND, "%s", reason);
        allow_release (&allow);
        if (waitpid (-1, &status, WNOHANG) > 0) {
            cr_assert_eq (status, 0);
            ended++;
        }
    }
    return ended;
}

Test (keys_enrol, loses_nothing_when_processes_enrol_at_once)
{
    for (size_t process = 0; process < PROCESSES; process++)
        if (fork () == 0)
            enrol_often (process);
    read_until_all_have_ended ();
    allow_t *allow;
    char reason [REASON_ROOM] = "";
    cr_assert_eq (keyfile_load_allow ("allow", &allow, reason), 0, "%s", reason);
    for (size_t process = 0; process < PROCESSES; process++)
        for (size_t turn = 0; turn < TURNS; turn++) {
            char source [40];
            size_t size = (size_t) snprintf (source, sizeof source, "%zu-%zu", process, turn);
            cr_assert (allow_entry_may (allow_find (allow, process % 2 ? ANNA : BEN), source, size), "%s", source);
        }
    allow_release (&allow);
    cr_assert_eq (place_count (), 3);
}

static void
enrol_and_revoke_for_ever (int descriptor)
{
    for (;;) {
        const char *const sources [] = { "a" };
        if (muster_keys_enrol ("allow", "anna.pub", sources, 1, NULL, 0) != 0
            || muster_keys_revoke ("allow", "anna.pub", NULL, 0) != 0 || write (descriptor, "", 1) != 1)
            _exit (1);
    }
}

Test (keys_enrol, survives_one_that_is_killed)
{
    for (int times = 0; times < 10; times++) {
        int ends [2];
        char byte;
        cr_assert_eq (pipe (ends), 0);
        pid_t child = fork ();
        if (child == 0)
            enrol_and_revoke_for_ever (ends [1]);
        for (int turns = 0; turns <= times; turns++)
            cr_assert_eq (read (ends [0], &byte, 1), 1);
        cr_assert_eq (kill (child, SIGKILL), 0);
        cr_assert_eq (waitpid (child, NULL, 0), child);
        assert_enrolled ("allow", "ben.pub", SOURCES ("b"));
        close (ends [0]);
        close (ends [1]);
    }
}

/*  --------------------------------------------------------------------------
    Revoking */

Test (keys_revoke, takes_the_key_out)
{
    place_write_text ("allow", "# x\ncurve " ANNA " a b # Anna\n\ncurve " BEN " b", 0640);
    assert_revoked ("allow", "anna.pub");
    assert_text ("allow", "# x\n\ncurve " BEN " b");
    cr_assert_eq (place_mode ("allow"), 0640);
    assert_revoked ("allow", "ben.pub");
    assert_text ("allow", "# x\n\n");
}

Test (keys_revoke, takes_a_key_out_that_is_there_twice)
{
    place_write_text ("allow", "curve " ANNA " a\ncurve " ANNA " b\n", 0644);
    assert_revoked ("allow", "anna.pub");
    assert_text ("allow", "");
}

Test (keys_revoke, says_if_the_key_is_not_there)
{
    place_write_text ("allow", "curve " BEN " b\n", 0644);
    assert_not_revoked ("allow", "anna.pub", MUSTER_NOTFOUND, "allow: anna.pub: its key is not enrolled");
    assert_text ("allow", "curve " BEN " b\n");
}

Test (keys_revoke, makes_no_file)
{
    assert_not_revoked ("allow", "anna.pub", MUSTER_NOTFOUND, "allow: No such file or directory");
    assert_not_revoked ("allow", "none.pub", MUSTER_NOTFOUND, "none.pub: No such file or directory");
    cr_assert_not (place_has ("allow"));
}

Test (keys_revoke, says_if_the_rest_is_wrong)
{
    place_write_text ("allow", "curve " ANNA " a\n# x\nnonsense\n", 0644);
    assert_not_revoked ("allow", "anna.pub", MUSTER_FORMAT,
        "allow: line 3: it does not begin with \"curve\": write curve KEY SOURCE...");
    assert_text ("allow", "curve " ANNA " a\n# x\nnonsense\n");
}

Test (keys_revoke, refuses_arguments_that_are_none)
{
    assert_not_revoked (NULL, "anna.pub", MUSTER_INVAL, "give an allow file and a public key file");
    assert_not_revoked ("allow", NULL, MUSTER_INVAL, "give an allow file and a public key file");
}

Test (keys_revoke, says_when_there_is_no_memory)
{
    muster_error_t error = MUSTER_NOMEM;
    place_write_text ("allow", "curve " ANNA " a\n", 0644);
    for (size_t nth = 1; error; nth++) {
        alloc_fail_from (nth);
        error = muster_keys_revoke ("allow", "anna.pub", NULL, 0);
        alloc_fail_from (0);
        cr_assert (!error || error == MUSTER_NOMEM);
        assert_text ("allow", error ? "curve " ANNA " a\n" : "");
    }
}
