# tests/PART/*.cc -> the executable test_PART, linked with lookback::PART; a folder of another name
# is linked with everything. Every TEST is a test of ctest, named PART.Suite.Name; ./test leaves
# those with Slow in the name out of the sanitize build. Tests may use LOOKBACK_SOURCE_DIR (the
# project's folder), those linked with everything also LOOKBACK_PROGRAM (the path of the program).
find_package(GTest REQUIRED)
include(GoogleTest)
lookback_precompiled(tests USES GTest::gtest nlohmann_json::nlohmann_json
                     HEADERS <gtest/gtest.h> <nlohmann/json.hpp>)

function(lookback_test_folder folder)
  get_filename_component(part "${folder}" NAME)
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.cc")
  if(NOT sources)
    return()
  endif()
  set(target test_${part})
  add_executable(${target} ${sources})
  set(library lookback::cli)
  if(TARGET lookback::${part})
    set(library lookback::${part})
  endif()
  target_link_libraries(${target} PRIVATE ${library} lookback_warnings GTest::gtest_main)
  lookback_sanitize_less(${target})
  lookback_compile_together(${target})
  if(part STREQUAL "language")
    target_link_libraries(${target} PRIVATE BZip2::BZip2 OpenSSL::Crypto)
  endif()
  if(part STREQUAL "model")
    # Its reference computes more than all others: without optimization it takes minutes.
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  else()
    lookback_quick_to_compile(${target})
    lookback_reuse(${target} tests)
  endif()
  target_compile_definitions(${target} PRIVATE LOOKBACK_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(TARGET lookback AND library STREQUAL "lookback::cli")
    add_dependencies(${target} lookback)
    target_compile_definitions(${target} PRIVATE LOOKBACK_PROGRAM="$<TARGET_FILE:lookback>")
  endif()
  gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                       TEST_PREFIX ${part}. PROPERTIES TIMEOUT 300)
endfunction()

file(GLOB folders CONFIGURE_DEPENDS LIST_DIRECTORIES true "${PROJECT_SOURCE_DIR}/tests/*")
foreach(folder IN LISTS folders)
  if(IS_DIRECTORY "${folder}")
    lookback_test_folder("${folder}")
  endif()
endforeach()
