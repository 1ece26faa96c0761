#include "tests/exchange/python.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace lookback::exchange::spec {

namespace {

std::string python_of(const char* variable, const std::string& folder) {
  if (const char* named = std::getenv(variable)) return named;
  const std::string own = LOOKBACK_SOURCE_DIR "/build/" + folder + "/bin/python";
  std::error_code ignored;
  return std::filesystem::exists(own, ignored) ? own : system_python;
}

}  // namespace

std::string python_with_libraries() { return python_of("LOOKBACK_PYTHON", "python"); }

std::string python_with_transformer_lens_4() {
  return python_of("LOOKBACK_PYTHON_TL4", "python-tl4");
}

Answer run_python(const std::string& python, const std::string& script,
                  const std::vector<std::string>& arguments) {
  std::string command = "'" + python + "' '" LOOKBACK_SOURCE_DIR "/tests/reference/" + script + "'";
  for (const std::string& argument : arguments) command += " '" + argument + "'";
  Answer answer;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return answer;
  std::array<char, 4096> buffer{};
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    answer.text.append(buffer.data(), count);
  }
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) answer.exit_code = WEXITSTATUS(status);
  return answer;
}

}  // namespace lookback::exchange::spec
