#include "lookback/cli/check_memory.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

#include "lookback/base/memory.h"
#include "lookback/model/program.h"
#include "lookback/train/trainer.h"

namespace lookback::cli {

Status check_memory(std::span<const study::RunConfig> runs, std::size_t threads) {
  const std::optional<std::uint64_t> available = base::available_memory();
  if (!available) return {};
  for (const study::RunConfig& run : runs) {
    const Result<model::Program> program = model::compile(run.architecture);
    if (!program) return program.error();
    const std::uint64_t needed =
        train::training_memory(*program, run.train, run.data.length, threads);
    if (needed <= *available) continue;
    return Error{
        fmt::format(
            "not enough memory: training '{}' needs about {} with {} thread{}, {} are available",
            run.arm, base::memory_text(needed), threads, threads == 1 ? "" : "s",
            base::memory_text(*available)),
        ErrorKind::failed};
  }
  return {};
}

Error out_of_memory(const std::bad_alloc& error) {
  std::string message = "not enough memory";
  if (const auto* known = dynamic_cast<const base::OutOfMemory*>(&error)) {
    message += ": another " + base::memory_text(known->bytes()) + " is needed";
  }
  if (const auto available = base::available_memory()) {
    message += fmt::format("; {} is available", base::memory_text(*available));
  }
  return {std::move(message), ErrorKind::failed};
}

}  // namespace lookback::cli
