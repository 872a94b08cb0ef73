# Llhttp.cmake - llhttp, the HTTP/1.1 parser of Node.js, as a judge of ours in tests and fuzzing.
#
# The library is used where there is one; Debian 12 has its generated sources instead, which are
# compiled here, without our warnings. Without either there is no target cleat_llhttp, and what
# compares the two parsers is left out.
pkg_check_modules(LLHTTP IMPORTED_TARGET GLOBAL libllhttp)
find_path(CLEAT_LLHTTP_SOURCES llhttp.c PATHS /usr/share/llhttp NO_DEFAULT_PATH)
find_path(CLEAT_LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include/llhttp NO_DEFAULT_PATH)
mark_as_advanced(CLEAT_LLHTTP_SOURCES CLEAT_LLHTTP_INCLUDE)

if(LLHTTP_FOUND)
    add_library(cleat_llhttp INTERFACE)
    target_link_libraries(cleat_llhttp INTERFACE PkgConfig::LLHTTP)
elseif(CLEAT_LLHTTP_SOURCES AND CLEAT_LLHTTP_INCLUDE)
    add_library(cleat_llhttp STATIC EXCLUDE_FROM_ALL ${CLEAT_LLHTTP_SOURCES}/api.c
                ${CLEAT_LLHTTP_SOURCES}/http.c ${CLEAT_LLHTTP_SOURCES}/llhttp.c)
    target_include_directories(cleat_llhttp SYSTEM PUBLIC ${CLEAT_LLHTTP_INCLUDE})
    # Before version 9 there are two parsers in it; this one is the strict one.
    target_compile_definitions(cleat_llhttp PUBLIC LLHTTP_STRICT_MODE=1)
    target_compile_options(cleat_llhttp PRIVATE -w)
endif()
