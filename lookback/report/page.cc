#include "lookback/report/page.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "lookback/base/file.h"
#include "lookback/report/attention_data.h"
#include "lookback/report/figures.h"
#include "lookback/report/lens_data.h"
#include "lookback/report/series.h"

namespace lookback::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view title_place = "{{title}}";
constexpr std::string_view data_place =
    R"(<script type="application/json" id="study-data"></script>)";
constexpr std::string_view data_open = R"(<script type="application/json" id="study-data">)";
constexpr std::string_view data_close = "</script>";
/// Stops of the slider in a study that has no attention maps to set them.
constexpr std::size_t most_metric_checkpoints = 48;

/// JSON text whatever the strings hold: bytes that are no UTF-8 become the replacement character.
std::string to_text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// JSON that cannot end or comment out the script element around it. '<' stands in JSON only
/// within strings, where the escape means the same.
std::string to_script_text(const json& value) {
  const std::string text = to_text(value);
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      escaped += "\\u003c";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

json figure(std::string_view id, std::string_view title, std::string_view caption, json variants) {
  return {{"id", std::string(id)},
          {"title", std::string(title)},
          {"caption", std::string(caption)},
          {"variants", std::move(variants)}};
}

json variant(std::string_view id, std::string_view label, json spec) {
  return {{"id", std::string(id)}, {"label", std::string(label)}, {"spec", std::move(spec)}};
}

std::vector<std::string> arm_names(const StudyReport& study) {
  std::vector<std::string> names;
  for (const Arm& arm : study.arms) names.push_back(arm.name);
  return names;
}

/// The token counts of the maps that the page has, or, without maps, of the metrics.
std::vector<std::uint64_t> checkpoints_of(const StudyReport& study, const json& attention) {
  std::set<std::uint64_t> tokens;
  for (const json& run : attention) {
    for (const json& checkpoint : run["checkpoints"]) {
      tokens.insert(checkpoint["tokens"].get<std::uint64_t>());
    }
  }
  if (tokens.empty()) return metric_checkpoints(study, most_metric_checkpoints);
  return {tokens.begin(), tokens.end()};
}

json arms_data(const StudyReport& study) {
  json arms = json::array();
  for (std::size_t i = 0; i < study.arms.size(); ++i) {
    const Arm& arm = study.arms[i];
    json runs = json::array();
    for (const Run& run : arm.runs) {
      runs.push_back({{"seed", run.seed},
                      {"summary", run.summary.is_object() ? run.summary : json::object()}});
    }
    arms.push_back({{"name", arm.name},
                    {"color", std::string(arm_color(i))},
                    {"parameters", arm.parameters},
                    {"configuration", arm.configuration},
                    {"runs", std::move(runs)}});
  }
  return arms;
}

Status write_specification(const fs::path& directory, const json& shown) {
  const fs::path path = directory / (shown["id"].get<std::string>() + ".vl.json");
  return base::write_file_atomically(path, to_text(shown["spec"]) + "\n");
}

Status write_figures(const fs::path& directory, const json& figures) {
  if (Status status = base::make_directories(directory); !status) return status;
  for (const json& one : figures) {
    for (const json& shown : one["variants"]) {
      if (Status status = write_specification(directory, shown); !status) return status;
    }
  }
  return {};
}

/// Of every arm the figures of its first model, each arm's in a folder of its own.
Status write_lens_figures(const fs::path& directory, const json& data) {
  std::set<std::size_t> written;
  for (const json& run : data["lens"]) {
    const auto arm = run["arm"].get<std::size_t>();
    if (!written.insert(arm).second) continue;
    const fs::path folder = directory / data["arms"][arm]["name"].get<std::string>();
    if (Status status = base::make_directories(folder); !status) return status;
    for (const json& one : run["figures"]) {
      for (const json& shown : one["variants"]) {
        for (const json& panel : shown["panels"]) {
          if (Status status = write_specification(folder, panel); !status) return status;
        }
      }
    }
  }
  return {};
}

}  // namespace

json study_figures(const StudyReport& study, const std::vector<std::uint64_t>& checkpoints) {
  const std::vector<std::string> arms = arm_names(study);
  const std::vector<Transition> marks = transitions(study);
  const std::vector<Curve> scores = induction_score_curves(study);
  const std::vector<Curve> losses = second_half_loss_curves(study);
  const std::vector<ProbeEnd> ends = probe_ends(study);
  const std::vector<PositionLosses> by_position = position_losses(study, checkpoints);

  json figures = json::array();
  figures.push_back(figure(
      "induction-score", "Induction score",
      "Attention mass that queries in the repeated part of held-out sequences place on the sources "
      "whose previous token equals the query's token, in the head where it is largest. A line is "
      "a run; dotted rules mark where a run first crossed half of its maximum, with the number of "
      "the arm's median run; the dashed level is the score of uniform attention.",
      json::array(
          {variant("induction-score", "",
                   induction_score_figure(arms, scores, marks, induction_chance(study)))})));
  figures.push_back(figure(
      "second-half-loss", "Second-half loss",
      "Mean negative log-likelihood, in nats a token, of the predictions made in the second half "
      "of held-out sequences, where nearly every token can be copied from an earlier occurrence of "
      "its block. Dotted rules as in the figure before.",
      json::array({variant("second-half-loss", "linear",
                           second_half_loss_figure(arms, losses, marks, LossAxis::linear)),
                   variant("second-half-loss-log", "logarithmic",
                           second_half_loss_figure(arms, losses, marks, LossAxis::logarithmic))})));
  figures.push_back(figure(
      "probes", "Held-out probes",
      "The same measures at the end of training, a dot a run, on the trained kind of sequence "
      "(repeated-blocks) and on kinds never trained on: blocks of periods outside the trained "
      "range (unseen-period), copies of a block with random gaps between them (broken-period), and "
      "one random sequence twice (random-repeat). A model that matches content does well on all "
      "of them; one that counts positions back does not.",
      json::array({variant("probes-loss", "loss",
                           probes_figure(arms, ends, ProbeMeasure::second_half_loss)),
                   variant("probes-score", "induction score",
                           probes_figure(arms, ends, ProbeMeasure::induction_score))})));
  figures.push_back(figure(
      "loss-by-position", "Loss by position",
      "Mean loss of the prediction made at each position, over the held-out sequences, at the "
      "checkpoint chosen above. The first occurrence of a block cannot be predicted; a model that "
      "looks back predicts every later one.",
      json::array({variant("loss-by-position", "",
                           loss_by_position_figure(arms, checkpoints, by_position))})));
  return figures;
}

Result<json> page_data(const StudyReport& study, std::size_t max_attention_bytes) {
  std::vector<std::string> notes = study.notes;
  Result<json> attention = attention_data(study, max_attention_bytes, notes);
  if (!attention) return attention.error();
  Result<json> lens = lens_data(study, LensLimits{}, notes);
  if (!lens) return lens.error();
  const std::vector<std::uint64_t> checkpoints = checkpoints_of(study, *attention);
  return json{{"name", study.name},
              {"question", study.question},
              {"description", study.description},
              {"tokens", study.tokens},
              {"threads", study.threads},
              {"notes", notes},
              {"arms", arms_data(study)},
              {"figures", study_figures(study, checkpoints)},
              {"checkpoints", checkpoints},
              {"sequence", {{"tokens", study.sequence.tokens}, {"period", study.sequence.period}}},
              {"attention", std::move(*attention)},
              {"lens", std::move(*lens)}};
}

Result<std::string> fill_page(std::string_view page_template, std::string_view title,
                              const json& data) {
  const std::size_t title_at = page_template.find(title_place);
  const std::size_t data_at = page_template.find(data_place);
  if (title_at == std::string_view::npos || data_at == std::string_view::npos ||
      data_at < title_at) {
    return Error{"page template: no place for the study's data (a build of web/ has one)"};
  }
  const std::size_t between = title_at + title_place.size();
  std::string page(page_template.substr(0, title_at));
  page += escape_html(title);
  page += page_template.substr(between, data_at - between);
  page += data_open;
  page += to_script_text(data);
  page += data_close;
  page += page_template.substr(data_at + data_place.size());
  return page;
}

Result<fs::path> write_report(const fs::path& directory, const StudyReport& study,
                              std::string_view page_template) {
  const Result<json> data = page_data(study);
  if (!data) return data.error();
  const std::string title = study.name.empty() ? "lookback" : study.name + " - lookback";
  const Result<std::string> page = fill_page(page_template, title, *data);
  if (!page) return page.error();
  if (Status status = write_figures(directory / "figures", (*data)["figures"]); !status) {
    return status.error();
  }
  if (Status status = write_lens_figures(directory / "figures", *data); !status) {
    return status.error();
  }
  const fs::path path = directory / "report.html";
  if (Status status = base::write_file_atomically(path, *page); !status) return status.error();
  return path;
}

}  // namespace lookback::report
