# Kernels.cmake - source files that are compiled for more than every processor of the architecture
# has. lib/crypto/mlkem_way.c calls them where the processor has it; for another architecture they
# are empty. -O3: loops that only become vectors at this level (gcc 12).
set(avx2 -mavx2 -mbmi -mbmi2)
set(avx512 ${avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vbmi2)
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    set(avx2 "")
    set(avx512 "")
endif()
foreach(name keccak mlkem_poly)
    foreach(kind portable avx2 avx512)
        set_source_files_properties(lib/crypto/${name}_${kind}.c PROPERTIES
                                    COMPILE_OPTIONS "-O3;-Wno-psabi;${${kind}}")
    endforeach()
endforeach()
