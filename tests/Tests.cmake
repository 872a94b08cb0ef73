# Tests.cmake - cleat_unit_tests(AREA LIBRARIES...): every AREA/test_*.c becomes a test "AREA.unit".
# Files AREA/support_*.c are compiled once and linked into each of them. In a build without
# sanitizers each runs a second time under valgrind, as "valgrind.AREA.unit" with that label,
# unless valgrind-skip.txt names it.
find_program(VALGRIND valgrind)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
             ${CMAKE_CURRENT_LIST_DIR}/valgrind-skip.txt)
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/valgrind-skip.txt CLEAT_VALGRIND_SKIP REGEX "^[a-z]")
list(TRANSFORM CLEAT_VALGRIND_SKIP REPLACE " .*" "")

function(cleat_valgrind_test name target)
    if(NOT VALGRIND OR CLEAT_SANITIZE OR name IN_LIST CLEAT_VALGRIND_SKIP)
        return()
    endif()
    add_test(NAME ${CLEAT_TEST_PREFIX}valgrind.${name}
             COMMAND ${VALGRIND} --quiet --error-exitcode=1 --leak-check=full
                     --errors-for-leak-kinds=definite,possible $<TARGET_FILE:${target}>)
    set_tests_properties(${CLEAT_TEST_PREFIX}valgrind.${name} PROPERTIES
                         TIMEOUT 600 LABELS valgrind)
endfunction()

function(cleat_unit_tests area)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${area}/test_*.c)
    file(GLOB support CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${area}/support_*.c)
    set(objects "")
    if(support)
        add_library(test_support_${area} OBJECT ${support})
        target_include_directories(test_support_${area} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
        target_link_libraries(test_support_${area} PRIVATE ${ARGN} PkgConfig::CMOCKA)
        target_compile_definitions(test_support_${area} PRIVATE
                                   CLEAT_TEST_DATA="${CLEAT_TEST_DATA}")
        set(objects $<TARGET_OBJECTS:test_support_${area}>)
    endif()
    foreach(source IN LISTS sources)
        get_filename_component(unit ${source} NAME_WE)
        string(REPLACE "test_" "" unit ${unit})
        set(target test_${area}_${unit})
        add_executable(${target} ${source} ${objects})
        target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
        target_link_libraries(${target} PRIVATE ${ARGN} PkgConfig::CMOCKA)
        target_compile_definitions(${target} PRIVATE
                                   CLEAT_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                   CLEAT_TEST_DATA="${CLEAT_TEST_DATA}")
        add_test(NAME ${CLEAT_TEST_PREFIX}${area}.${unit} COMMAND ${target})
        set_tests_properties(${CLEAT_TEST_PREFIX}${area}.${unit} PROPERTIES TIMEOUT 300)
        cleat_valgrind_test(${area}.${unit} ${target})
    endforeach()
endfunction()
