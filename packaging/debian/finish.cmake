#   finish.cmake - what Debian asks of the files of a package, before cpack packs them
#
#   This Source Code Form is subject to the terms of the Mozilla Public
#   License, v. 2.0. If a copy of the MPL was not distributed with this
#   file, You can obtain one at https://mozilla.org/MPL/2.0/.

#   Man pages are compressed, the same way each time.
file (GLOB_RECURSE pages ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*.[0-9])
list (FILTER pages INCLUDE REGEX /man/man[0-9]/)
foreach (page ${pages})
    execute_process (COMMAND gzip -9n ${page} COMMAND_ERROR_IS_FATAL ANY)
endforeach ()

#   Whoever links the static library may have another compiler, which cannot read the
#   one's notes for whole-program optimization.
file (GLOB_RECURSE archives ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*.a)
foreach (archive ${archives})
    execute_process (COMMAND strip --strip-debug --enable-deterministic-archives --wildcard
        --remove-section=.gnu.lto_* --remove-section=.gnu.debuglto_* --strip-symbol=__gnu_lto_* ${archive}
        COMMAND_ERROR_IS_FATAL ANY)
endforeach ()
