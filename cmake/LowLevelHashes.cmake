# LowLevelHashes.cmake - hashes, ECDSA and RSA are libcrypto's functions of OpenSSL 1.x's names,
# which a libcrypto configured with no-deprecated does not have
# (docs/decisions/0051-hashes-called-directly.md).
include(CheckSymbolExists)
include(CMakePushCheckState)

cmake_push_check_state(RESET)
set(CMAKE_REQUIRED_DEFINITIONS -DOPENSSL_SUPPRESS_DEPRECATED)
set(CMAKE_REQUIRED_LIBRARIES PkgConfig::LIBCRYPTO)
check_symbol_exists(SHA256_Transform openssl/sha.h CLEAT_HAVE_SHA256_TRANSFORM)
cmake_pop_check_state()
if(NOT CLEAT_HAVE_SHA256_TRANSFORM)
    message(FATAL_ERROR "this libcrypto has no SHA256_Transform: it was configured with "
                        "no-deprecated, and Cleat needs one that was not")
endif()
