# Embed.cmake - cmake -DOUTPUT=FILE.c -DFOLDER=DIR -DNAMES=a;b -P Embed.cmake
#
# Writes the table cl_demo_files (app/serve/demo_files.h) with the contents of files: the same bytes
# make the same source, whatever the machine, the order of the folder or the time.
list(SORT NAMES)
set(arrays "")
set(rows "")
set(number 0)
foreach(name IN LISTS NAMES)
    file(READ ${FOLDER}/${name} bytes HEX)
    file(SHA256 ${FOLDER}/${name} digest)
    string(SUBSTRING ${digest} 0 16 tag)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    # 16 bytes a line: compilers and people both dislike lines of a hundred kilobytes
    string(REGEX REPLACE "((0x[0-9a-f][0-9a-f],){16})" "\\1\n" bytes "${bytes}")
    string(APPEND arrays "/* ${name} */\nstatic const uint8_t file_${number}[] = {\n${bytes}};\n\n")
    set(row "\"${name}\", \"\\\"${tag}\\\"\", file_${number}, sizeof(file_${number})")
    string(APPEND rows "    {${row}},\n")
    math(EXPR number "${number} + 1")
endforeach()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT
"/* Written by cmake/Embed.cmake from web/: do not edit. */
#include \"serve/demo_files.h\"

@arrays@const struct cl_demo_file cl_demo_files[] = {
@rows@};
const size_t cl_demo_num_files = @number@;
")
