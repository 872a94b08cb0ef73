# Options.cmake - what the presets switch, and the compiler flags that follow.
option(CLEAT_WERROR "Treat warnings as errors, with the strict set" OFF)
option(CLEAT_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
set(CLEAT_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them")
set(CLEAT_TEST_PREFIX "" CACHE STRING "Put before each test's name: two builds share a run")

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()

# -O3 stays out: it gains nothing here and costs instruction cache.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g -fno-plt")
# What the shared library exports is lib/cleat.map's say alone (hidden visibility would overrule
# it); -fno-semantic-interposition gives back the inlining that default visibility takes away.
add_compile_options(-Wall -Wextra -Wno-unused-parameter -fno-semantic-interposition
                    -fstack-protector-strong -fno-strict-aliasing)
add_compile_definitions(_GNU_SOURCE)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    add_compile_definitions(_FORTIFY_SOURCE=2)
    add_link_options(-Wl,-z,relro,-z,now)
endif()
if(CLEAT_WERROR)
    add_compile_options(-Werror -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
                        -Wvla -Wpointer-arith -Wwrite-strings)
endif()
if(CLEAT_SANITIZE)
    add_compile_options(-fsanitize=${CLEAT_SANITIZE} -fno-omit-frame-pointer
                        -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${CLEAT_SANITIZE})
endif()
if(CLEAT_FUZZ)
    # Coverage for libFuzzer in every floor; the targets in fuzz/ link its main().
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
