// lookback construct: an induction circuit with weights in closed form, as a checkpoint.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/data/task.h"
#include "lookback/model/construct.h"
#include "lookback/model/program.h"
#include "lookback/study/fitted_config.h"
#include "lookback/study/output_place.h"
#include "lookback/train/checkpoint.h"

namespace lookback::cli {
namespace {

struct ConstructOptions {
  std::string kind, out;
  std::size_t vocabulary = 512, context = 256;
  std::optional<std::size_t> d_model, d_head;  ///< none: the least
  study::AskedPeriods periods;
};

/// The requested construction, with the smallest D and E unless they are given.
model::Construction construction_of(const ConstructOptions& options) {
  const auto names = model::construction_names();
  const auto kind = std::ranges::find(names, options.kind) - names.begin();
  model::Construction construction{static_cast<model::ConstructionKind>(kind), options.vocabulary,
                                   options.context, 0, 0};
  const model::Circuit circuit = model::circuit_of(construction);
  construction.d_model = options.d_model.value_or(circuit.least_d_model);
  construction.d_head = options.d_head.value_or(circuit.least_d_head);
  return construction;
}

/// The configuration by which other commands measure it: the default task at its sizes.
study::RunConfig config_of(const ConstructOptions& options,
                           const model::Architecture& architecture) {
  study::RunConfig config =
      study::fitted_config(architecture, architecture.context, options.periods);
  config.arm = "constructed-" + options.kind;
  return config;
}

bool has_two_heads(const model::Construction& construction) {
  return construction.kind != model::ConstructionKind::smeared;
}

Status check_vocabulary(const model::Construction& construction, const std::string& kind,
                        const study::DataConfig& data) {
  if (!has_two_heads(construction)) return {};
  const auto longest = static_cast<std::size_t>(data.task.range("period").second);
  const std::size_t least = model::least_vocabulary(longest, data.length);
  if (construction.vocabulary >= least) return {};
  return Error{fmt::format(
      "{}: found a vocabulary of {}, allowed at least {} for periods up to {} of {}: of fewer "
      "tokens the same two follow each other in a block so often that what comes next "
      "costs more than {} nats to tell",
      kind, construction.vocabulary, least, longest, data.length, model::promised_loss)};
}

/// The mean of expected_loss over the periods that a probe draws from.
double expected_loss(std::size_t vocabulary, const data::Task& probe) {
  const bool gaps = probe.profile().name == data::broken_period_kind().name;
  double sum = 0;
  std::size_t count = 0;
  for (const data::Offsets& range : probe.profile().periods) {
    for (std::size_t p = range.first; p <= range.last; ++p, ++count) {
      sum += model::expected_loss(vocabulary, p, probe.length(), gaps);
    }
  }
  return sum / static_cast<double>(count);
}

/// One line: the probes of the configuration on which the circuit's loss stays below promised_loss.
std::string promise(const model::Construction& construction, const study::RunConfig& config) {
  if (!has_two_heads(construction)) {
    return fmt::format(
        "one head matches one token: about P / V of the queries, up to {:.0f}% here, are guesses; "
        "no loss is promised",
        std::min(100.0, 100 * static_cast<double>(config.data.task.range("period").second) /
                            static_cast<double>(construction.vocabulary)));
  }
  std::string kept, missed;
  for (const std::string& name : config.evaluate.probes) {
    const auto probe = study::probe_task(config, name);
    if (!probe) continue;
    const double loss = expected_loss(construction.vocabulary, **probe);
    std::string& list = loss <= model::promised_loss ? kept : missed;
    if (!list.empty()) list += ", ";
    list += name;
    if (loss > model::promised_loss) list += fmt::format(" (up to about {:.2g})", loss);
  }
  return fmt::format("loss below {} nats where looking back gives the answer: {}{}{}",
                     model::promised_loss, kept.empty() ? "none" : kept,
                     missed.empty() ? "" : "; above it: ", missed);
}

int run(const ConstructOptions& options) {
  const model::Construction construction = construction_of(options);
  const Result<model::ConstructedModel> model = model::construct(construction);
  if (!model) return fail(model.error());
  const study::RunConfig config = config_of(options, model->architecture);
  if (Status fits = study::validate(config); !fits) return fail(fits.error());
  if (Status status = check_vocabulary(construction, options.kind, config.data); !status) {
    return fail(status.error());
  }
  const Result<model::Program> program = model::compile(model->architecture);
  if (!program) return fail(program.error());
  if (Status free = study::check_model_file(options.out); !free) return fail(free.error());
  const Status written =
      train::write_model(options.out, *program, model->parameters, {study::to_toml(config)});
  if (!written) return fail(written.error());
  fmt::print("{}\n{}\n", options.out, promise(construction, config));
  return success;
}

void add_sizes(CLI::App& command, ConstructOptions& options) {
  command
      .add_option("--vocabulary", options.vocabulary,
                  "V (default 512; two heads need enough for a loss below 0.01 nats on "
                  "repeated-blocks: about 30 sqrt(P) for a longest period P, more if the context "
                  "holds few copies; 209 for periods up to 48 of 256 tokens)")
      ->check(CLI::Range(2, 1 << 20));
  command.add_option("--context", options.context, "T (default 256)")
      ->check(CLI::Range(2, 1 << 16));
  command.add_option(
      "--d-model", options.d_model,
      "D (default and minimum: 4p + 2M + 1, for smeared 2p; p the smallest prime from 29 "
      "with 2 p^2 >= V, M the smallest with 4^M >= T - 1)");
  command.add_option("--d-head", options.d_head,
                     "E (default and minimum: the larger of 2p + 1 and 2M, for smeared 2p)");
  command.add_option(
      "--min-period", options.periods.min_period,
      "shortest period of the task it is measured on (default 16, or a third of the longest)");
  command.add_option(
      "--max-period", options.periods.max_period,
      "longest period of the task it is measured on (default 48, or a third of the context)");
}

}  // namespace

void add_construct(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ConstructOptions>();
  CLI::App* command = app.add_subcommand(
      "construct", "write an induction circuit with weights in closed form as a checkpoint");
  const auto names = model::construction_names();
  command->add_option("kind", options->kind, "two-layer, sequential or smeared")
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>(names.begin(), names.end())));
  command->add_option("--out", options->out, "the checkpoint to write (.safetensors)")->required();
  add_sizes(*command, *options);
  command->footer("Example: lookback construct two-layer --out two-layer.safetensors");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace lookback::cli
