/*  certificates.c - what Criterion's libraries need not read

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/. */

/*  Criterion compares texts by libgit2, which reads the system's certificate authorities, all of them, when it
    starts: in each process of a suite, which is one for each test, a third of all it does. No test asks a server:
    this definition, of a function of libmbedx509, comes before the library's and reads none. */

int mbedtls_x509_crt_parse_file (void *chain, const char *path);

int
mbedtls_x509_crt_parse_file (void *chain, const char *path)
{
    (void) chain;
    (void) path;
    return 0;
}
