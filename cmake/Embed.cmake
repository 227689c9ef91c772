# flowstore_embed(<target> <file>...)
# Puts the bytes of files, named relative to the calling folder, into a target. docs/openapi.yaml becomes
#   #include "embedded/openapi_yaml.h"
#   flowstore::embedded::openapi_yaml     a std::string_view, good for as long as the program runs
# The name is the file's own, with an underscore for what no identifier may hold; the same name twice
# in the build is an error. The next build sees a change of the file. This file is also the script
# that the build runs, once per file.
function(flowstore_embed target)
  set(folder ${PROJECT_BINARY_DIR}/embedded)
  foreach(file IN LISTS ARGN)
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
    cmake_path(GET file FILENAME name)
    string(MAKE_C_IDENTIFIER ${name} name)
    get_property(known GLOBAL PROPERTY flowstore_embedded)
    if(name IN_LIST known)
      message(FATAL_ERROR "flowstore_embed: there is a file called ${name} already: ${file}")
    endif()
    set_property(GLOBAL APPEND PROPERTY flowstore_embedded ${name})

    file(CONFIGURE OUTPUT ${folder}/${name}.h CONTENT [[
#pragma once

#include <string_view>

namespace flowstore::embedded {
extern const std::string_view @name@;
}  // namespace flowstore::embedded
]] @ONLY)
    add_custom_command(OUTPUT ${folder}/${name}.cpp
      COMMAND ${CMAKE_COMMAND} -D file=${file} -D name=${name} -D output=${folder}/${name}.cpp
        -P ${CMAKE_CURRENT_FUNCTION_LIST_FILE}
      DEPENDS ${file} ${CMAKE_CURRENT_FUNCTION_LIST_FILE} VERBATIM)
    target_sources(${target} PRIVATE ${folder}/${name}.cpp)
    # There is nothing in it to debug, and debug information would hold all bytes once more.
    set_source_files_properties(${folder}/${name}.cpp PROPERTIES COMPILE_OPTIONS -g0 SKIP_PRECOMPILE_HEADERS ON)
  endforeach()
  target_include_directories(${target} PRIVATE ${PROJECT_BINARY_DIR})
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  file(READ ${file} bytes HEX)
  file(SIZE ${file} size)
  # Characters and no literal: a literal may hold 64 KiB at most. The zero at the end lets a file be empty.
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
  string(REGEX REPLACE "((......,){20})" "\\1\n" bytes "${bytes}")
  file(WRITE ${output} "#include \"embedded/${name}.h\"\n\nnamespace flowstore::embedded {\n"
    "namespace {\nconstexpr char bytes[] = {\n${bytes}'\\0'};\n}  // namespace\n"
    "constinit const std::string_view ${name}(bytes, ${size});\n}  // namespace flowstore::embedded\n")
endif()
