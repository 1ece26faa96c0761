# The page of a report: scripts/build-page bundles web/ into one file, page.html in the build
# directory, and an assembler source puts its bytes into the library as they are:
#   extern "C" const char lookback_page_begin[];
#   extern "C" const char lookback_page_end[];
# Without web/package.json, or with LOOKBACK_PAGE=OFF, a one-line stand-in takes its place.
function(lookback_embed_page target)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    return()
  endif()
  set(web "${PROJECT_SOURCE_DIR}/web")
  set(page "${PROJECT_BINARY_DIR}/page.html")
  file(GLOB manifest CONFIGURE_DEPENDS "${web}/package.json")
  if(LOOKBACK_PAGE AND manifest)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${web}/src/*")
    file(GLOB settings CONFIGURE_DEPENDS "${web}/*.json" "${web}/*.mjs" "${web}/*.js"
         "${web}/*.html")
    add_custom_command(
      OUTPUT "${page}"
      COMMAND "${PROJECT_SOURCE_DIR}/scripts/build-page" "${page}"
      DEPENDS ${sources} ${settings} "${PROJECT_SOURCE_DIR}/scripts/build-page"
      COMMENT "Building the report's page"
      VERBATIM)
  else()
    set(text "<!doctype html><title>lookback</title><p>This build of lookback has no page.")
    add_custom_command(
      OUTPUT "${page}"
      COMMAND "${CMAKE_COMMAND}" -E echo "${text}" > "${page}"
      COMMENT "Writing a stand-in for the report's page"
      VERBATIM)
  endif()
  set(embed "${PROJECT_BINARY_DIR}/page.s")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/page.s.in" "${embed}" @ONLY)
  set_source_files_properties("${embed}" PROPERTIES OBJECT_DEPENDS "${page}")
  # A target of its own, so that the options of C++ sources do not reach the assembler.
  add_library(lookback_page OBJECT "${embed}" "${page}")
  target_compile_options(lookback_page PRIVATE
    $<$<COMPILE_LANG_AND_ID:ASM,Clang,AppleClang>:-Wno-unused-command-line-argument>)
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:lookback_page>)
endfunction()
