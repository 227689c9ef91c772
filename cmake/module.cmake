# One interface target carries every compile option, so no module sets flags of its own.
add_library(flowstore_options INTERFACE)
target_compile_options(flowstore_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wimplicit-fallthrough
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  $<$<BOOL:${FLOWSTORE_WERROR}>:-Werror>
  # What ccache needs to know about precompiled headers.
  $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
  "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
# Asio's own code is compiled once, in base/asio.cpp; without it every file costs 8 s more.
target_compile_definitions(flowstore_options INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE
  # A connection at rest keeps 1.8 KiB instead of 2.5, and sanitizers see the frames that were freed.
  BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING
  FLOWSTORE_VERSION="${PROJECT_VERSION}")
if(FLOWSTORE_CRASH_POINTS)
  target_compile_definitions(flowstore_options INTERFACE FLOWSTORE_CRASH_POINTS)
endif()
if(FLOWSTORE_SANITIZE)
  target_compile_options(flowstore_options INTERFACE -fsanitize=${FLOWSTORE_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(flowstore_options INTERFACE -fsanitize=${FLOWSTORE_SANITIZE})
  if(FLOWSTORE_SANITIZE MATCHES "undefined")
    target_compile_options(flowstore_options INTERFACE -fno-sanitize-recover=undefined)
  endif()
  # clang 14 cannot emit UBSan's function checks for coroutines.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND FLOWSTORE_SANITIZE MATCHES "undefined")
    target_compile_options(flowstore_options INTERFACE -fno-sanitize=function)
  endif()
endif()
if(FLOWSTORE_COVERAGE)
  target_compile_options(flowstore_options INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(flowstore_options INTERFACE --coverage)
endif()
if(FLOWSTORE_FUZZ)
  target_compile_options(flowstore_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # ccache must be told that a precompiled header stands for the headers in it, and that it does not matter in which
  # folder a checkout lies: all of them share what one has compiled.
  set(CCACHE_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=true ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_LAUNCHER})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_LAUNCHER})
endif()

# Asio's and the standard library's headers are a third of what every file compiles, GoogleTest's a
# third of every test: each set is compiled once.
set(flowstore_headers <algorithm> <atomic> <chrono> <cstdint> <deque> <functional> <map> <memory> <mutex> <optional>
  <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector>
  <boost/asio/any_io_executor.hpp> <boost/asio/awaitable.hpp>)
set(flowstore_test_headers ${flowstore_headers} <boost/asio/co_spawn.hpp> <boost/asio/io_context.hpp> <gtest/gtest.h>)

# flowstore_precompile(<target> <header set> [<what the headers need>...])
function(flowstore_precompile target headers)
  if(NOT TARGET ${headers})
    file(WRITE ${CMAKE_BINARY_DIR}/${headers}.cpp "")
    add_library(${headers} OBJECT ${CMAKE_BINARY_DIR}/${headers}.cpp)
    target_link_libraries(${headers} PRIVATE flowstore_options Boost::headers Threads::Threads ${ARGN})
    target_precompile_headers(${headers} PRIVATE ${${headers}})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${headers})
endfunction()

# flowstore_module(<name> [DEPS <module>...] [LIBS <third-party>...])
# Folder src/<name> becomes static library flowstore_<name>. *_test.cpp beside the sources become the
# test binary <name>_test. LIBS are PRIVATE: a third-party header never leaks out of its module.
function(flowstore_module name)
  cmake_parse_arguments(M "" "" "DEPS;LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS src/${name}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")

  list(TRANSFORM M_DEPS PREPEND flowstore_)
  if(NOT sources)
    add_library(flowstore_${name} INTERFACE)
    target_include_directories(flowstore_${name} INTERFACE ${PROJECT_SOURCE_DIR}/src)
    return()
  endif()
  add_library(flowstore_${name} STATIC ${sources})
  target_include_directories(flowstore_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(flowstore_${name}
    PUBLIC ${M_DEPS} Boost::headers Threads::Threads
    PRIVATE flowstore_options ${M_LIBS})
  flowstore_precompile(flowstore_${name} flowstore_headers)

  if(BUILD_TESTING AND tests)
    add_executable(${name}_test ${tests})
    target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    # For tests that read recorded data of the project.
    target_compile_definitions(${name}_test PRIVATE FLOWSTORE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    target_link_libraries(${name}_test PRIVATE flowstore_${name} flowstore_options GTest::gtest_main)
    flowstore_precompile(${name}_test flowstore_test_headers GTest::gtest)
    add_test(NAME unit.${name} COMMAND ${name}_test)
    set_tests_properties(unit.${name} PROPERTIES LABELS unit)
  endif()
endfunction()
