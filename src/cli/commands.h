/*  commands.h - the subcommands

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Each gets the arguments from its own name on and returns what the process
    is to end with.
*/
#ifndef CLI_COMMANDS_H_INCLUDED
#define CLI_COMMANDS_H_INCLUDED

int listen_command (int argc, char **argv);
int send_command (int argc, char **argv);
int replay_command (int argc, char **argv);
int keygen_command (int argc, char **argv);
int enrol_command (int argc, char **argv);
int revoke_command (int argc, char **argv);
int stats_command (int argc, char **argv);
int doctor_command (int argc, char **argv);
int top_command (int argc, char **argv);

#endif
