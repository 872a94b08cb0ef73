# Floors.cmake - cleat_floor(NAME DIRECTORY [FLOORS ...] [LIBRARIES ...])
#
# Makes the static target cl_NAME from DIRECTORY/*.c. It links the floors named and no other, and
# sees the headers below lib/ and app/ ("base/bytes.h") and the public ones ("cleat/tls.h"). Which
# floor may include which is checked by scripts/check-floors, from the FLOORS lists here.
function(cleat_floor name directory)
    cmake_parse_arguments(FLOOR "" "" "FLOORS;LIBRARIES" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${directory}/*.c)
    if(NOT sources)
        add_library(cl_${name} INTERFACE)
        set(scope INTERFACE)
    else()
        add_library(cl_${name} STATIC ${sources})
        set(scope PUBLIC)
    endif()
    target_include_directories(cl_${name} ${scope} ${PROJECT_SOURCE_DIR}/include
                               ${PROJECT_SOURCE_DIR}/lib ${PROJECT_SOURCE_DIR}/app)
    list(TRANSFORM FLOOR_FLOORS PREPEND cl_)
    target_link_libraries(cl_${name} ${scope} ${FLOOR_FLOORS} ${FLOOR_LIBRARIES})
endfunction()
