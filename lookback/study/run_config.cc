#include "lookback/study/run_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lookback/base/file.h"
#include "lookback/base/printable.h"
#include "lookback/base/require.h"
#include "lookback/base/toml_document.h"
#include "lookback/model/architecture_toml.h"
#include "lookback/study/arm_name.h"

namespace lookback::study {
namespace {

/// Held-out sequences do not depend on the run's seed: every run is measured on the same ones.
constexpr std::uint64_t held_out_seed = 0;

constexpr std::size_t longest_path = 4096;

const data::TaskKind& row_of(const base::KindConfig& task) { return **data::find_task(task.kind); }

DataConfig read_data(base::TableReader data, std::size_t context) {
  DataConfig config;
  config.task = base::read_kind(data, base::kinds_of(data::task_kinds()), "task");
  if (const auto check = row_of(config.task).check; check != nullptr) check(config.task, data);
  if (config.is_text()) config.directory = data.text("directory", "", longest_path);
  config.length = static_cast<std::size_t>(
      data.integer("length", static_cast<std::int64_t>(context), 2, 1 << 20));
  return config;
}

EvaluateConfig read_evaluate(base::TableReader evaluate, const DataConfig& data) {
  EvaluateConfig config;
  config.sequences = evaluate.count("sequences", config.sequences, 1, 1'000'000);
  config.probes = evaluate.choices("probes", row_of(data.task).probes, data::task_names());
  if (data.is_text()) config.windows = evaluate.count("windows", config.windows, 1, 1'000'000);
  config.inspect = evaluate.flag("inspect", true);
  return config;
}

Result<std::unique_ptr<data::Task>> make_task(const RunConfig& config, const base::KindConfig& task,
                                              std::uint64_t seed, base::StreamPurpose purpose) {
  return data::make_task(task, {config.architecture.vocabulary, config.data.length, seed, purpose});
}

/// The configuration alone decides how much memory a worker takes for one sequence.
Status validate_activations(const RunConfig& config) {
  constexpr double most = 4.3e9;  // 2^32 floats: 16 GiB
  const model::Architecture& a = config.architecture;
  const auto length = static_cast<double>(config.data.length);
  const double patterns = length * static_cast<double>(a.layers * a.heads_per_layer());
  const auto widest = static_cast<double>(std::max({a.d_mlp, a.d_model, a.heads * a.d_head}));
  const double numbers = length * (patterns + widest * static_cast<double>(a.layers * a.steps) +
                                   static_cast<double>(a.vocabulary));
  if (numbers <= most) return {};
  return Error{fmt::format(
      "the activations of one sequence of data.length = {} take up to {:.2g} numbers; allowed are "
      "at most {:.2g}",
      config.data.length, numbers, most)};
}

Status validate_clamps(const RunConfig& config) {
  if (config.clamps.empty()) return {};
  const Result<model::Program> program = model::compile(config.architecture);
  if (!program) return program.error();
  return train::validate(config.clamps, *program, config.train.tokens);
}

std::string quoted_list(const std::vector<std::string>& names) {
  return names.empty() ? "[]" : fmt::format("[\"{}\"]", fmt::join(names, "\", \""));
}

Result<RunConfig> config_of(base::Document document) {
  base::TableReader reader(std::move(document));
  base::TableReader run = reader.table("run");
  const std::string arm = run.text("arm", "", 100);
  if (!arm.empty() && !is_arm_of_run(arm)) {
    run.fail("arm", fmt::format("found \"{}\", allowed: {}", base::printable(arm), arms_of_runs));
  }
  const std::int64_t seed = run.integer("seed", 0, 0, INT64_MAX);
  RunConfig config = read_run_tables(reader);
  config.arm = arm;
  config.seed = static_cast<std::uint64_t>(seed);
  if (Status status = reader.finish(); !status) return status.error();
  if (Status status = validate(config); !status) {
    return status.error().at(reader.file_name());
  }
  return config;
}

}  // namespace

RunConfig read_run_tables(base::TableReader& reader) {
  RunConfig config;
  config.architecture = model::read_architecture(reader.table("model"), reader.table("init"));
  config.data = read_data(reader.table("data"), config.architecture.context);
  config.train = train::read_train_config(reader.table("train"), config.data.length);
  config.evaluate = read_evaluate(reader.table("evaluate"), config.data);
  config.clamps = train::read_clamps(reader.table("clamp"), config.train.tokens,
                                     config.architecture.vocabulary);
  return config;
}

Status validate(const RunConfig& config) {
  if (Status status = model::validate(config.architecture); !status) return status;
  if (Status status = train::validate(config.train); !status) return status;
  if (config.data.length > config.architecture.context) {
    return Error{fmt::format("data.length is {}, but model.context is {}; sequences must fit",
                             config.data.length, config.architecture.context)};
  }
  if (Status status = validate_activations(config); !status) return status;
  if (!config.data.is_text()) {
    if (const auto task = training_task(config); !task) return task.error();
  }
  for (const std::string& probe : config.evaluate.probes) {
    if (const auto task = probe_task(config, probe); !task) {
      return task.error().at(fmt::format("evaluate.probes: '{}' does not fit", probe));
    }
  }
  const auto& probes = config.evaluate.probes;
  const std::string& main = config.data.main_probe();
  if (std::ranges::find(probes, main) == probes.end()) {
    return Error{fmt::format(
        "evaluate.probes must name \"{}\": scores and transitions are judged by it", main)};
  }
  return validate_clamps(config);
}

std::string to_toml(const RunConfig& config) {
  const EvaluateConfig& evaluate = config.evaluate;
  const std::string windows =
      config.data.is_text() ? fmt::format("windows = {}\n", evaluate.windows) : "";
  return fmt::format(
      "[run]\narm = \"{}\"\nseed = {}\n\n{}\n[data]\n{}length = {}\n\n{}\n[evaluate]\nsequences = "
      "{}\nprobes = {}\n{}{}",
      config.arm, config.seed, model::to_toml(config.architecture),
      base::to_toml(config.data.task, row_of(config.data.task)), config.data.length,
      train::to_toml(config.train), evaluate.sequences, quoted_list(evaluate.probes), windows,
      train::to_toml(config.clamps));
}

Result<RunConfig> parse_run_config(const std::string& text, const std::string& file_name) {
  Result<base::Document> document = base::parse_toml(text, file_name);
  if (!document) return document.error();
  return config_of(std::move(*document));
}

Result<RunConfig> parse_model_config(const std::string& text, const std::string& file_name) {
  Result<base::Document> document = base::parse_toml(text, file_name);
  if (!document) return document.error();
  train::move_optimizer_keys(*document);
  return config_of(std::move(*document));
}

Result<std::string> read_config_text(const std::filesystem::path& run) {
  return base::read_file(run / "config.toml", base::largest_toml);
}

Result<RunConfig> read_run_config(const std::filesystem::path& run) {
  const Result<std::string> text = read_config_text(run);
  if (!text) return text.error();
  return parse_run_config(*text, (run / "config.toml").string());
}

const std::string& DataConfig::main_probe() const { return row_of(task).probes.front(); }

Result<std::unique_ptr<data::Task>> training_task(const RunConfig& config) {
  LOOKBACK_REQUIRE(!config.data.is_text());
  return make_task(config, config.data.task, config.seed, base::StreamPurpose::training_data);
}

Result<std::unique_ptr<data::Task>> probe_task(const RunConfig& config, std::string_view name) {
  if (const auto row = data::find_task(name); !row) return row.error();
  return make_task(config, data::probe_config(name, config.data.task), held_out_seed,
                   base::StreamPurpose::held_out_data);
}

}  // namespace lookback::study
