# lookback_part(NAME USES targets... PRIVATELY targets...): the library lookback_NAME, alias
# lookback::NAME, from lookback/NAME/*.cc. What it uses privately is not in its headers. A part of
# headers alone is an INTERFACE library.
function(lookback_part name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES;PRIVATELY")
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/lookback/${name}/*.cc")
  # The program's main is no library's: tests have one of their own.
  list(FILTER sources EXCLUDE REGEX "/cli/main\\.cc$")
  set(target lookback_${name})
  if(sources)
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target} PUBLIC lookback_options ${arg_USES}
                          PRIVATE lookback_warnings ${arg_PRIVATELY})
    lookback_compile_together(${target})
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE lookback_options ${arg_USES})
  endif()
  add_library(lookback::${name} ALIAS ${target})
endfunction()

# Compiles the sources of a target a few at a time, as one: each header is read and each template
# made once for all of them, which halves the time of a build. So names without linkage are unique
# in a folder. Sources that Highway compiles once for each instruction set stay alone.
function(lookback_compile_together target)
  if(LOOKBACK_TOGETHER)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON
                                               UNITY_BUILD_BATCH_SIZE ${LOOKBACK_TOGETHER})
  endif()
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    file(STRINGS "${source}" again REGEX "foreach_target" LIMIT_COUNT 1)
    if(again)
      set_source_files_properties("${source}" PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  endforeach()
endfunction()

# For code that no run waits for: compiling it takes most of a build, and optimizing most of that.
function(lookback_quick_to_compile target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1> $<$<CONFIG:Debug>:-O0>)
endfunction()

# The program `lookback`, from lookback/cli/main.cc and lookback_cli.
function(lookback_program)
  file(GLOB main CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/lookback/cli/main.cc")
  if(NOT main)
    message(STATUS "lookback/cli/main.cc is absent: the program is not built")
    return()
  endif()
  add_executable(lookback ${main})
  target_link_libraries(lookback PRIVATE lookback::cli lookback_warnings)
  lookback_quick_to_compile(lookback)
  install(TARGETS lookback)
endfunction()
