#   Makefile - short names for what CMake does
#
#   This Source Code Form is subject to the terms of the Mozilla Public
#   License, v. 2.0. If a copy of the MPL was not distributed with this
#   file, You can obtain one at https://mozilla.org/MPL/2.0/.

PRESET ?= default
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
TIMES ?= 1

#   What clang-tidy examines.
tidied = $(wildcard src/*/*.c bindings/python/src/*.c)

.PHONY: all demo test check chaos attacks bench install package fuzz format format-check tidy coverage reference clean dependencies-%

all: dependencies-build build-$(PRESET)

#   The Python half where Python is: with another system's names for packages it may not be.
demo: dependencies-demo
	cmake --preset $(PRESET) > /dev/null
	cmake --build --preset $(PRESET) --target federated $(if $(wildcard /usr/bin/python3),python)
	build/examples/federated
	@if [ -e build/python/muster/__init__.py ]; then \
	    printf '\nThe same from Python, with a worker that is killed and one that joins:\n'; \
	    PYTHONPATH=build/python /usr/bin/python3 examples/python/federated; fi

test: dependencies-test build-$(PRESET) build-asan
	/usr/bin/python3 tests/support/run.py --quick build build/asan

#   All that can be checked without root, warnings being errors: by two compilers, three sanitizers, clang-tidy, clang-format,
#   and how much of src/ the tests reach.
check: dependencies-check format-check build-clang build-ci build-asan build-tsan tidy
	/usr/bin/python3 tests/support/run.py build build/asan build/tsan
	$(MAKE) --no-print-directory coverage

chaos: dependencies-chaos build-default build-$(PRESET)
	/usr/bin/python3 tests/chaos/run.py $(if $(filter default,$(PRESET)),build,build/$(PRESET)) --times $(TIMES)

attacks: all
	/usr/bin/python3 tests/attacks/run.py build

#   ONLY=small,large: some groups, and no page is written; benchmarks/run.py --help has their names.
bench: dependencies-bench all
	/usr/bin/python3 benchmarks/run.py build $(if $(ONLY),--only $(ONLY))

install: dependencies-build
	cmake --preset $(PRESET) > /dev/null
	cmake --build --preset $(PRESET) --target installed
	DESTDIR="$(DESTDIR)" cmake --install build --prefix "$(PREFIX)"
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then ldconfig; fi

#   Debian packages, in build/package.
package: dependencies-package build-package
	cd build/package && cpack

fuzz: dependencies-fuzz build-fuzz
	FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run

#   Of src/, by the tests in C and those of the command; fails below 90 %.
coverage: dependencies-coverage build-coverage
	find build/coverage -name '*.gcda' -delete
	/usr/bin/python3 tests/support/run.py build/coverage
	gcovr --root . --filter src/ --fail-under-line 90 build/coverage

format: dependencies-format
	/usr/bin/python3 tests/house/check_format.py --update .

format-check: dependencies-format
	/usr/bin/python3 tests/house/check_format.py .

tidy: dependencies-tidy all
	printf '%s\n' $(tidied) | \
	    xargs -P "$$(nproc)" -n 1 clang-tidy --quiet --warnings-as-errors='*' -p build

reference: dependencies-reference
	mkdir -p build
	doxygen docs/reference/Doxyfile
	@echo build/reference/html/index.html

clean:
	rm -rf build

build-%:
	cmake --preset $* > /dev/null
	cmake --build --preset $*

dependencies-%:
	@.ci/dependencies $*
