# Install.cmake - what `cmake --install` puts where: headers, libcleat (static and shared), the
# program, pkg-config file, CMake package, man pages (docs/CMakeLists.txt) and documents. Everything
# finds its own prefix, so that the tree may be installed in one place and moved to another.
include(CMakePackageConfigHelpers)

set_target_properties(cleat_shared PROPERTIES EXPORT_NAME cleat)
install(TARGETS cleat_shared cleat_static EXPORT cleat-targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/cleat DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
if(CLEAT_CRYPTO_MB_FILE)
    # Debian 12's copy of crypto_mb goes along, where the program and the shared library look first.
    get_filename_component(crypto_mb_real ${CLEAT_CRYPTO_MB_FILE} REALPATH)
    install(FILES ${crypto_mb_real} DESTINATION ${CMAKE_INSTALL_LIBDIR}/cleat
            RENAME libcrypto_mb.so.11)
    set_target_properties(cleat_shared PROPERTIES INSTALL_RPATH "$ORIGIN/cleat")
    if(TARGET cleat)
        file(RELATIVE_PATH from_bin /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR}/cleat)
        set_target_properties(cleat PROPERTIES INSTALL_RPATH "$ORIGIN/${from_bin}")
    endif()
endif()
if(TARGET cleat)
    install(TARGETS cleat RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# CMake package: find_package(cleat) gives cleat::cleat (shared) and cleat::cleat_static.
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/cleat)
install(EXPORT cleat-targets NAMESPACE cleat:: DESTINATION ${package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/cleat-config.cmake.in
                              ${PROJECT_BINARY_DIR}/cleat-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cleat-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cleat-config.cmake
              ${PROJECT_BINARY_DIR}/cleat-config-version.cmake
        DESTINATION ${package_dir})

# pkg-config: the prefix is told relative to where the file lies.
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH CLEAT_PC_PREFIX /prefix/${pkgconfig_dir} /prefix)
string(REGEX REPLACE "/$" "" CLEAT_PC_PREFIX ${CLEAT_PC_PREFIX})
set(CLEAT_PC_CODECS "")
if(BROTLI_FOUND)
    string(APPEND CLEAT_PC_CODECS ", libbrotlienc, libbrotlidec")
endif()
if(ZSTD_FOUND)
    string(APPEND CLEAT_PC_CODECS ", libzstd")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/cleat.pc.in ${PROJECT_BINARY_DIR}/cleat.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cleat.pc DESTINATION ${pkgconfig_dir})

install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md
              ${PROJECT_SOURCE_DIR}/LICENSE
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
