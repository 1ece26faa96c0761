# Headers of other projects that nearly every source of a group reads, parsed once for all of it.
# They only save time: every source includes what it uses, which LOOKBACK_TOGETHER=0 with
# CMAKE_DISABLE_PRECOMPILE_HEADERS=ON can show.

# lookback_precompiled(GROUP USES targets... HEADERS headers...): what lookback_reuse refers to.
function(lookback_precompiled group)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES;HEADERS")
  set(source "${PROJECT_BINARY_DIR}/precompiled_${group}.cc")
  file(CONFIGURE OUTPUT "${source}" CONTENT "// Here for its headers alone.\n")
  add_library(lookback_precompiled_${group} OBJECT "${source}")
  target_link_libraries(lookback_precompiled_${group}
                        PRIVATE lookback_options lookback_warnings ${arg_USES})
  lookback_quick_to_compile(lookback_precompiled_${group})
  target_precompile_headers(lookback_precompiled_${group} PRIVATE ${arg_HEADERS})
endfunction()

# The target is compiled with the headers of the group. REQUIRES the same options for both.
function(lookback_reuse target group)
  target_precompile_headers(${target} REUSE_FROM lookback_precompiled_${group})
endfunction()
