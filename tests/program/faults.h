// A process whose calls to the file system are counted, one of which can fail or be its last.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/program/process.h"

namespace lookback::program::spec {

/// One of the calls that touch files below a directory, by its number from 0.
struct Fault {
  std::size_t call = 0;
  int error =
      0;  ///< the call is not made and fails with this errno; 0: the process is killed instead
};

/// "write DIR/.f.partial-17" and the like: the call and the file that it touches.
using FileCall = std::string;

struct Watched {
  Ended ended;
  std::vector<FileCall> calls;  ///< those below the directory, in order, up to a fatal one
};

/// Whether this system can watch calls (seccomp's user notification, Linux 5.5).
bool can_watch_calls();

/// Runs a command to its end. Every open, read, write, sync, close, stat, rename, removal, listing and
/// lock of a file below `directory` counts, by whatever library it is made; absolute paths only.
Watched watch(const Command& command, const std::filesystem::path& directory,
              const Fault* fault = nullptr);

}  // namespace lookback::program::spec
