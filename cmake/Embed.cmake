# lookback_embed(TARGET SYMBOL FILE): puts the bytes of a file of the project into a library:
#   extern "C" const char SYMBOL_begin[];
#   extern "C" const char SYMBOL_end[];
function(lookback_embed target symbol file)
  set(path "${PROJECT_SOURCE_DIR}/${file}")
  set(embed "${PROJECT_BINARY_DIR}/${symbol}.s")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/embed.s.in" "${embed}" @ONLY)
  set_source_files_properties("${embed}" PROPERTIES OBJECT_DEPENDS "${path}")
  # A target of its own, so that the options of C++ sources do not reach the assembler.
  add_library(${symbol} OBJECT "${embed}")
  target_compile_options(${symbol} PRIVATE
    $<$<COMPILE_LANG_AND_ID:ASM,Clang,AppleClang>:-Wno-unused-command-line-argument>)
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${symbol}>)
endfunction()
