# lookback_version(TARGET): compiles the version into TARGET, with the commit in a git checkout.
# Configured again after each commit, so that a result names the commit its program was built from.
function(lookback_version target)
  set(LOOKBACK_VERSION "${PROJECT_VERSION}")
  find_package(Git QUIET)
  set(log "${PROJECT_SOURCE_DIR}/.git/logs/HEAD")
  if(GIT_FOUND AND EXISTS "${log}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${log}")
    execute_process(
      COMMAND "${GIT_EXECUTABLE}" rev-parse --short=12 HEAD
      WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
      OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
      RESULT_VARIABLE failed)
    if(NOT failed)
      string(APPEND LOOKBACK_VERSION " (${commit})")
    endif()
  endif()
  configure_file("${PROJECT_SOURCE_DIR}/cmake/version.cc.in" "${PROJECT_BINARY_DIR}/version.cc" @ONLY)
  target_sources(${target} PRIVATE "${PROJECT_BINARY_DIR}/version.cc")
  set_source_files_properties("${PROJECT_BINARY_DIR}/version.cc"
                              PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
