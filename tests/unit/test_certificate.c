/*  test_certificate.c - CURVE keys in czmq's certificate files

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <czmq.h>

#include "model/certificate.h"
#include "model/endpoint.h"

#define PUBLIC "AVs+oGO=3H1HCHraKjVT&]J(Dn()u[<O#P-&2<*&"
#define SECRET "lk<lZ5GK/D9#<8DT(:S0-h/c>nODnBUq2+ur?6pV"

static certificate_t
read_bytes (const char *text, size_t size)
{
    certificate_t certificate;
    char reason [REASON_ROOM] = "";
    cr_assert_eq (certificate_read (&certificate, text, size, reason), 0, "%s:\n%s", reason, text);
    return certificate;
}

static void
assert_read (const char *text, const char *public_key, const char *secret_key)
{
    certificate_t certificate = read_bytes (text, strlen (text));
    cr_assert_str_eq (certificate.public_key, public_key);
    cr_assert_str_eq (certificate.secret_key, secret_key);
}

static void
assert_refused_bytes (const char *text, size_t size, const char *part_of_reason)
{
    static const certificate_t nothing;
    certificate_t certificate;
    char reason [REASON_ROOM] = "";
    cr_assert_eq (certificate_read (&certificate, text, size, reason), MUSTER_FORMAT, "%s", text);
    cr_assert_not_null (strstr (reason, part_of_reason), "%s, not %s", reason, part_of_reason);
    cr_assert_arr_eq (&certificate, &nothing, sizeof nothing, "keys are left behind");
    cr_assert_null (strstr (reason, "lk<lZ"), "the reason has the secret");
}

static void
assert_refused (const char *text, const char *part_of_reason)
{
    assert_refused_bytes (text, strlen (text), part_of_reason);
}

/*  --------------------------------------------------------------------------
    czmq */

static char directory [] = "/tmp/muster-XXXXXX";
static char path [sizeof directory + 16];

static void
make_directory (void)
{
    cr_assert_not_null (mkdtemp (directory));
    snprintf (path, sizeof path, "%s/key", directory);
}

static void
remove_directory (void)
{
    unlink (path);
    rmdir (directory);
}

static void
write_file (const char *text, size_t size)
{
    FILE *file = fopen (path, "wb");
    cr_assert (file && fwrite (text, 1, size, file) == size && fclose (file) == 0);
}

static size_t
read_file (char *text, size_t room)
{
    FILE *file = fopen (path, "rb");
    size_t size = file ? fread (text, 1, room, file) : 0;
    cr_assert (size > 0 && fclose (file) == 0);
    return size;
}

static void
assert_czmq_reads (const char *public_key, const char *secret_key)
{
    zcert_t *cert = zcert_load (path);
    cr_assert_not_null (cert);
    cr_assert_str_eq (zcert_public_txt (cert), public_key);
    cr_assert_str_eq (zcert_secret_txt (cert), secret_key);
    zcert_destroy (&cert);
}

TestSuite (certificate_and_czmq, .init = make_directory, .fini = remove_directory);

Test (certificate_and_czmq, czmq_reads_what_we_write)
{
    const certificate_t keys = { .public_key = PUBLIC, .secret_key = SECRET };
    char text [CERTIFICATE_ROOM];
    write_file (text, certificate_write_public (&keys, text));
    assert_czmq_reads (PUBLIC, "0000000000000000000000000000000000000000");
    write_file (text, certificate_write_secret (&keys, text));
    assert_czmq_reads (PUBLIC, SECRET);
}

Test (certificate_and_czmq, we_read_what_czmq_writes)
{
    char text [2048];
    zcert_t *cert = zcert_new ();
    cr_assert_not_null (cert);
    cr_assert_eq (zcert_save_public (cert, path), 0);
    certificate_t certificate = read_bytes (text, read_file (text, sizeof text));
    cr_assert_str_eq (certificate.public_key, zcert_public_txt (cert));
    cr_assert_str_eq (certificate.secret_key, "");
    cr_assert_eq (zcert_save_secret (cert, path), 0);
    certificate = read_bytes (text, read_file (text, sizeof text));
    cr_assert_str_eq (certificate.public_key, zcert_public_txt (cert));
    cr_assert_str_eq (certificate.secret_key, zcert_secret_txt (cert));
    zcert_destroy (&cert);
}

Test (certificate_and_czmq, we_read_what_czmq_writes_of_people)
{
    char text [2048];
    zcert_t *cert = zcert_new ();
    cr_assert_not_null (cert);
    zcert_set_meta (cert, "name", "Anna \"the\" # first's");
    zcert_set_meta (cert, "e-mail", "anna@lab.example");
    zcert_set_meta (cert, "public-key", PUBLIC);
    cr_assert_eq (zcert_save_secret (cert, path), 0);
    certificate_t certificate = read_bytes (text, read_file (text, sizeof text));
    cr_assert_str_eq (certificate.public_key, zcert_public_txt (cert));
    cr_assert_str_eq (certificate.secret_key, zcert_secret_txt (cert));
    zcert_destroy (&cert);
}

Test (certificate_and_czmq, we_read_what_is_written_by_hand_as_czmq_does)
{
    static const char *const texts [] = {
        "curve\n    public-key = \"" PUBLIC "\"\n    secret-key = \"" SECRET "\"\n",
        "curve\r\n    public-key = \"" PUBLIC "\"\r\n    secret-key = \"" SECRET "\"\r\n",
        "curve # keys\n    public-key='" PUBLIC "'# a comment\n    secret-key\t= \"" SECRET "\" # one more",
        "# x\n\nmetadata\n    name = x\n    more\n        deeper = 1\ncurve\n    kind = 25519\n"
        "    public-key = \"" PUBLIC "\"\n        of = x\n    secret-key = \"" SECRET "\"\nother\n    public-key = x\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts [0]; i++) {
        write_file (texts [i], strlen (texts [i]));
        assert_czmq_reads (PUBLIC, SECRET);
        assert_read (texts [i], PUBLIC, SECRET);
    }
}

/*  --------------------------------------------------------------------------
    Reading */

#define KEYS "    public-key = \"" PUBLIC "\"\n    secret-key = \"" SECRET "\"\n"

Test (certificate, has_a_public_key_and_perhaps_a_secret_one)
{
    assert_read ("curve\n" KEYS, PUBLIC, SECRET);
    assert_read ("curve\n    public-key = \"" PUBLIC "\"", PUBLIC, "");
}

Test (certificate, takes_a_key_without_quotes_that_has_no_comment_in_it)
{
    assert_read ("curve\n    public-key = KP/o1WIdeCsuF73={5<>V*rQV/?Dfr5d8(7@ihz( # x\n",
        "KP/o1WIdeCsuF73={5<>V*rQV/?Dfr5d8(7@ihz(", "");
    assert_refused ("curve\n    public-key = " PUBLIC "\n", "line 2: its value is no key");
}

Test (certificate, needs_a_public_key)
{
    assert_refused ("", "no public-key");
    assert_refused ("# x\ncurve\n", "no public-key");
    assert_refused ("curve\n    secret-key = \"" SECRET "\"\n", "no public-key");
    assert_refused ("metadata\n" KEYS, "no public-key");
    assert_refused ("curve\n        public-key = \"" PUBLIC "\"\n", "no public-key");
    assert_refused ("curve\n    public-keys = \"" PUBLIC "\"\n", "no public-key");
}

Test (certificate, refuses_a_key_that_is_none)
{
    assert_refused ("curve\n    public-key = \"\"\n", "line 2: its value is no key");
    assert_refused ("curve\n    public-key =\n", "line 2: its value is no key");
    assert_refused ("curve\n    public-key = \" " PUBLIC "\"\n", "line 2: its value is no key");
    assert_refused ("curve\n    public-key = \"" PUBLIC "x\"\n", "line 2: its value is no key");
    assert_refused ("curve\n    public-key = \"0000000000000000000000000000000000000000\"\n",
        "line 2: its value is no key");
    assert_refused ("curve\n" KEYS "    x = y\n    secret-key = \"lk<lZ\"\n", "line 5: it has a second key");
    assert_refused (
        "curve\n    public-key = \"" PUBLIC "\"\n    secret-key = \"lk<lZ5GK/D9#<8DT(:S0-h/c>nODnBUq2+u#####\"\n",
        "line 3: its value is no key");
}

Test (certificate, refuses_what_is_there_twice)
{
    assert_refused ("curve\n" KEYS "    public-key = \"" PUBLIC "\"\n", "line 4: it has a second key");
    assert_refused ("curve\n" KEYS "metadata\ncurve\n", "line 5: it begins a second section");
}

Test (certificate, refuses_lines_that_it_does_not_understand)
{
    assert_refused ("curve\n" KEYS "\t x\n", "line 4: it is neither a section");
    assert_refused ("{\n", "line 1: it is neither a section");
    assert_refused ("curve = 1\n" KEYS, "line 1: there is more behind the section");
    assert_refused ("curve\n  public-key = \"" PUBLIC "\"\n", "line 2: it is not indented by four");
    assert_refused ("curve\n    ?\n", "line 2: it is not indented by four");
    assert_refused ("curve\n    public-key \"" PUBLIC "\"\n", "line 2: there is no =");
    assert_refused ("curve\n    public-key\n", "line 2: there is no =");
    assert_refused ("curve\n    public-key = \"" PUBLIC "\n", "line 2: a quote is not closed");
    assert_refused ("curve\n    public-key = \"" PUBLIC "\" x\n", "line 2: there is more behind the closing quote");
}

Test (certificate, refuses_a_nul_byte)
{
    static const char text [] = "curve\n" KEYS "# \0\n";
    assert_refused_bytes (text, sizeof text - 1, "line 4: there is a NUL byte");
}

Test (certificate, takes_a_line_of_1024_bytes_and_none_longer)
{
    char text [2000] = "curve\n" KEYS "#";
    memset (text + strlen (text), 'x', CERTIFICATE_LINE_MOST - 1);
    assert_read (text, PUBLIC, SECRET);
    text [strlen (text)] = 'x';
    assert_refused (text, "line 4: it is longer than 1024 bytes");
}

Test (certificate, takes_a_text_of_64_kib_and_none_larger)
{
    char *text = malloc (CERTIFICATE_MOST + 1);
    memset (text, '\n', CERTIFICATE_MOST + 1);
    memcpy (text, "curve\n" KEYS, strlen ("curve\n" KEYS));
    read_bytes (text, CERTIFICATE_MOST);
    assert_refused_bytes (text, CERTIFICATE_MOST + 1, "larger than 65536 bytes");
    free (text);
}

Test (certificate, wipes)
{
    static const certificate_t nothing;
    certificate_t certificate = read_bytes ("curve\n" KEYS, strlen ("curve\n" KEYS));
    certificate_wipe (&certificate);
    cr_assert_arr_eq (&certificate, &nothing, sizeof nothing);
}
