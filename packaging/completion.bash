#   muster - completion of the command muster for bash
#
#   This Source Code Form is subject to the terms of the Mozilla Public
#   License, v. 2.0. If a copy of the MPL was not distributed with this
#   file, You can obtain one at https://mozilla.org/MPL/2.0/.
#
#   Commands and options are those that --help lists, so that it knows them all.

_muster ()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words
    COMPREPLY=()
    if [ "$COMP_CWORD" = 1 ]; then
        words=$("$1" --help 2> /dev/null | sed -n 's/^  muster \([a-z]*\) .*/\1/p')
        words+=$'\n--help\n--version'
    elif [[ $word = -* ]]; then
        words=$("$1" "$command" --help 2> /dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p')
        words+=$'\n--help'
    elif [ "$before" = --sort ]; then
        words="rate queue source seen"
    elif [ "$before" = --source ] || [ "$before" = --cmd ] || [ "$before" = --count ] || [ "$before" = --timeout ] || [ "$before" = --speed ] || [ "$before" = --interval ]; then
        return
    else
        compopt -o filenames 2> /dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _muster muster
