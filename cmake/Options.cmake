# How every source of this project is compiled: the target lookback_options, and ccache if present.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, ..." FORCE)
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(LOOKBACK_CCACHE ccache)
mark_as_advanced(LOOKBACK_CCACHE)
if(LOOKBACK_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${LOOKBACK_CCACHE}")
endif()

add_library(lookback_options INTERFACE)
target_compile_features(lookback_options INTERFACE cxx_std_20)
set(CMAKE_CXX_EXTENSIONS OFF)
target_include_directories(lookback_options INTERFACE "${PROJECT_SOURCE_DIR}")

# A run gives the same bits whatever was inlined where: a*b + c is never silently made one rounding
# instead of two (kernels that want a fused multiply-add say so). For the same reason neither
# -march=native nor -ffast-math: kernels choose their instruction set at run time.
target_compile_options(
  lookback_options
  INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>
            # Paths in messages and debug information start at the project's root.
            $<$<COMPILE_LANGUAGE:CXX>:-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=>)

add_library(lookback_warnings INTERFACE)
target_compile_options(
  lookback_warnings
  INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wconversion;-Werror>
            # A local name may be that of another source compiled in the same unit.
            $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wshadow=local>
            # Clang counts signedness as conversion, GCC does not: the same rule for both.
            $<$<COMPILE_LANG_AND_ID:CXX,Clang,AppleClang>:-Wno-sign-conversion>
            # GCC 12 sees overlapping copies in every inlined std::string sum (its bug 105651).
            $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>)

# For code that other people's templates fill: the checks left out stand at every access and cost a
# third of its compile time, and the address sanitizer sees most of what they see.
function(lookback_sanitize_less target)
  set_target_properties(${target} PROPERTIES LOOKBACK_SANITIZE_LESS ON)
endfunction()

if(LOOKBACK_SANITIZE)
  set(sanitize -fsanitize=${LOOKBACK_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  set(less $<BOOL:$<TARGET_PROPERTY:LOOKBACK_SANITIZE_LESS>>)
  target_compile_options(
    lookback_options
    INTERFACE $<$<COMPILE_LANGUAGE:CXX>:${sanitize}>
              $<$<AND:$<COMPILE_LANGUAGE:CXX>,${less}>:-fno-sanitize=null,alignment,object-size,vptr>)
  target_link_options(lookback_options INTERFACE ${sanitize})
  # GCC's flow analysis misjudges instrumented code; the release build keeps these warnings.
  set(of_flow -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow
              -Wno-stringop-overread)
  target_compile_options(lookback_warnings
                         INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:${of_flow}>)
endif()
