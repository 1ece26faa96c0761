# fuzz/NAME_fuzz.cc -> the executable NAME_fuzz: libFuzzer with sanitizers, which Clang alone has.
# Only the sources that a reader needs are compiled, anew and instrumented: the whole library would
# take minutes. scripts/fuzz builds and runs them.

set(instrument -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)

# lookback_fuzz(NAME USES targets... SOURCES paths below lookback/...)
function(lookback_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES;SOURCES")
  add_executable(${name}_fuzz "${PROJECT_SOURCE_DIR}/fuzz/${name}_fuzz.cc")
  # The sources of one part are compiled as one, which halves the time.
  set_target_properties(${name}_fuzz PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  foreach(source IN LISTS arg_SOURCES)
    get_filename_component(part "${source}" DIRECTORY)
    set(path "${PROJECT_SOURCE_DIR}/lookback/${source}")
    set_source_files_properties("${path}" PROPERTIES UNITY_GROUP ${part})
    file(STRINGS "${path}" again REGEX "foreach_target" LIMIT_COUNT 1)
    if(again)  # Highway compiles it once for each instruction set: it stays alone
      set_source_files_properties("${path}" PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
    target_sources(${name}_fuzz PRIVATE "${path}")
  endforeach()
  target_link_libraries(${name}_fuzz PRIVATE lookback_options lookback_warnings ${arg_USES})
  target_compile_options(${name}_fuzz PRIVATE -fsanitize=fuzzer ${instrument})
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer ${instrument})
endfunction()

lookback_fuzz(safetensors
  USES fmt::fmt nlohmann_json::nlohmann_json PkgConfig::xxhash
  SOURCES base/checksum.cc base/file.cc base/memory.cc base/nearest.cc base/printable.cc
          base/safetensors.cc base/safetensors_header.cc)

# A row of the table of optimizers has its update, and so the products that Muon takes.
file(GLOB optimizers RELATIVE "${PROJECT_SOURCE_DIR}/lookback" CONFIGURE_DEPENDS
     "${PROJECT_SOURCE_DIR}/lookback/train/optimizer*.cc")
set(optimizing base/workers.cc math/adamw.cc math/matmul.cc math/orthogonal.cc train/slices.cc
               ${optimizers})
lookback_fuzz(study
  USES fmt::fmt nlohmann_json::nlohmann_json tomlplusplus::tomlplusplus PkgConfig::highway
       Threads::Threads Boost::headers
  SOURCES base/count.cc base/file.cc base/json_access.cc base/memory.cc base/nearest.cc
          base/printable.cc base/toml_difference.cc base/toml_document.cc base/toml_parse.cc
          base/toml_place.cc base/toml_table.cc base/toml_values.cc base/toml_write.cc
          model/architecture.cc
          model/architecture_toml.cc model/compile.cc model/plan.cc model/program.cc model/taps.cc
          data/repeated_blocks.cc train/clamp.cc train/config.cc ${optimizing}
          math/quantiles.cc lens/estimate.cc lens/mechanism_verdict.cc study/arm_name.cc study/claim.cc
          study/claim_law.cc study/claim_words.cc
          study/quantities.cc study/quantities_evaluated.cc study/quantities_inspected.cc
          study/run_config.cc study/study_file.cc study/study_layers.cc study/sweep.cc)

lookback_fuzz(tokens
  USES fmt::fmt nlohmann_json::nlohmann_json PkgConfig::xxhash PkgConfig::pcre2
  SOURCES base/checksum.cc base/file.cc base/json_access.cc base/json_file.cc base/printable.cc
          base/utf8.cc language/byte_characters.cc language/gpt2_files.cc language/merging.cc
          language/pre_tokenizer.cc language/tiktoken_file.cc language/token_file.cc
          language/tokenizer.cc language/tokenizer_json.cc language/vocabulary.cc
          language/written_vocabulary.cc)

lookback_fuzz(task
  USES fmt::fmt nlohmann_json::nlohmann_json PkgConfig::pcre2
  SOURCES base/file.cc base/json_access.cc base/json_file.cc base/nearest.cc base/printable.cc
          base/utf8.cc language/harness_text.cc language/python_text.cc language/request_windows.cc
          language/task_files.cc language/task_results.cc language/task_score.cc)

lookback_fuzz(requests
  USES fmt::fmt nlohmann_json::nlohmann_json PkgConfig::httplib OpenSSL::Crypto ZLIB::ZLIB
  SOURCES serve/board.cc serve/connection.cc serve/content_policy.cc serve/gzip.cc
          serve/plain_files.cc serve/request_rules.cc serve/site.cc)

lookback_fuzz(records
  USES fmt::fmt nlohmann_json::nlohmann_json tomlplusplus::tomlplusplus PkgConfig::xxhash
       PkgConfig::highway Threads::Threads Eigen3::Eigen Boost::headers
  SOURCES base/checksum.cc base/file.cc base/json_access.cc base/json_file.cc base/memory.cc
          base/nearest.cc base/printable.cc base/safetensors.cc base/safetensors_header.cc
          base/count.cc base/toml_document.cc base/toml_parse.cc base/toml_place.cc
          base/toml_table.cc base/toml_values.cc base/toml_write.cc base/toml_difference.cc
          model/architecture.cc model/compile.cc model/program.cc ${optimizing}
          data/repeated_blocks.cc math/quantiles.cc lens/estimate.cc
          lens/json_parts.cc lens/losses.cc lens/mechanism_verdict.cc lens/probe_result.cc
          lens/scores.cc lens/to_json.cc lens/transition.cc report/json_access.cc
          report/load_inspection.cc study/findings.cc study/metrics_file.cc study/possible_values.cc
          study/quantities.cc study/quantities_evaluated.cc study/quantities_inspected.cc)

lookback_fuzz(imports
  USES fmt::fmt nlohmann_json::nlohmann_json tomlplusplus::tomlplusplus PkgConfig::xxhash
  SOURCES base/checksum.cc base/count.cc base/file.cc base/json_file.cc base/nearest.cc
          base/printable.cc base/safetensors.cc base/safetensors_header.cc base/toml_document.cc
          base/memory.cc base/toml_parse.cc base/toml_place.cc base/toml_table.cc
          base/toml_values.cc exchange/huggingface.cc
          exchange/json_config.cc exchange/layout.cc exchange/transformer_lens.cc
          model/architecture.cc model/compile.cc model/program.cc model/taps.cc)
