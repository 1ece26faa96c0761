#include "lookback/study/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/lens/estimate.h"
#include "lookback/lens/to_json.h"
#include "lookback/study/manifest.h"
#include "lookback/study/output_place.h"
#include "lookback/study/study_directory.h"
#include "lookback/study/verdict.h"

namespace lookback::study {
namespace {

using nlohmann::json;

const RunRecord* find_record(std::span<const RunRecord> runs, const std::string& arm,
                             std::uint64_t seed) {
  const auto found = std::ranges::find_if(
      runs, [&](const RunRecord& run) { return run.arm == arm && run.seed == seed; });
  return found == runs.end() ? nullptr : &*found;
}

bool has_finished(const RunRecord& run) {
  return base::find_text(run.findings, {"status"}) == "finished";
}

Figure figure_in(const RunRecord& run, const std::string& finding, const std::string& probe) {
  return has_finished(run) ? find_quantity(finding)->read(run, probe) : Figure();
}

/// The seeds whose runs have everything that the test needs.
std::vector<SeedFigures> figures_of(const ClaimTest& test, const Study& study,
                                    std::span<const RunRecord> runs) {
  std::vector<SeedFigures> seeds;
  for (std::uint64_t seed = 0; seed < study.seeds; ++seed) {
    const RunRecord* run = find_record(runs, test.arm, seed);
    const RunRecord* other = test.against_other ? find_record(runs, test.other_arm, seed) : run;
    if (run == nullptr || other == nullptr) continue;
    SeedFigures figures{seed, figure_in(*run, test.finding, test.probe), {}};
    figures.has_diverged = !has_finished(*run) || !has_finished(*other);
    if (test.against_other) figures.other = figure_in(*other, test.other_finding, test.probe);
    seeds.push_back(std::move(figures));
  }
  return seeds;
}

/// All runs of a power law, also those that have not ended.
std::vector<LawRun> law_runs_of(const ClaimTest& test, const Study& study,
                                std::span<const RunRecord> runs) {
  std::vector<LawRun> found;
  for (const PowerLaw::Place& place : test.law->places) {
    for (std::uint64_t seed = 0; seed < study.seeds; ++seed) {
      const RunRecord* run = find_record(runs, place.arm, seed);
      LawRun one{place.arm, place.at, seed, run != nullptr, false, {}};
      if (run != nullptr) {
        one.has_diverged = !has_finished(*run);
        one.figure = figure_in(*run, test.finding, test.probe);
      }
      found.push_back(std::move(one));
    }
  }
  return found;
}

json figure_json(const Figure& figure) {
  if (is_never(figure)) return "never";
  if (const double* number = std::get_if<double>(&figure)) return lens::rounded(*number);
  if (const auto* word = std::get_if<std::string>(&figure)) return *word;
  return nullptr;
}

template <class T>
json json_or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json seed_json(const TestResult& result, const SeedVerdict& seed) {
  const auto effect = result.test.against_other ? effect_of(result, seed) : std::nullopt;
  return {{"seed", seed.figures.seed},
          {"value", figure_json(seed.figures.figure)},
          {"other", figure_json(seed.figures.other)},
          {"effect", effect ? lens::rounded(*effect) : nullptr},
          {"holds", json_or_null(seed.holds)}};
}

json compared_with_json(const ClaimTest& test) {
  if (!test.against_other) return nullptr;
  return {{"arm", test.other_arm},
          {"finding", test.other_finding},
          {"times", test.times},
          {"by", test.by}};
}

json threshold_json(const TestResult& result) {
  const Bounds& bounds = result.shown.bounds;
  if (result.test.relation == Relation::within) {  // 1 - 0.07 is 0.9299999999999999
    return {lens::rounded(*bounds.low), lens::rounded(*bounds.high)};
  }
  if (bounds.is_band()) return {*bounds.low, *bounds.high};
  if (bounds.low) return *bounds.low;
  return json_or_null(bounds.high);
}

/// The law that was fitted, and the runs it was fitted to.
json law_json(const TestResult& result) {
  const FittedLaw& law = *result.law;
  json runs = json::array();
  for (const LawRun& run : law.runs) {
    runs.push_back({{"run", run_name(run.arm, run.seed)},
                    {"at", run.at},
                    {"seed", run.seed},
                    {"value", run.has_diverged ? json("diverged") : figure_json(run.figure)}});
  }
  return {{"key", result.test.law->key},
          {"exponent", lens::rounded(law.exponent)},
          {"factor", lens::rounded(law.factor)},
          {"spread", lens::rounded(law.spread)},
          {"fitted", law.fitted},
          {"runs", std::move(runs)}};
}

/// The probe that a test is about. REQUIRES an arm of the study.
const std::string& probe_named_by(const ClaimTest& test, const Study& study) {
  if (!test.probe.empty()) return test.probe;
  const std::string& arm = test.law ? test.law->places.front().arm : test.arm;
  return std::ranges::find(study.arms, arm, &RunConfig::arm)->data.main_probe();
}

json test_json(const TestResult& result, const Study& study) {
  const ClaimTest& test = result.test;
  json seeds = json::array();
  for (const SeedVerdict& seed : result.seeds) seeds.push_back(seed_json(result, seed));
  const bool has_deviation = !result.logarithmic && result.shown.what != Shown::What::ratio;
  const bool by_mean = result.decided_by == DecidedBy::mean || result.law;
  const bool has_mean = by_mean || test.decided_by == DecidedBy::every_seed;
  const bool has_interval =
      by_mean && std::isfinite(result.law ? result.law->lower : result.estimate.half_width());
  const lens::Share share = lens::share_estimate(result.holds_in, result.decided_in);
  json entry = {
      {"says", sentence_of(test)},
      {"finding", test.finding},
      {"probe", probe_named_by(test, study)},
      {"unit", result.law ? "" : std::string(find_quantity(test.finding)->unit)},
      {"arm", test.arm},
      {"relation", name_of(test.relation)},
      {"decided_by", name_of(result.decided_by)},
      {"against", against_of(test)},
      {"compared_with", compared_with_json(test)},
      {"compared_by", test.against_other ? json(name_of(result.shown.what)) : json(nullptr)},
      {"threshold", threshold_json(result)},
      {"scale", result.logarithmic ? "log" : "linear"},
      {"verdict", name_of(result.verdict)},
      {"reason", result.reason},
      {"figure", result.figure},
      {"seeds", std::move(seeds)},
      {"mean", has_mean ? lens::rounded(result.shown.mean) : nullptr},
      {"standard_deviation",
       has_deviation && has_mean ? lens::rounded(result.standard_deviation) : nullptr},
      {"interval", nullptr},
      {"holds_in", result.holds_in},
      {"of", result.decided_in},
      {"share_interval", nullptr}};
  if (has_interval) {
    entry["interval"] = {lens::rounded(result.shown.lower), lens::rounded(result.shown.upper)};
  }
  if (result.law) entry["law"] = law_json(result);
  if (result.decided_in > 0) {
    entry["share_interval"] = {lens::rounded(share.lower), lens::rounded(share.upper)};
  }
  return entry;
}

/// The smallest number of tokens that a finished run of the claim's arms has seen; none if there is
/// no such run.
std::optional<std::uint64_t> tokens_of(const Claim& claim, std::span<const RunRecord> runs) {
  std::optional<std::uint64_t> fewest;
  for (const RunRecord& run : runs) {
    const auto is_about_run = [&](const ClaimTest& test) { return is_about(test, run.arm); };
    if (!has_finished(run) || std::ranges::none_of(claim.tests, is_about_run)) continue;
    const auto tokens = base::find_count(run.findings, {"tokens"}).value_or(0);
    fewest = std::min(fewest.value_or(tokens), tokens);
  }
  return fewest;
}

/// If the runs are too short, no test is decided.
void mark_untested(std::uint64_t tokens, std::uint64_t needed, std::vector<TestResult>& tests) {
  for (TestResult& test : tests) {
    test.verdict = Verdict::not_tested;
    test.reason = fmt::format("it needs runs of {} tokens, these have {}",
                              shown_number(static_cast<double>(needed), "tokens"),
                              shown_number(static_cast<double>(tokens), "tokens"));
  }
}

std::string reason_of(std::span<const TestResult> tests, Verdict verdict) {
  if (verdict == Verdict::supported && tests.size() > 1) {
    return fmt::format("all {} tests hold", tests.size());
  }
  const auto decisive = std::ranges::find(tests, verdict, &TestResult::verdict);
  return decisive == tests.end() ? "" : sentence_of(decisive->test) + ": " + decisive->reason;
}

std::string headline_of(std::span<const TestResult> tests, Verdict verdict) {
  if (verdict == Verdict::not_tested) return "";
  const auto decisive = std::ranges::find(tests, verdict, &TestResult::verdict);
  if (verdict != Verdict::supported && decisive != tests.end()) return decisive->figure;
  std::string text = tests.front().figure;
  if (tests.size() > 1) text += "; " + tests[1].figure;
  return text;
}

json runs_json(const Claim& claim, std::span<const RunRecord> runs) {
  std::set<std::string> names;
  for (const ClaimTest& test : claim.tests) {
    for (const RunRecord& run : runs) {
      if (has_finished(run) && is_about(test, run.arm)) names.insert(run_name(run.arm, run.seed));
    }
  }
  return names;
}

json stated_json(const Claim& claim, const Study& study, const Statements& statements) {
  const std::optional<std::size_t> ended = statements.runs_ended_before(claim);
  return {{"runs_ended", json_or_null(ended)},
          {"of", study.arms.size() * study.seeds},
          {"after", claim.stated_after},
          {"mark", mark_of(claim, ended, study.arms.size() * study.seeds)}};
}

json claim_json(const Claim& claim, const Study& study, std::span<const RunRecord> runs,
                const Statements& statements) {
  std::vector<TestResult> tests;
  for (const ClaimTest& test : claim.tests) {
    if (test.law) {
      tests.push_back(decide_law(test, law_runs_of(test, study, runs)));
      continue;
    }
    const std::vector<SeedFigures> seeds = figures_of(test, study, runs);
    tests.push_back(decide(test, seeds));
    if (const std::uint64_t missing = study.seeds - seeds.size(); missing > 0) {
      tests.back().reason += fmt::format("; {} of {} seeds have not ended", missing, study.seeds);
    }
  }
  const std::optional<std::uint64_t> tokens = tokens_of(claim, runs);
  if (tokens && *tokens < claim.needs_tokens) mark_untested(*tokens, claim.needs_tokens, tests);
  const Verdict verdict = verdict_of(tests);
  json shown = json::array();
  for (const TestResult& test : tests) shown.push_back(test_json(test, study));
  return {{"name", claim.name},
          {"number", json_or_null(claim.number)},
          {"says", claim.says},
          {"article", claim.article},
          {"article_figure", claim.article_figure},
          {"stated", stated_json(claim, study, statements)},
          {"verdict", name_of(verdict)},
          {"reason", reason_of(tests, verdict)},
          {"figure", headline_of(tests, verdict)},
          {"tests", std::move(shown)},
          {"runs", runs_json(claim, runs)}};
}

}  // namespace

json make_ledger(const Study& study, std::span<const RunRecord> runs,
                 const Statements& statements) {
  json claims = json::array();
  for (const Claim& claim : study.claims) {
    claims.push_back(claim_json(claim, study, runs, statements));
  }
  std::set<std::string> engines;
  for (const RunRecord& run : runs) engines.insert(run.engines.begin(), run.engines.end());
  return {{"format", "lookback ledger 2"},
          {"study", study.name},
          {"question", study.question},
          {"engines", engines},
          {"claims", std::move(claims)}};
}

Result<std::vector<RunRecord>> read_records(const Study& study,
                                            const std::filesystem::path& directory) {
  const Result<bool> finished = is_finished(directory);
  if (!finished) return finished.error();
  std::vector<RunRecord> records;
  for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
    for (std::uint64_t seed = 0; seed < study.seeds; ++seed) {
      const RunConfig config = study.run(arm, seed);
      const std::filesystem::path run = run_directory(directory, config.arm, seed);
      auto record = read_run_record(run, config);
      if (!record) return record.error();
      if (!*record && *finished) return lacking_run(run);
      if (*record) records.push_back(*std::move(*record));
    }
  }
  return records;
}

Result<json> write_ledger(const Study& study, const std::filesystem::path& directory) {
  if (study.claims.empty()) {
    const std::string names[] = {"ledger.json"};
    if (Status removed = remove_listed(directory, names); !removed) return removed.error();
    return make_ledger(study, {}, {});
  }
  const Result<Statements> statements = record_statements(study, directory);
  if (!statements) return statements.error();
  const Result<std::vector<RunRecord>> records = read_records(study, directory);
  if (!records) return records.error();
  json ledger = make_ledger(study, *records, *statements);
  Status written = write_listed(directory, "ledger.json", ledger.dump(2) + '\n');
  if (!written) return written.error();
  return ledger;
}

}  // namespace lookback::study
