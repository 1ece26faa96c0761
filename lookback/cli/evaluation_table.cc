#include "lookback/cli/evaluation_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "lookback/base/json_access.h"
#include "lookback/lens/estimate.h"

namespace lookback::cli {
namespace {

/// A figure of the table, and the article's two of it, with OV and without.
struct Row {
  const char* label;
  const char* task;
  const char* metric;
  int digits;
  const char* article_ov;
  const char* article_no_ov;
};

/// Of the tasks with two accuracies the article does not say which it gives: each has both rows, and its
/// figures stand beside the normalized one.
constexpr std::array rows = {
    Row{"perplexity, validation text", "perplexity", "token_perplexity", 2, "24.65", "26.73"},
    Row{"perplexity a word, WikiText-2", "wikitext", "word_perplexity", 2, "", ""},
    Row{"HellaSwag, acc", "hellaswag", "acc", 3, "", ""},
    Row{"HellaSwag, acc_norm", "hellaswag", "acc_norm", 3, "0.309", "0.314"},
    Row{"ARC-Easy, acc", "arc_easy", "acc", 3, "", ""},
    Row{"ARC-Easy, acc_norm", "arc_easy", "acc_norm", 3, "0.386", "0.404"},
    Row{"ARC-Challenge, acc", "arc_challenge", "acc", 3, "", ""},
    Row{"ARC-Challenge, acc_norm", "arc_challenge", "acc_norm", 3, "0.227", "0.217"},
    Row{"LAMBADA, acc", "lambada", "acc", 3, "0.213", "0.165"},
    Row{"LAMBADA, perplexity", "lambada", "perplexity", 1, "", ""},
    Row{"induction bump, nats", "induction", "induction_bump", 3, "2.816", "2.715"},
    Row{"induction score, best head", "induction", "induction_score", 3, "", ""},
    Row{"copy accuracy", "copy", "acc", 3, "0.195", "0.556"},
    Row{"lookup accuracy", "lookup", "acc", 3, "0.010", "0.012"},
    Row{"value-content ablation", "value-content", "perplexity_ratio", 2, "x79.2 (V)", "x18.4 (K)"},
};

const language::Metric* find_metric(const language::TaskResults& results, const Row& row) {
  const language::TaskScore* task = language::find_score(results, row.task);
  if (task == nullptr) return nullptr;
  const auto metric = std::ranges::find(task->metrics, row.metric, &language::Metric::name);
  return metric == task->metrics.end() ? nullptr : &*metric;
}

/// How many documents, sequences or windows the figure is of: "64", or "10 to 64" where runs differ.
std::string documents_of(const std::vector<EvaluatedArm>& arms, const Row& row) {
  std::size_t fewest = SIZE_MAX, most = 0;
  for (const EvaluatedArm& arm : arms) {
    for (const language::TaskResults& run : arm.runs) {
      if (find_metric(run, row) == nullptr) continue;
      const std::size_t documents = language::find_score(run, row.task)->documents;
      fewest = std::min(fewest, documents);
      most = std::max(most, documents);
    }
  }
  if (most == 0) return "";
  return fewest == most ? fmt::format("{}", most) : fmt::format("{} to {}", fewest, most);
}

std::string cell(const EvaluatedArm& arm, const Row& row) {
  std::vector<double> values;
  std::optional<double> spread;
  for (const language::TaskResults& run : arm.runs) {
    const language::Metric* metric = find_metric(run, row);
    if (metric == nullptr) continue;
    values.push_back(metric->value);
    spread = metric->standard_error;
  }
  if (values.empty()) return "-";
  const lens::Estimate over_seeds = lens::estimate(values);
  if (values.size() > 1) {  // s, not s / sqrt(n): how far one seed lies from another
    spread = over_seeds.standard_error * std::sqrt(static_cast<double>(values.size()));
  }
  const std::string text = fmt::format("{:.{}f}", over_seeds.mean, row.digits);
  return spread ? fmt::format("{} +-{:.{}f}", text, *spread, row.digits) : text;
}

/// Cells of a table, the first line its head, in columns as wide as they need.
std::string aligned(const std::vector<std::vector<std::string>>& lines) {
  std::vector<std::size_t> widths(lines.front().size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const auto& line : lines) {
    std::string whole = fmt::format("{:<{}}", line.front(), widths.front());
    for (std::size_t i = 1; i < line.size(); ++i) {
      whole += fmt::format("  {:>{}}", line[i], widths[i]);
    }
    text += whole.substr(0, whole.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

}  // namespace

std::string evaluation_table(const std::vector<EvaluatedArm>& arms) {
  std::vector<std::vector<std::string>> lines(1);
  lines.front() = {"", "n"};
  for (const EvaluatedArm& arm : arms) {
    const bool several = arm.runs.size() > 1;
    lines.front().push_back(several ? fmt::format("{} ({} seeds)", arm.name, arm.runs.size())
                                    : arm.name);
  }
  lines.front().insert(lines.front().end(), {"article, OV", "article, no OV"});
  for (const Row& row : rows) {
    std::vector<std::string> line = {row.label, documents_of(arms, row)};
    for (const EvaluatedArm& arm : arms) line.push_back(cell(arm, row));
    if (std::all_of(line.begin() + 2, line.end(), [](const auto& one) { return one == "-"; })) {
      continue;
    }
    line.insert(line.end(), {row.article_ov, row.article_no_ov});
    lines.push_back(std::move(line));
  }
  return aligned(lines);
}

std::string head_table(const language::TaskResults& results) {
  struct Head {
    std::string name;
    double induction = 0, previous = 0;
  };
  std::vector<Head> heads;
  for (const nlohmann::json& head : base::find_array(results.config, {"heads"})) {
    const auto layer = base::find_number(head, {"layer"}),
               number = base::find_number(head, {"head"});
    const auto induction = base::find_number(head, {"induction_score"});
    const auto previous = base::find_number(head, {"previous_token_score"});
    if (!layer || !number || !induction || !previous) continue;
    heads.push_back({fmt::format("{:.0f}.{:.0f}", *layer, *number), *induction, *previous});
  }
  if (heads.empty()) return "";
  std::ranges::stable_sort(heads, std::greater<>(), &Head::induction);
  std::vector<std::vector<std::string>> lines = {
      {"head", "induction score", "previous-token score"}};
  for (const Head& head : heads) {
    lines.push_back(
        {head.name, fmt::format("{:.3f}", head.induction), fmt::format("{:.3f}", head.previous)});
  }
  return aligned(lines);
}

}  // namespace lookback::cli
