#include "lookback/cli/evaluation_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "lookback/base/json_access.h"
#include "lookback/base/printable.h"
#include "lookback/lens/estimate.h"

namespace lookback::cli {
namespace {

/// Which models the article's number can be compared with.
enum class Comparable {
  always,              ///< the share of documents, whose texts are scored whole
  with_its_vocabulary  ///< nats a token, or tokens drawn from the vocabulary
};

/// A row of the table, with the article's two numbers, with OV and without.
struct Row {
  const char* label;
  const char* task;
  const char* metric;
  int digits;
  const char* article_ov = "";
  const char* article_no_ov = "";
  Comparable comparable = Comparable::always;

  bool is_share() const { return std::string_view(metric).starts_with("acc"); }
  bool has_article() const { return *article_ov != '\0'; }
};

constexpr auto by_vocabulary = Comparable::with_its_vocabulary;

/// For tasks with two accuracies the article does not say which it reports: each has both rows, and
/// the article's numbers are beside the normalized one.
constexpr std::array rows = {
    Row{"perplexity per token, validation text", "perplexity", "token_perplexity", 2, "24.65",
        "26.73", by_vocabulary},
    Row{"loss per token, validation text, nats", "perplexity", "loss", 3},
    Row{"bits per byte, validation text", "perplexity", "bits_per_byte", 3},
    Row{"perplexity per word, WikiText-2", "wikitext", "word_perplexity", 2},
    Row{"loss per word, WikiText-2, nats", "wikitext", "word_loss", 3},
    Row{"bits per byte, WikiText-2", "wikitext", "bits_per_byte", 3},
    Row{"HellaSwag, acc", "hellaswag", "acc", 3},
    Row{"HellaSwag, acc_norm", "hellaswag", "acc_norm", 3, "0.309", "0.314"},
    Row{"ARC-Easy, acc", "arc_easy", "acc", 3},
    Row{"ARC-Easy, acc_norm", "arc_easy", "acc_norm", 3, "0.386", "0.404"},
    Row{"ARC-Challenge, acc", "arc_challenge", "acc", 3},
    Row{"ARC-Challenge, acc_norm", "arc_challenge", "acc_norm", 3, "0.227", "0.217"},
    Row{"LAMBADA, acc", "lambada", "acc", 3, "0.213", "0.165"},
    Row{"LAMBADA, perplexity", "lambada", "perplexity", 1},
    Row{"LAMBADA, loss per word, nats", "lambada", "loss", 3},
    Row{"induction bump, nats", "induction", "induction_bump", 3, "2.816", "2.715", by_vocabulary},
    Row{"induction score, best head", "induction", "induction_score", 3},
    Row{"copy accuracy", "copy", "acc", 3, "0.195", "0.556", by_vocabulary},
    Row{"lookup accuracy", "lookup", "acc", 3, "0.010", "0.012", by_vocabulary},
    Row{"value-content ablation", "value-content", "perplexity_ratio", 2, "x79.2 (V)", "x18.4 (K)",
        by_vocabulary},
    Row{"value-content ablation, nats", "value-content", "loss_rise", 3},
};

const language::Metric* metric_of(const language::TaskResults& results, const Row& row) {
  return language::find_metric(results, row.task, row.metric);
}

/// Whether any run has the row's score.
bool is_measured(const std::vector<EvaluatedArm>& arms, const Row& row) {
  return std::ranges::any_of(arms, [&](const EvaluatedArm& arm) {
    return std::ranges::any_of(arm.runs, [&](const auto& run) { return metric_of(run, row); });
  });
}

/// Whether the article's numbers can be compared with those of the runs.
bool stands_beside_article(const std::vector<EvaluatedArm>& arms, const Row& row) {
  if (!row.has_article() || row.comparable == Comparable::always) return row.has_article();
  return std::ranges::all_of(arms, [&](const EvaluatedArm& arm) {
    return std::ranges::all_of(arm.runs, [&](const language::TaskResults& run) {
      return metric_of(run, row) == nullptr ||
             base::find_text(run.config, {"tokenizer", "checksum"}) == gpt2_tokenizer;
    });
  });
}

/// How many documents, sequences or windows the score is over: "64", or "10 to 64" if runs differ.
std::string documents_of(const std::vector<EvaluatedArm>& arms, const Row& row) {
  std::size_t fewest = SIZE_MAX, most = 0;
  for (const EvaluatedArm& arm : arms) {
    for (const language::TaskResults& run : arm.runs) {
      if (metric_of(run, row) == nullptr) continue;
      const std::size_t documents = language::find_score(run, row.task)->documents;
      fewest = std::min(fewest, documents);
      most = std::max(most, documents);
    }
  }
  if (most == 0) return "";
  return fewest == most ? fmt::format("{}", most) : fmt::format("{} to {}", fewest, most);
}

std::string shown(double value, int digits) {
  constexpr double most_plain = 1e7;
  if (!std::isfinite(value) || std::abs(value) < most_plain) {
    return fmt::format("{:.{}f}", value, digits);
  }
  return fmt::format("{:.3g}", value);
}

std::string cell(const EvaluatedArm& arm, const Row& row) {
  std::vector<double> values;
  std::optional<double> spread;
  std::size_t fewest = SIZE_MAX;
  for (const language::TaskResults& run : arm.runs) {
    const language::Metric* metric = metric_of(run, row);
    if (metric == nullptr) continue;
    values.push_back(metric->value);
    spread = metric->standard_error;
    fewest = std::min(fewest, language::find_score(run, row.task)->documents);
  }
  if (values.empty()) return "-";
  const lens::Estimate over_seeds = lens::estimate(values);
  std::string text = shown(over_seeds.mean, row.digits);
  // A deviation of 0 says nothing about the uncertainty of a share of all or nothing.
  const auto all_are = [&](double value) {
    return std::ranges::count(values, value) == std::ssize(values);
  };
  if (row.is_share() && (all_are(0) || all_are(1))) {
    const lens::Share share = lens::share_estimate(all_are(1) ? fewest : 0, fewest);
    return fmt::format("{} [{:.{}f}, {:.{}f}]", text, share.lower, row.digits, share.upper,
                       row.digits);
  }
  if (values.size() > 1) {  // s, not s / sqrt(n): how far one seed lies from another
    spread = over_seeds.standard_error * std::sqrt(static_cast<double>(values.size()));
  }
  if (!spread || !std::isfinite(*spread)) return text;
  return fmt::format("{} +-{}", text, shown(*spread, row.digits));
}

/// Cells of a table, the first line its head, in columns as wide as necessary.
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

/// Adds what a reader must know about the files of a score.
void add_notes(const language::TaskScore& score, std::set<std::string>& notes) {
  const std::string task = base::printable(score.name);
  const std::string file = base::find_text(score.about, {"file"});
  if (!file.empty() && base::find_text(score.about, {"verified_as"}).empty()) {
    notes.insert(fmt::format(
        "{}: {} is not a file that scripts/get-data verifies (its SHA-256 is {}).", task,
        base::printable(file), base::printable(base::find_text(score.about, {"sha256"}))));
  }
  const auto files = base::find_count(score.about, {"text", "files"});
  const auto verified = base::find_count(score.about, {"text", "verified"});
  if (files && verified && *verified < *files) {
    notes.insert(
        fmt::format("{}: scripts/get-data verifies {} of the {} files that the text was made from "
                    "(see data.json).",
                    task, *verified, *files));
  }
}

/// What "+-" and brackets mean, which differs from what other commands print.
std::string legend_of(const std::vector<EvaluatedArm>& arms) {
  const auto any_runs = [&](auto fits) {
    return std::ranges::any_of(arms,
                               [&](const EvaluatedArm& arm) { return fits(arm.runs.size()); });
  };
  std::vector<const char*> spreads;
  if (any_runs([](std::size_t runs) { return runs == 1; })) {
    spreads.push_back("the standard error over samples for one model");
  }
  if (any_runs([](std::size_t runs) { return runs > 1; })) {
    spreads.push_back("the standard deviation over seeds for several");
  }
  if (spreads.empty()) return "";
  return fmt::format("+- is {}; brackets hold a 95% interval.\n", fmt::join(spreads, ", or "));
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
  const bool has_article = std::ranges::any_of(rows, [&](const Row& row) {
    return is_measured(arms, row) && stands_beside_article(arms, row);
  });
  if (has_article) {
    lines.front().insert(lines.front().end(), {"article, OV", "article, no OV"});
  }
  for (const Row& row : rows) {
    if (!is_measured(arms, row)) continue;
    std::vector<std::string> line = {row.label, documents_of(arms, row)};
    for (const EvaluatedArm& arm : arms) line.push_back(cell(arm, row));
    if (has_article) {
      const bool beside = stands_beside_article(arms, row);
      line.insert(line.end(), {beside ? row.article_ov : "", beside ? row.article_no_ov : ""});
    }
    lines.push_back(std::move(line));
  }
  const std::string table = aligned(lines);
  return table.find("+-") == std::string::npos ? table : table + legend_of(arms);
}

std::string evaluation_notes(const std::vector<EvaluatedArm>& arms) {
  std::set<std::string> notes;  // each once, whatever number of runs it is of
  std::vector<const char*> left_out;
  for (const Row& row : rows) {
    if (row.has_article() && is_measured(arms, row) && !stands_beside_article(arms, row)) {
      left_out.push_back(row.label);
    }
  }
  if (!left_out.empty()) {
    notes.insert(
        fmt::format("The article's numbers are left out for {}: they depend on the vocabulary, and "
                    "the article uses GPT-2's 50,257 tokens.",
                    fmt::join(left_out, "; ")));
  }
  for (const EvaluatedArm& arm : arms) {
    for (const language::TaskResults& run : arm.runs) {
      for (const language::TaskScore& score : run.tasks) add_notes(score, notes);
    }
  }
  std::string text;
  for (const std::string& note : notes) text += note + '\n';
  return text;
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
