#   packages.cmake - Debian packages, made by cpack
#
#   This Source Code Form is subject to the terms of the Mozilla Public
#   License, v. 2.0. If a copy of the MPL was not distributed with this
#   file, You can obtain one at https://mozilla.org/MPL/2.0/.
#
#   A component of the installation is a package. What its programs need is found
#   by dpkg-shlibdeps; what one package needs of another is named here.

set (library_package libmuster${abi})
set (debian ${CMAKE_CURRENT_LIST_DIR})
set (this_version "(= ${PROJECT_VERSION})")

set (CPACK_GENERATOR DEB)
set (CPACK_PACKAGE_NAME muster)
set (CPACK_PACKAGE_CONTACT "The maintainers of muster <muster@localhost>" CACHE STRING "Who has made the packages")
set (CPACK_VERBATIM_VARIABLES ON)
set (CPACK_STRIP_FILES ON)
set (CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set (CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/finish.cmake)
set (CPACK_COMPONENTS_GROUPING IGNORE)
set (CPACK_COMPONENTS_ALL library development)

set (CPACK_DEB_COMPONENT_INSTALL ON)
set (CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set (CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set (CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR})
set (CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set (CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set (CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY >=)

macro (debian_package component name section summary text)
    string (TOUPPER ${component} upper)
    set (CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name})
    set (CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section})
    set (CPACK_DEBIAN_${upper}_DESCRIPTION "${summary}\n${text}")
    install (FILES ${debian}/copyright DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${name}
        COMPONENT ${component} EXCLUDE_FROM_ALL)
endmacro ()

debian_package (library ${library_package} libs "message listener for coordinators, over ZeroMQ: library"
    "Worker processes send msgpack messages to a listener, which hands each to the handler of its source. \
Nothing is lost while connections break, memory is bounded, and workers are known by name and by key.")

debian_package (development libmuster-dev libdevel "message listener for coordinators, over ZeroMQ: headers"
    "Headers, static library, and files for pkg-config and CMake.")
#   pkg-config looks at what muster.pc requires in any case.
set (CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "${library_package} ${this_version}, libczmq-dev, libzmq3-dev, libmsgpack-dev")

if (MUSTER_BUILD_CLI)
    list (APPEND CPACK_COMPONENTS_ALL command)
    debian_package (command muster net "message listener for coordinators, over ZeroMQ: command"
        "The command muster listens, sends and makes keys. A systemd unit keeps a listener running.")
    set (CPACK_DEBIAN_COMMAND_PACKAGE_DEPENDS "${library_package} ${this_version}")
endif ()

if (TARGET muster_python)
    list (APPEND CPACK_COMPONENTS_ALL python)
    debian_package (python python3-muster python "message listener for coordinators, over ZeroMQ: Python"
        "The Python package muster. It holds the library.")
    get_target_property (minor muster_python MUSTER_PYTHON_MINOR)
    math (EXPR next_minor "${minor} + 1")
    set (CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS "python3-numpy, python3 (>= 3.${minor}), python3 (<< 3.${next_minor})")
    set (CPACK_DEBIAN_PYTHON_PACKAGE_CONTROL_EXTRA
        ${debian}/postinst ${debian}/prerm)
endif ()

include (CPack)
