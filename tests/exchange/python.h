// Runs the programs of tests/reference with a Python that is there.
#pragma once

#include <string>
#include <vector>

namespace lookback::exchange::spec {

struct Answer {
  int exit_code = -1;  ///< 77: it lacks a library
  std::string text;    ///< stdout and stderr
};

/// LOOKBACK_PYTHON in the environment, else build/python (scripts/setup-python) if it is there,
/// else the system's.
std::string python_with_libraries();
/// The same with TransformerLens 4: LOOKBACK_PYTHON_TL4, else build/python-tl4, else the system's.
std::string python_with_transformer_lens_4();
inline constexpr const char* system_python = "/usr/bin/python3";

/// A script of tests/reference with arguments, which must need no quoting.
Answer run_python(const std::string& python, const std::string& script,
                  const std::vector<std::string>& arguments);

}  // namespace lookback::exchange::spec
