# fuzz/NAME_fuzz.cc -> the executable NAME_fuzz: libFuzzer with sanitizers, which Clang alone has.
# Only the sources that readers need are compiled, instrumented and once for all targets: the whole
# library would take minutes. scripts/fuzz builds and runs them.

set(instrument -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
               -fno-omit-frame-pointer)
add_library(fuzzed STATIC)
set_target_properties(fuzzed PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
target_link_libraries(
  fuzzed PUBLIC lookback_options fmt::fmt nlohmann_json::nlohmann_json tomlplusplus::tomlplusplus
                PkgConfig::xxhash PkgConfig::highway PkgConfig::pcre2 PkgConfig::httplib
                Eigen3::Eigen Boost::headers OpenSSL::Crypto ZLIB::ZLIB Threads::Threads
         PRIVATE lookback_warnings)
target_compile_options(fuzzed PUBLIC ${instrument})
target_link_options(fuzzed PUBLIC ${instrument})

# lookback_fuzzed(PART [NAMES...]): these sources of lookback/PART, or all, compiled as one, which
# halves the time. A * stands for any letters.
function(lookback_fuzzed part)
  set(names ${ARGN})
  if(NOT names)
    set(names *)
  endif()
  list(TRANSFORM names REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/lookback/${part}/\\1.cc")
  file(GLOB sources CONFIGURE_DEPENDS ${names})
  foreach(source IN LISTS sources)
    set_source_files_properties("${source}" PROPERTIES UNITY_GROUP ${part})
    file(STRINGS "${source}" again REGEX "foreach_target" LIMIT_COUNT 1)
    if(again)  # Highway's: it stays alone, for the scalar instruction set, since readers only name it
      set_source_files_properties("${source}" PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON
                                                         COMPILE_DEFINITIONS HWY_COMPILE_ONLY_SCALAR)
    endif()
  endforeach()
  target_sources(fuzzed PRIVATE ${sources})
endfunction()

lookback_fuzzed(base)
# A row of the table of optimizers has its update, and so the products that Muon takes.
lookback_fuzzed(math adamw matmul orthogonal quantiles)
lookback_fuzzed(model architecture architecture_toml compile plan program taps)
lookback_fuzzed(data)
lookback_fuzzed(train clamp config optimizer* slices)
lookback_fuzzed(lens estimate json_parts losses mechanism_verdict probe_result scores to_json
                     transition)
lookback_fuzzed(language byte_characters gpt2_files harness_text merging pre_tokenizer python_text
                         request_windows task_files task_results task_score tiktoken_file token_file
                         tokenizer tokenizer_json vocabulary written_vocabulary)
lookback_fuzzed(study arm_name claim claim_law claim_words findings metrics_file possible_values
                      quantities* run_config study_file study_layers sweep)
lookback_fuzzed(exchange huggingface json_config layout transformer_lens)
lookback_fuzzed(report json_access load_inspection)
lookback_fuzzed(serve board connection content_policy gzip plain_files request_rules site)

file(GLOB targets CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/fuzz/*_fuzz.cc")
foreach(target IN LISTS targets)
  get_filename_component(name "${target}" NAME_WE)
  add_executable(${name} "${target}")
  target_link_libraries(${name} PRIVATE fuzzed lookback_warnings)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endforeach()
