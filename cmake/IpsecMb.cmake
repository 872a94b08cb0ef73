# IpsecMb.cmake - Intel's ipsec-mb: building takes its header, lib/crypto loads the library at run
# time.
#
# AUTO: AES-GCM and ChaCha20-Poly1305 are its when the header is found here and the library where
# the program runs. ON: configuring fails without the header. OFF: libcrypto computes them.
set(CLEAT_IPSEC_MB AUTO CACHE STRING "AEAD ciphers of Intel's ipsec-mb: AUTO, ON or OFF")
set_property(CACHE CLEAT_IPSEC_MB PROPERTY STRINGS AUTO ON OFF)

if(CLEAT_IPSEC_MB)
    find_path(CLEAT_IPSEC_MB_INCLUDE intel-ipsec-mb.h)
    mark_as_advanced(CLEAT_IPSEC_MB_INCLUDE)
    if(CLEAT_IPSEC_MB_INCLUDE)
        add_compile_definitions(CLEAT_IPSEC_MB)
    elseif(CLEAT_IPSEC_MB STREQUAL "ON")
        message(FATAL_ERROR "CLEAT_IPSEC_MB=ON, but there is no intel-ipsec-mb.h: install "
                            "libipsec-mb-dev")
    endif()
endif()
