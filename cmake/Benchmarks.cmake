# benchmarks/*.cc -> the executable `benchmarks`. ./test builds it and never runs it.
file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/benchmarks/*.cc")
if(sources)
  find_package(benchmark REQUIRED)
  add_executable(benchmarks ${sources})
  target_link_libraries(benchmarks PRIVATE lookback::cli lookback_warnings
                                           benchmark::benchmark_main)
  lookback_compile_together(benchmarks)
endif()
