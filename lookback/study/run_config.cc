#include "lookback/study/run_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lookback/base/file.h"
#include "lookback/base/printable.h"
#include "lookback/base/toml_document.h"
#include "lookback/model/architecture_toml.h"
#include "lookback/study/arm_name.h"

namespace lookback::study {
namespace {

/// Held-out sequences do not depend on the run's seed: every run is measured on the same ones.
constexpr std::uint64_t held_out_seed = 0;

constexpr const char* text_kind = "tokens";
constexpr std::size_t longest_path = 4096;

bool is_hexadecimal(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

DataConfig read_data(base::TableReader data, std::size_t context) {
  DataConfig config;
  const auto blocks = data::block_kind_names();
  std::vector<std::string> kinds(blocks.begin(), blocks.end());
  kinds.emplace_back(text_kind);
  const std::string kind = data.choice("kind", data::name_of(config.kind), kinds);
  if (const auto parsed = data::parse_block_kind(kind)) config.kind = *parsed;
  if (kind == text_kind) {
    config.text.emplace();
    config.text->directory = data.text("directory", "", longest_path);
    config.text->checksum = data.text("checksum", "", 100);
    if (!std::ranges::all_of(config.text->checksum, is_hexadecimal)) {
      data.fail("checksum", fmt::format("found \"{}\", allowed: hexadecimal digits",
                                        base::printable(config.text->checksum)));
    }
    config.text->repeats = data.number("repeats", 0, 0, 1);
  }
  constexpr std::int64_t longest = 1 << 20;
  config.length = static_cast<std::size_t>(
      data.integer("length", static_cast<std::int64_t>(context), 2, longest));
  const auto [first, last] = data.integer_range(
      "period",
      {static_cast<std::int64_t>(config.min_period), static_cast<std::int64_t>(config.max_period)},
      1, longest);
  config.min_period = static_cast<std::size_t>(first);
  config.max_period = static_cast<std::size_t>(last);
  return config;
}

EvaluateConfig read_evaluate(base::TableReader evaluate, bool of_text) {
  EvaluateConfig config;
  config.sequences = evaluate.count("sequences", config.sequences, 1, 1'000'000);
  const auto all = data::block_kind_names();
  for (const std::string& name : evaluate.choices("probes", {all.begin(), all.end()}, all)) {
    if (const auto kind = data::parse_block_kind(name)) config.probes.push_back(*kind);
  }
  if (of_text) config.windows = evaluate.count("windows", config.windows, 1, 1'000'000);
  config.inspect = evaluate.flag("inspect", true);
  return config;
}

data::BlockTask task_of(const RunConfig& config, data::BlockKind kind) {
  data::BlockTask task;
  task.kind = kind;
  task.vocabulary = config.architecture.vocabulary;
  task.length = config.data.length;
  task.min_period = config.data.min_period;
  task.max_period = config.data.max_period;
  return task;
}

/// What one worker keeps of one sequence is allocated on the word of the configuration.
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

/// The table [data]. A checksum stands there as it was read or found: letters and digits.
std::string data_table(const DataConfig& data) {
  std::string kind = fmt::format("\"{}\"", data.text ? text_kind : data::name_of(data.kind));
  if (data.text) kind += fmt::format("\nchecksum = \"{}\"", data.text->checksum);
  if (data.text && data.text->repeats > 0)
    kind += fmt::format("\nrepeats = {}", data.text->repeats);
  return fmt::format("[data]\nkind = {}\nlength = {}\nperiod = [{}, {}]\n", kind, data.length,
                     data.min_period, data.max_period);
}

std::string quoted_list(const std::vector<data::BlockKind>& kinds) {
  std::vector<std::string> names;
  names.reserve(kinds.size());
  for (const data::BlockKind kind : kinds) names.push_back('"' + data::name_of(kind) + '"');
  return fmt::format("[{}]", fmt::join(names, ", "));
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
    return Error{fmt::format("{}: {}", reader.file_name(), status.error().message)};
  }
  return config;
}

}  // namespace

RunConfig read_run_tables(base::TableReader& reader) {
  RunConfig config;
  config.architecture = model::read_architecture(reader.table("model"), reader.table("init"));
  config.data = read_data(reader.table("data"), config.architecture.context);
  config.train = train::read_train_config(reader.table("train"), config.data.length);
  config.evaluate = read_evaluate(reader.table("evaluate"), config.data.text.has_value());
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
  if (!config.data.text) {
    if (const auto source = block_training_source(config); !source) return source.error();
  }
  for (const data::BlockKind probe : config.evaluate.probes) {
    if (const auto source = probe_source(config, probe); !source) {
      return Error{fmt::format("evaluate.probes: '{}' does not fit: {}", data::name_of(probe),
                               source.error().message)};
    }
  }
  const auto& probes = config.evaluate.probes;
  if (std::ranges::find(probes, data::BlockKind::repeated_blocks) == probes.end()) {
    return Error{
        "evaluate.probes must name \"repeated-blocks\": scores and transitions are judged "
        "by it"};
  }
  return validate_clamps(config);
}

std::string to_toml(const RunConfig& config) {
  const EvaluateConfig& evaluate = config.evaluate;
  const std::string windows =
      config.data.text ? fmt::format("windows = {}\n", evaluate.windows) : "";
  return fmt::format(
      "[run]\narm = \"{}\"\nseed = {}\n\n{}\n{}\n{}\n[evaluate]\nsequences = {}\nprobes = {}\n{}{}",
      config.arm, config.seed, model::to_toml(config.architecture), data_table(config.data),
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

Result<std::unique_ptr<data::BlockSource>> block_training_source(const RunConfig& config) {
  data::BlockTask task = task_of(config, config.data.kind);
  task.seed = config.seed;
  task.purpose = base::StreamPurpose::training_data;
  return data::make_block_source(task);
}

Result<std::unique_ptr<data::BlockSource>> probe_source(const RunConfig& config,
                                                        data::BlockKind kind) {
  data::BlockTask task = task_of(config, kind);
  task.seed = held_out_seed;
  task.purpose = base::StreamPurpose::held_out_data;
  return data::make_block_source(task);
}

}  // namespace lookback::study
