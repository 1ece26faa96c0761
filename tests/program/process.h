// The program as a process of its own: started, signalled by its number, waited for.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/base/temporary_directory.h"

namespace lookback::program::spec {

/// The interpreter of the checks that are written in Python.
inline constexpr const char* python = "/usr/bin/python3";

/// How a process ended and what it printed.
struct Ended {
  int exit_code = -1;  ///< -1: it did not exit by itself
  int signal = 0;      ///< that ended it, or 0
  std::string out, err;
};

/// Where a process's stderr goes: to be read, nowhere for it is closed (2>&-), or into a pipe that
/// nobody reads from any more.
enum class Stderr { kept, closed, unread };

struct Command {
  std::vector<std::string> arguments;              ///< the program first
  std::map<std::string, std::string> environment;  ///< added to the test's own
  std::optional<std::size_t> largest_file;         ///< bytes (RLIMIT_FSIZE)
  std::filesystem::path out_file;  ///< stdout goes there and is not read, unless empty
  Stderr err = Stderr::kept;
};

/// lookback with these arguments.
Command lookback(std::vector<std::string> arguments);

/// A running process. One that is still there at the end of the object is killed.
class Process {
 public:
  /// `prepare` is called in the child before it becomes the program, and must not allocate; where it
  /// returns false the child exits with 127.
  explicit Process(const Command& command, const std::function<bool()>& prepare = nullptr);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void send(int signal) const;

  /// Waits for its end, but not beyond `limit`, when it is killed and the test fails.
  Ended wait(std::chrono::seconds limit = std::chrono::seconds(120));

  /// Whether it is still running after this time.
  bool runs_for(std::chrono::microseconds time);

 private:
  bool has_ended();

  test::TemporaryDirectory output_;
  std::filesystem::path out_, err_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

/// Starts it and waits for its end.
Ended run(const Command& command);

}  // namespace lookback::program::spec
