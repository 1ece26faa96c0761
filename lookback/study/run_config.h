// One run's whole configuration: what config.toml and every checkpoint hold.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/base/toml_table.h"
#include "lookback/data/task.h"
#include "lookback/model/architecture.h"
#include "lookback/train/clamp.h"
#include "lookback/train/config.h"

namespace lookback::study {

/// Which sequences a run learns from: the table [data]. V and the seed come from elsewhere.
struct DataConfig {
  base::KindConfig task{
      data::task_kinds().front()};  ///< a row of the table of tasks, with its keys
  std::size_t length = 0;           ///< T of training and evaluation, at most the model's context
  /// Of text, where its token files lie: no part of what a run is, and not in its config.toml.
  std::string directory = {};

  bool is_text() const { return task.kind == data::text_kind().name; }
  /// The probe by which scores, transitions and claims judge the run unless they name another.
  const std::string& main_probe() const;

  bool operator==(const DataConfig& other) const {
    return task == other.task && length == other.length;
  }
};

/// What is measured at each evaluation, and at the end: the table [evaluate].
struct EvaluateConfig {
  std::size_t sequences = 64;       ///< of each probe
  std::vector<std::string> probes;  ///< names of tasks
  std::size_t windows = 256;        ///< of validation text, where a run learns from text
  bool inspect = true;              ///< whether the run ends with an inspection (inspect_run.h)

  bool operator==(const EvaluateConfig&) const = default;
};

struct RunConfig {
  std::string arm;
  std::uint64_t seed = 0;  ///< of weights and training sequences
  model::Architecture architecture;
  DataConfig data;
  train::TrainConfig train;
  EvaluateConfig evaluate;
  std::vector<train::Clamp> clamps;

  bool operator==(const RunConfig&) const = default;
};

/// Reads [model], [init], [data], [train], [evaluate] and [clamp.*] of a reader whose finish() the
/// caller asks. `arm` and `seed` stay as they are.
RunConfig read_run_tables(base::TableReader& reader);

/// Refuses what does not fit together, in one line with the reason.
Status validate(const RunConfig& config);

/// The whole configuration, every key with its value: [run] with arm and seed, then the tables. A
/// run without clamps has no word of them, so directories made before there were any are still those
/// of their runs. Whether a run is inspected is no part of what it is, and may change.
std::string to_toml(const RunConfig& config);

/// Reads back what to_toml wrote. `file_name` is for messages. A run's directory is of one version of
/// lookback: what lookback 0.2 wrote is refused in a line that says so.
Result<RunConfig> parse_run_config(const std::string& text, const std::string& file_name);

/// The text of config.toml in a run's directory, and what it says. Errors: it cannot be read, is over
/// base::largest_toml, or is not what to_toml writes.
Result<std::string> read_config_text(const std::filesystem::path& run);
Result<RunConfig> read_run_config(const std::filesystem::path& run);

/// The same for a model whose training is over: the metadata of a checkpoint, which lookback 0.2 may have
/// written.
Result<RunConfig> parse_model_config(const std::string& text, const std::string& file_name);

/// The task that this run learns. REQUIRES that it does not learn from text.
Result<std::unique_ptr<data::Task>> training_task(const RunConfig& config);

/// The held-out sequences of one probe: the same for every arm and seed of a study.
/// Errors: no such task, or it does not fit.
Result<std::unique_ptr<data::Task>> probe_task(const RunConfig& config, std::string_view name);

}  // namespace lookback::study
