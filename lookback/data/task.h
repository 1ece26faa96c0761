// A task is a file and a row: how its sequences are drawn, what is known of each, and which keys it
// has in [data].
//
// Legend: T positions, V tokens.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/kind.h"
#include "lookback/base/random.h"
#include "lookback/base/result.h"
#include "lookback/data/sequence_predictor.h"
#include "lookback/data/structure.h"
#include "lookback/data/token_source.h"

namespace lookback::data {

/// Distances t - s from a query to a source, both ends included.
struct Offsets {
  std::size_t first = 0;
  std::size_t last = 0;
};

/// What holds for every sequence of a task.
struct TaskProfile {
  std::string name = {};         ///< its row's
  std::string description = {};  ///< one line for reports: what is really drawn
  /// The distances that a head could look at by habit and be right: the periods of training. None: there
  /// is no such habit, and no measure of it.
  std::optional<Offsets> habit = {};
  /// The periods with which something repeats, as they are drawn: ranges, ascending. None: nothing does.
  std::vector<Offsets> periods = {};
  /// The first prediction that context can help in some sequence, and the one from which on it can in
  /// all of them. None: it always comes to predictions that context cannot help.
  std::size_t helped_first = 0;
  std::optional<std::size_t> helped_from = {};
};

/// A source of sequences that can tell how each is built. Immutable and thread-safe.
class Task : public TokenSource {
 public:
  virtual const TaskProfile& profile() const = 0;

  /// Of the sequence that draw() gives for the same index.
  virtual Structure structure(std::uint64_t index) const = 0;

  /// Predictors to hold a model against, from the one that knows least to the one that knows most.
  /// None: nobody has written one.
  virtual std::vector<NamedPredictor> predictors() const { return {}; }
};

/// What a task is made for, beside its own keys.
struct TaskSizes {
  std::size_t vocabulary = 256;  ///< V
  std::size_t length = 256;      ///< T
  std::uint64_t seed = 0;
  base::StreamPurpose purpose = base::StreamPurpose::training_data;
};

/// A row of the table of tasks.
struct TaskKind : base::Kind {
  /// Refuses, in one line, sizes and values that do not fit. Null: text, whose token files are opened by
  /// study/training_data.
  Result<std::unique_ptr<Task>> (*make)(const base::KindConfig& config,
                                        const TaskSizes& sizes) = nullptr;
  /// What a run that learns this task is measured on. The first is the one by which scores, transitions
  /// and claims judge it unless they name another.
  std::vector<std::string> probes = {};
  /// Reports values that contradict each other to the reader of their table. Null: none can.
  void (*check)(const base::KindConfig& config, base::TableReader& table) = nullptr;
};

// The rows. Each stands in its task's file; one added here goes into task_kinds(), too.
TaskKind repeated_blocks_kind();
TaskKind unseen_period_kind();
TaskKind broken_period_kind();
TaskKind random_repeat_kind();
TaskKind mqar_kind();
TaskKind markov_chains_kind();
TaskKind text_kind();

/// The table of tasks, the default first.
std::span<const TaskKind> task_kinds();

/// The row of that name. The error names the rows there are, and the nearest.
Result<const TaskKind*> find_task(std::string_view name);

/// The names of the rows that make a Task: all but text.
std::span<const std::string> task_names();

/// The task of a configuration. Errors: those of its row.
Result<std::unique_ptr<Task>> make_task(const base::KindConfig& config, const TaskSizes& sizes);

/// The same kind with its defaults, but with the values of `other` under keys that both have: a probe
/// beside the task that a run learns.
/// REQUIRES that there is a row of that name.
base::KindConfig probe_config(std::string_view name, const base::KindConfig& other);

}  // namespace lookback::data
