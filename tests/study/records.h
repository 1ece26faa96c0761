// A run as it might have been: every figure that a claim can speak of, each of a value of its own.
#pragma once

#include <array>
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "lookback/study/run_record.h"

namespace lookback::study::spec {

inline nlohmann::json place(int layer, int head) { return {{"layer", layer}, {"head", head}}; }
inline nlohmann::json mean_of(double mean) { return {{"mean", mean}, {"standard_error", 0.01}}; }

/// A line of metrics whose best head has this induction score; a third head, whose pattern a clamp
/// sets, has more.
inline nlohmann::json metrics_line(double tokens, double score, double loss) {
  nlohmann::json heads = {place(0, 0), place(1, 0), place(1, 1)};
  const double shares[] = {0.5, 1, 1.02};
  for (std::size_t i = 0; i < heads.size(); ++i) heads[i]["induction_score"] = score * shares[i];
  heads[2]["pinned"] = true;
  return {{"step", static_cast<std::uint64_t>(tokens) / 10},
          {"tokens", tokens},
          {"main_probe", "repeated-blocks"},
          {"probes",
           {{"repeated-blocks",
             {{"first_half_loss", 3.5}, {"second_half_loss", loss}, {"heads", heads}}}}}};
}

/// What the last evaluation says of a probe, with its numbers at a distance from those of another.
inline void measure_probe(nlohmann::json& line, const char* name, double distance) {
  nlohmann::json& probe = line["probes"][name];
  if (probe.is_null())
    probe = metrics_line(0, 0.9 - distance, 0.26 + distance)["probes"]["repeated-blocks"];
  probe["first_half_loss"] = 4.5 + distance;
  probe["answered_loss"] = 0.125 + distance;
  const double scores[] = {0.3, 0.2, 0.6};
  for (std::size_t i = 0; i < 3; ++i) {
    probe["heads"][i]["previous_token_score"] = scores[i] + 0.11 + distance;
    probe["heads"][i]["duplicate_token_score"] = scores[i] + 0.07 + distance;
    probe["heads"][i]["induction_chance"] = 0.04 + distance;
  }
  probe["head_similarity"] = {{1, 0.2, 0.4}, {0.2, 1, 0.6 + 3 * distance}, {0.4, 0.6, 1}};
  probe["head_similarity"][2][1] = 0.6 + 3 * distance;
}

/// The task's predictors on a probe, whose divergences are these; the last is ideal.
inline void hold_against_predictors(nlohmann::json& probe, const std::array<double, 4>& kl) {
  constexpr const char* names[] = {"uniform", "unigram", "bigram", "shared-bigram"};
  probe["predictors"] = nlohmann::json::array();
  for (std::size_t i = 0; i < kl.size(); ++i) {
    probe["predictors"].push_back(
        {{"name", names[i]}, {"ideal", i == 3}, {"loss", 2.71 - 0.35 * static_cast<double>(i)}, {"kl", kl[i]}});
  }
}

/// Bigrams are nearest at 100, unigrams from 200 to 400, then bigrams again, and at 700 the ideal.
inline void add_predictors(std::vector<nlohmann::json>& metrics) {
  constexpr std::size_t nearest[] = {0, 2, 1, 1, 1, 2, 2};
  for (std::size_t i = 0; i < std::size(nearest); ++i) {
    std::array<double, 4> kl{0.5, 0.5, 0.5, 0.5};
    kl[nearest[i]] = 0.1;
    hold_against_predictors(metrics[i]["probes"]["repeated-blocks"], kl);
  }
  for (const auto& [name, distance] :
       {std::pair{"repeated-blocks", 0.0}, {"unseen-period", 0.02}}) {
    nlohmann::json& probe = metrics.back()["probes"][name];
    probe["loss"] = 1.75 + distance;
    hold_against_predictors(
        probe, {0.317 + distance, 0.222 + distance, 0.021 + distance, 0.015 + distance});
  }
}

/// A first rise with its peak at 200, a fall to 400, a second rise from there to 600.
inline std::vector<nlohmann::json> made_up_metrics() {
  std::vector<nlohmann::json> metrics = {
      metrics_line(0, 0.05, 3.0),   metrics_line(100, 0.1, 2.9), metrics_line(200, 0.8, 1.6),
      metrics_line(300, 0.7, 1.4),  metrics_line(400, 0.3, 1.2), metrics_line(500, 0.6, 0.9),
      metrics_line(600, 0.95, 0.3), metrics_line(700, 0.9, 0.26)};
  measure_probe(metrics.back(), "repeated-blocks", 0);
  measure_probe(metrics.back(), "unseen-period", 0.02);
  add_predictors(metrics);
  return metrics;
}

inline nlohmann::json made_up_findings() {
  return {{"status", "finished"},
          {"tokens", 700},
          {"parameters", 1234},
          {"validation_loss", 3.3},
          {"validation_loss_least", 3.2},
          {"transition_tokens", 150},
          {"induction_score_peak", 0.95},
          {"induction_chance", 0.05},
          {"peak_tokens", 600},
          {"transition", {{"tokens", 150}, {"sharpness", 0.17}, {"peak_tokens", 200}}},
          {"later_transitions",
           {{{"tokens", 450}, {"low_score", 0.3}, {"peak_score", 0.95}, {"peak_tokens", 600}},
            {{"tokens", 650}, {"low_score", 0.85}, {"peak_score", 0.9}, {"peak_tokens", 700}}}}};
}

inline nlohmann::json path_ablation(const std::string& from, const nlohmann::json& to,
                                    const char* input, double rise,
                                    const char* replacement = "mean") {
  return {{"from", from},
          {"to", to},
          {"input", input},
          {"replacement", replacement},
          {"rise", mean_of(rise)}};
}

inline nlohmann::json made_up_ablation() {
  const nlohmann::json copying = place(1, 0), other = place(1, 1);
  nlohmann::json paths = nlohmann::json::array();
  constexpr std::pair<const char*, double> rises[] = {{"q", 0.01}, {"k", 2.0}, {"v", 0.03}};
  for (const auto& [input, rise] : rises) {
    paths.push_back(path_ablation("head 0.0", other, input, 7 + rise));
    paths.push_back(path_ablation("position", copying, input, 6 + rise));
    paths.push_back(path_ablation("head 0.1", copying, input, 1.5));  // costs less in the keys
    paths.push_back(path_ablation("head 0.0", copying, input, 5 + rise, "resample"));
    paths.push_back(path_ablation("head 0.0", copying, input, rise));
    paths.push_back(path_ablation("token", copying, input, 0.6 + rise));
  }
  const auto head = [](const nlohmann::json& which, double rise, const char* replacement) {
    return nlohmann::json{{"head", which}, {"replacement", replacement}, {"rise", mean_of(rise)}};
  };
  const auto norm = [](const nlohmann::json& which, const char* change, double rise) {
    return nlohmann::json{{"norm", which}, {"change", change}, {"rise", mean_of(rise)}};
  };
  return {{"paths", paths},
          {"heads",
           {head(nullptr, 9, "mean"), head(place(0, 0), 0.4, "mean"), head(place(0, 1), 1, "mean"),
            head(copying, 2, "mean"), head(copying, 0.1, "zero")}},
          {"values",
           {{{"head", copying}, {"perplexity_ratio", 7}},
            {{"head", nullptr}, {"perplexity_ratio", 18.4}}}},
          {"norms",
           {norm(nullptr, "frozen", 8), norm("blocks.0.ln1", "frozen", 7),
            norm("blocks.1.ln1", "frozen", 0.13), norm("blocks.1.ln1", "removed", 0.23),
            norm("ln_final", "frozen", 6)}}};
}

inline nlohmann::json made_up_circuits() {
  const auto circuit = [](const char* kind, const nlohmann::json& head, double eigenvalue_score,
                          double diagonal_share) {
    return nlohmann::json{{"kind", kind},
                          {"head", head},
                          {"eigenvalue_score", eigenvalue_score},
                          {"diagonal_share", diagonal_share}};
  };
  const nlohmann::json copying = place(1, 0), other = place(0, 0);
  return {
      {"direct",
       {circuit("ov", other, 0.99, 0.99), circuit("qk", other, 0.98, 0.97),
        circuit("ov", copying, 0.96, 0.95), circuit("qk", copying, -0.41, 0.05)}},
      {"composed",
       {circuit("k_composition", copying, 0.12, 0.2), circuit("k_composition", copying, 0.88, 0.93),
        circuit("q_composition", copying, 0.89, 0.3), circuit("v_composition", copying, 0.9, 0.94),
        circuit("k_composition", other, 0.97, 0.96)}}};
}

/// As of a language model, all of whose figures differ.
inline nlohmann::json made_up_evaluation() {
  const auto accuracies = [](double acc, double acc_norm) {
    return nlohmann::json{{"acc,none", acc}, {"acc_stderr,none", 0.5}, {"acc_norm,none", acc_norm}};
  };
  return {{"results",
           {{"perplexity", {{"token_perplexity,none", 27.1}, {"bits_per_byte,none", 1.21}}},
            {"induction", {{"induction_bump,none", 2.81}, {"induction_score,none", 0.77}}},
            {"copy", {{"acc,none", 0.556}, {"acc_stderr,none", 0.01}}},
            {"lookup", {{"acc,none", 0.012}}},
            {"value-content", {{"perplexity_ratio,none", 79.2}, {"loss_rise,none", 4.37}}},
            {"wikitext", {{"word_perplexity,none", 61.2}, {"bits_per_byte,none", 1.43}}},
            {"hellaswag", accuracies(0.29, 0.309)},
            {"arc_easy", accuracies(0.42, 0.386)},
            {"arc_challenge", accuracies(0.21, 0.227)},
            {"lambada", {{"acc,none", 0.213}, {"perplexity,none", 40.1}}}}}};
}

/// Two layers of two heads: head 1.0 copies, and reads in its keys what head 0.0 wrote.
inline RunRecord made_up_record() {
  RunRecord record;
  record.arm = "two-layer";
  record.findings = made_up_findings();
  record.metrics = made_up_metrics();
  record.inspection = {{"mechanism",
                        {{"verdict", "k-composition"},
                         {"head", place(1, 0)},
                         {"cost", mean_of(2.5)},
                         {"band", mean_of(0.85)}}},
                       {"composition",
                        {{{"k", 0.02}, {"baseline", 0.04}},
                         {{"k", 0.06}, {"baseline", 0.02}},
                         {{"k", 0.9}, {"baseline", 0}}}},
                       {"ablation", made_up_ablation()},
                       {"circuits", made_up_circuits()}};
  record.evaluation = made_up_evaluation();
  return record;
}

}  // namespace lookback::study::spec
