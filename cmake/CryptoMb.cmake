# CryptoMb.cmake - Intel's crypto_mb, which lib/crypto loads at run time: building needs nothing of
# it.
#
# AUTO: it is used where it is found when the program runs. ON: configuring fails when this machine
# has none. OFF: it is never looked for. Where scripts/setup has unpacked Debian 13's package into
# build/crypto_mb (Debian 12 has none), programs of the build tree find that copy through their run
# path, and it is installed beside them.
set(CLEAT_CRYPTO_MB AUTO CACHE STRING "Eight asymmetric operations at once: AUTO, ON or OFF")
set_property(CACHE CLEAT_CRYPTO_MB PROPERTY STRINGS AUTO ON OFF)

set(CLEAT_CRYPTO_MB_FILE "")
if(CLEAT_CRYPTO_MB)
    add_compile_definitions(CLEAT_CRYPTO_MB)
    find_library(CLEAT_CRYPTO_MB_SYSTEM NAMES libcrypto_mb.so.11)
    mark_as_advanced(CLEAT_CRYPTO_MB_SYSTEM)
    file(GLOB fetched ${PROJECT_SOURCE_DIR}/build/crypto_mb/usr/lib/*/libcrypto_mb.so.11)
    if(fetched AND NOT CLEAT_CRYPTO_MB_SYSTEM)
        list(GET fetched 0 CLEAT_CRYPTO_MB_FILE)
        get_filename_component(directory ${CLEAT_CRYPTO_MB_FILE} DIRECTORY)
        list(APPEND CMAKE_BUILD_RPATH ${directory})
        # As the older kind, which also counts when a sanitizer's dlopen stands between.
        add_link_options(-Wl,--disable-new-dtags)
    elseif(CLEAT_CRYPTO_MB STREQUAL "ON" AND NOT CLEAT_CRYPTO_MB_SYSTEM)
        message(FATAL_ERROR "CLEAT_CRYPTO_MB=ON, but there is no libcrypto_mb.so.11: install "
                            "libcrypto-mb11 or run scripts/setup build")
    endif()
endif()
