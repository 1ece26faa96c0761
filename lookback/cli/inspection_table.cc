#include "lookback/cli/inspection_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "lookback/lens/circuit_names.h"

namespace lookback::cli {
namespace {

using lens::Estimate;
using lens::HeadPlace;

/// Rows of more heads or pairs than this are cut; --json has them all.
constexpr std::size_t most_rows = 24;

std::string name_of(HeadPlace place) { return fmt::format("head {}.{}", place.layer, place.head); }

/// "0.861"; "-" for what is not known.
std::string text(double value) { return std::isfinite(value) ? fmt::format("{:.3f}", value) : "-"; }

/// "0.861 +-0.012".
std::string text(const Estimate& value) {
  const double half = value.half_width();
  if (!std::isfinite(value.mean) || !std::isfinite(half)) return text(value.mean);
  return fmt::format("{:.3f} +-{:.3f}", value.mean, half);
}

/// Lines of equal cells, the first wide and to the left.
class Table {
 public:
  void title(std::string_view line) {
    text_ += fmt::format("\n{}\n", line);
    widths_.clear();
  }
  /// Names of the columns from here to the next title, which are as wide as they need.
  void columns(std::span<const std::string> names) {
    widths_.clear();
    for (const std::string& name : names) widths_.push_back(std::max(least_width, name.size()));
    row("", names);
  }
  void columns(std::initializer_list<std::string> names) {
    columns(std::span<const std::string>(names.begin(), names.size()));
  }
  void line(std::string_view line) { text_ += fmt::format("  {}\n", line); }
  void row(std::string_view name, std::span<const std::string> cells) {
    text_ += fmt::format("  {:<36}", name);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      text_ += fmt::format(" {:>{}}", cells[i], i < widths_.size() ? widths_[i] : least_width);
    }
    text_ += '\n';
  }
  void row(std::string_view name, std::initializer_list<std::string> cells) {
    row(name, std::span<const std::string>(cells.begin(), cells.size()));
  }
  void cut(std::size_t left) {
    if (left > 0) line(fmt::format("... and {} more: --json has them", left));
  }
  std::string take() { return std::move(text_); }
  void add(std::string_view more) { text_ += more; }

 private:
  static constexpr std::size_t least_width = 16;
  std::string text_;
  std::vector<std::size_t> widths_;
};

std::string count_of(const nlohmann::json& tokens) {
  return fmt::format("{:.2f}M", tokens.get<double>() / 1e6);
}

void add_transition(const nlohmann::json& found, std::string_view what, Table& table) {
  const nlohmann::json& interval = found["interval"];
  table.line(
      fmt::format("{} transition at {} tokens (between {} and {}), score {:.3f} to {:.3f}{}", what,
                  count_of(found["tokens"]), count_of(interval[0]), count_of(interval[1]),
                  found["low_score"].get<double>(), found["peak_score"].get<double>(),
                  found["sharpness"].is_null()
                      ? std::string()
                      : fmt::format(", {:.2f} decades wide", found["sharpness"].get<double>())));
}

void add_beginning(const study::SavedModel& model, const study::Inspection& inspection,
                   Table& table) {
  const nlohmann::json& transitions = inspection.transitions;
  table.add(fmt::format("{}, seed {}, after {:.2f}M tokens: {} parameters\n", model.config.arm,
                        model.header.seed, static_cast<double>(model.header.tokens) / 1e6,
                        model.program.parameter_count()));
  table.line("+- is half of the 95% interval");
  table.line(fmt::format("mechanism on {}: {}. {}", inspection.intervened_on,
                         lens::name_of(inspection.mechanism.verdict), inspection.mechanism.reason));
  if (!transitions.is_object()) return;
  if (transitions["transition"].is_null()) {
    table.line("no transition so far");
  } else {
    add_transition(transitions["transition"], "first", table);
  }
  for (const nlohmann::json& later : transitions["later_transitions"]) {
    add_transition(later, "later", table);
  }
}

void add_probe(const study::ProbeInspection& probe, Table& table) {
  table.title(fmt::format("{} ({} sequences; losses in nats)", probe.description,
                          probe.result.sequences.size()));
  for (const lens::LossMeasure& measure : lens::loss_measures()) {
    const bool in_context = measure.value == &lens::LossScores::in_context_learning_score;
    if (in_context && !probe.result.in_context_positions) continue;  // it says nothing (losses.h)
    table.row(measure.name, {text(probe.result.estimate_of(measure))});
  }
  std::vector<std::string> names, chance;
  for (const lens::HeadMeasure& measure : lens::head_measures()) {
    if (measure.name == "induction_chance") continue;
    names.emplace_back(measure.name);
    chance.push_back(text(probe.chance.*measure.value));
  }
  table.columns(names);
  table.row("chance", chance);
  const std::size_t shown = std::min(most_rows, probe.result.heads.size());
  for (const lens::HeadSummary& head : std::span(probe.result.heads).first(shown)) {
    std::vector<std::string> cells;
    for (const lens::HeadMeasure& measure : lens::head_measures()) {
      if (measure.name == "induction_chance") continue;
      cells.push_back(text(head.estimate_of(measure)));
    }
    table.row(name_of(head.place), cells);
  }
  table.cut(probe.result.heads.size() - shown);
}

/// The rises of one path's q, k and v by one replacement, or a dash where there is none.
std::vector<std::string> path_cells(std::span<const lens::PathAblation> paths,
                                    const lens::PathAblation& like) {
  std::vector<std::string> cells(3, "-");
  for (const lens::PathAblation& path : paths) {
    if (path.from == like.from && path.to == like.to && path.replacement == like.replacement) {
      cells[static_cast<std::size_t>(path.input)] = text(path.rise);
    }
  }
  return cells;
}

void add_paths(const lens::Ablations& ablations, Table& table) {
  if (ablations.paths.empty()) return;
  table.title("rise of second-half loss when one input of a head loses a component it reads");
  table.columns({"q", "k", "v"});
  std::size_t shown = 0;
  std::size_t left = 0;
  for (const lens::PathAblation& path : ablations.paths) {
    if (path.input != lens::Input::q) continue;
    if (shown == most_rows) {
      ++left;
      continue;
    }
    ++shown;
    table.row(fmt::format("{} <- {}, {}", name_of(path.to), lens::name_of(path.from),
                          lens::name_of(path.replacement)),
              path_cells(ablations.paths, path));
  }
  table.cut(left);
}

void add_ablations(const study::Inspection& inspection, Table& table) {
  const lens::Ablations& ablations = inspection.ablations;
  table.title(
      fmt::format("rise of second-half loss, {} nats over {} sequences of {}, without a part",
                  text(ablations.baseline), ablations.sequences, inspection.intervened_on));
  const auto whose = [](const std::optional<HeadPlace>& head) {
    return head ? name_of(*head) : std::string("every head");
  };
  std::vector<std::pair<std::string, std::string>> rows;
  for (const lens::HeadAblation& one : ablations.heads) {
    rows.emplace_back(fmt::format("{}, {}", name_of(one.head), lens::name_of(one.replacement)),
                      text(one.rise));
  }
  for (const lens::PatternAblation& one : ablations.patterns) {
    rows.emplace_back(
        fmt::format("pattern of {}, {}", whose(one.head), lens::name_of(one.replacement)),
        text(one.rise));
  }
  for (const lens::ValueAblation& one : ablations.values) {
    rows.emplace_back(fmt::format("values of {}, mean", whose(one.head)), text(one.rise));
  }
  for (const lens::NormAblation& one : ablations.norms) {
    const bool frozen = one.change == lens::NormAblation::Change::frozen;
    rows.emplace_back(
        fmt::format("{} {}", one.norm.value_or("every norm"), frozen ? "frozen" : "removed"),
        text(one.rise));
  }
  const std::size_t shown = std::min(2 * most_rows, rows.size());
  for (const auto& [name, rise] : std::span(rows).first(shown)) table.row(name, {rise});
  table.cut(rows.size() - shown);
}

void add_patching(const lens::Patching& patching, Table& table) {
  table.title(fmt::format(
      "share of the answer's log-probability that a clean activation restores ('{}' corrupted: "
      "{} to {} nats)",
      lens::name_of(patching.corruption), text(patching.clean), text(patching.corrupted)));
  // A ratio of two differences that may be zero says nothing.
  if (!(patching.clean.lower() > patching.corrupted.upper())) {
    table.line("clean and corrupted hardly differ: there is nothing to restore");
    return;
  }
  table.columns({"whole", "largest of by_position", "at"});
  const std::size_t shown = std::min(most_rows, patching.heads.size());
  for (const lens::HeadPatch& patch : std::span(patching.heads).first(shown)) {
    const auto best = std::ranges::max_element(patch.by_position, {}, &Estimate::mean);
    const bool known = best != patch.by_position.end();
    table.row(fmt::format("{} {}", name_of(patch.head), lens::name_of(patch.activation)),
              {text(patch.whole), known ? text(*best) : "-",
               known ? fmt::format("{}", best - patch.by_position.begin()) : "-"});
  }
  table.cut(patching.heads.size() - shown);
}

void add_composition(const lens::Composition& composition, Table& table) {
  if (composition.pairs.empty()) return;
  table.title(
      fmt::format("composition scores (random weights: {:.3f})", composition.baseline.mean));
  table.columns({"q", "k", "v"});
  const std::size_t shown = std::min(most_rows, composition.pairs.size());
  for (const lens::HeadComposition& pair : std::span(composition.pairs).first(shown)) {
    table.row(fmt::format("{} -> {}", name_of(pair.from), name_of(pair.to)),
              {text(pair.q), text(pair.k), text(pair.v)});
  }
  table.cut(composition.pairs.size() - shown);
}

void add_circuits(std::string_view title, std::span<const lens::CircuitSummary> circuits,
                  Table& table) {
  if (circuits.empty()) return;
  table.title(title);
  table.columns({"eigenvalue_score", "matching_score", "diagonal_share", "singular_values[0]"});
  const std::size_t shown = std::min(most_rows, circuits.size());
  for (const lens::CircuitSummary& one : circuits.first(shown)) {
    table.row(
        lens::circuit_name(one.id),
        {text(one.eigenvalue_score), text(one.matching.score), text(one.matching.diagonal_share),
         one.singular_values.empty() ? "-" : text(one.singular_values.front())});
  }
  table.cut(circuits.size() - shown);
}

/// What stands between the circuits and the model, once for all of them.
void add_notes(const lens::Circuits& circuits, Table& table) {
  std::vector<lens::CircuitNote> notes;
  for (const auto* list : {&circuits.direct, &circuits.composed}) {
    for (const lens::CircuitSummary& one : *list) {
      for (const lens::CircuitNote& note : one.notes) {
        if (std::ranges::find(notes, note) == notes.end()) notes.push_back(note);
      }
    }
  }
  std::ranges::stable_sort(notes, {}, &lens::CircuitNote::treatment);
  const std::size_t shown = std::min(most_rows, notes.size());
  for (const lens::CircuitNote& note : std::span(notes).first(shown)) {
    table.line(fmt::format("{}: {}", lens::treatment_name(note.treatment), note.what));
  }
  table.cut(notes.size() - shown);
}

}  // namespace

std::string inspection_table(const study::SavedModel& model, const study::Inspection& inspection) {
  Table table;
  add_beginning(model, inspection, table);
  for (const study::ProbeInspection& probe : inspection.probes) add_probe(probe, table);
  add_paths(inspection.ablations, table);
  add_ablations(inspection, table);
  for (const lens::Patching& patching : inspection.patchings) add_patching(patching, table);
  add_composition(inspection.composition, table);
  add_circuits("circuits of single heads", inspection.circuits.direct, table);
  add_circuits("circuits through two heads", inspection.circuits.composed, table);
  add_notes(inspection.circuits, table);
  if (!inspection.skipped.empty()) table.title("left out");
  for (const std::string& line : inspection.skipped) table.line(line);
  return table.take();
}

}  // namespace lookback::cli
