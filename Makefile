# Makefile - thin, for people: each target first installs what is missing (scripts/setup), then calls
# CMake, CTest or a script. The build itself is described in CMakeLists.txt and CMakePresets.json.
PREFIX ?= /usr/local

.PHONY: all demo check bench fuzz install format tidy clean help

all:
	@scripts/setup build
	@scripts/build release

demo:
	@scripts/setup build
	@scripts/build release
	@scripts/demo

check:
	@scripts/setup build test
	@scripts/check

bench:
	@scripts/setup build bench
	@scripts/build release
	@scripts/bench

# make fuzz [NAME=target] [SECONDS=60]; without a name every target gets its turn.
fuzz:
	@scripts/setup build fuzz
	@scripts/fuzz "$(or $(NAME),all)" "$(or $(SECONDS),60)"

install:
	@scripts/setup build
	@scripts/build release
	cmake --install build/release --prefix "$(PREFIX)"

format:
	@scripts/setup format
	@scripts/format

tidy:
	@scripts/setup build test format
	@scripts/tidy

clean:
	rm -rf build

help:
	@echo "make          build the optimised program: build/release/cleat"
	@echo "make demo     serve a page about your own connection on https://localhost:8443"
	@echo "make check    build with and without sanitizers, run every test"
	@echo "make bench    measure, side by side with other libraries and servers"
	@echo "make fuzz     fuzz the parsers: NAME=target SECONDS=60"
	@echo "make install  install to PREFIX=/usr/local"
	@echo "make format   clang-format every source"
	@echo "make tidy     clang-tidy over the library and the program"
	@echo "make clean    remove build/"
	@echo "Each of them first installs the Debian packages that it lacks (scripts/packages.txt)."
