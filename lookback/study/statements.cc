#include "lookback/study/statements.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "lookback/base/checksum.h"
#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/base/json_file.h"
#include "lookback/study/manifest.h"
#include "lookback/study/output_place.h"

namespace lookback::study {
namespace {

using nlohmann::json;

constexpr const char* file_name = "claims.json";
constexpr const char* format = "lookback claims 1";

/// A test in the words of a study file; defaults are omitted, so that future keys change no form.
std::string form_of(const ClaimTest& test) {
  std::string text = fmt::format("{}: {}", test.arm, test.finding);
  if (!test.probe.empty()) text += fmt::format(" on {}", test.probe);
  text += fmt::format(" {}", name_of(test.relation));
  if (test.relation == Relation::within) text += fmt::format(" {} of", test.within);
  if (test.against_other) {
    text += fmt::format(" {}: {}", test.other_arm, test.other_finding);
    if (test.times != 1) text += fmt::format(" times {}", test.times);
    if (test.by != 0) text += fmt::format(" by {}", test.by);
  } else if (test.relation == Relation::between || test.relation == Relation::exponent) {
    text += fmt::format(" {} {}", test.low, test.high);
  } else if (test.relation == Relation::above || test.relation == Relation::below) {
    text += fmt::format(" {}", test.low);
  }
  if (test.relation == Relation::is) text += fmt::format(" {}", test.word);
  if (test.law) {
    text += fmt::format(" against {} of", test.law->key);
    for (const PowerLaw::Place& place : test.law->places) text += fmt::format(" {}", place.arm);
    if (test.law->skips_missing) text += " that have it";
  }
  return text + fmt::format(", {}", name_of(test.decided_by));
}

/// The file without its checksum.
json body_of(const Statements& statements) {
  json claims = json::array();
  for (const auto& [form, statement] : statements.claims) {
    claims.push_back(
        {{"name", statement.name}, {"tests", form}, {"runs_ended", statement.runs_ended}});
  }
  return {{"format", format}, {"ended", statements.ended}, {"claims", std::move(claims)}};
}

std::string checksum_of(const json& body) {
  const std::string text = body.dump();
  return base::checksum_text({base::bytes_of(text)});
}

/// `problem` names the file.
Error refusal(std::string_view problem) {
  return Error{fmt::format("{}; {}", problem, remedy_of(file_name))};
}

/// The texts of an array; nothing if any of them is not a text.
std::optional<std::vector<std::string>> texts_in(const json& object, std::string_view key) {
  std::vector<std::string> texts;
  for (const json& one : base::find_array(object, {key})) {
    if (!one.is_string()) return {};
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

/// The contents of the file. REQUIRES that its checksum is right; any other fault was written that
/// way.
std::optional<Statements> parsed(const json& body) {
  Statements statements;
  const auto ended = texts_in(body, "ended");
  if (!ended || base::find_text(body, {"format"}) != format) return {};
  statements.ended.insert(ended->begin(), ended->end());
  for (const json& claim : base::find_array(body, {"claims"})) {
    auto form = texts_in(claim, "tests");
    const auto runs_ended = base::find_count(claim, {"runs_ended"});
    if (!form || form->empty() || !runs_ended) return {};
    statements.claims[*std::move(form)] = {base::find_text(claim, {"name"}), *runs_ended};
  }
  return statements;
}

/// The contents of DIR/claims.json; nothing if there is none.
Result<Statements> read_file(const std::filesystem::path& file) {
  Result<json> body = base::read_json_object(file);
  if (body.fails_with(ErrorKind::not_found)) return Statements();
  if (!body) return body.error().with(fmt::format("; {}", remedy_of(file_name)));
  const std::string checksum = base::find_text(*body, {"checksum"});
  body->erase("checksum");
  if (checksum != checksum_of(*body)) {
    return refusal(file.string() + ": changed since lookback wrote it (wrong checksum)");
  }
  std::optional<Statements> statements = parsed(*body);
  if (!statements) return refusal(fmt::format("{}: not \"{}\"", file.string(), format));
  return *std::move(statements);
}

/// Adds the runs that have ended, and the claims that are not recorded, as of now. Findings count
/// whether or not they are intact, because they could have been seen. Errors: it cannot be
/// determined whether they exist.
Status bring_up_to_date(const Study& study, const std::filesystem::path& directory,
                        Statements& statements) {
  std::size_t ended = 0;
  for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
    for (std::uint64_t seed = 0; seed < study.seeds; ++seed) {
      const RunConfig config = study.run(arm, seed);
      const std::string name = run_name(config.arm, seed);
      const auto there =
          base::is_there(run_directory(directory, config.arm, seed) / "findings.json");
      if (!there) return there.error();
      if (*there) statements.ended.insert(name);
      ended += statements.ended.count(name);
    }
  }
  for (const Claim& claim : study.claims) {
    statements.claims.try_emplace(form_of(claim), Statement{claim.name, ended});
  }
  return {};
}

}  // namespace

ClaimForm form_of(const Claim& claim) {
  ClaimForm form;
  for (const ClaimTest& test : claim.tests) form.push_back(form_of(test));
  if (claim.needs_tokens > 0) form.push_back(fmt::format("needs {} tokens", claim.needs_tokens));
  std::ranges::sort(form);
  return form;
}

std::optional<std::size_t> Statements::runs_ended_before(const Claim& claim) const {
  const auto found = claims.find(form_of(claim));
  return found == claims.end() ? std::nullopt : std::optional(found->second.runs_ended);
}

Result<Statements> read_statements(const Study& study, const std::filesystem::path& directory) {
  Result<Statements> statements = read_file(directory / file_name);
  if (!statements) return statements;
  if (Status told = bring_up_to_date(study, directory, *statements); !told) return told.error();
  return statements;
}

Result<Statements> record_statements(const Study& study, const std::filesystem::path& directory) {
  Result<Statements> statements = read_file(directory / file_name);
  if (!statements) return statements;
  const json before = body_of(*statements);
  if (Status told = bring_up_to_date(study, directory, *statements); !told) return told.error();
  json body = body_of(*statements);
  if (body == before) return statements;
  body["checksum"] = checksum_of(body);
  const Status written = write_listed(directory, file_name, body.dump(2) + '\n');
  if (!written) return written.error();
  return statements;
}

std::string mark_of(const Claim& claim, std::optional<std::size_t> runs_ended, std::size_t runs) {
  std::string after;
  if (runs_ended.value_or(0) > 0) {
    after = fmt::format("{} of {} runs had ended", std::min(*runs_ended, runs), runs);
  }
  if (!after.empty() && !claim.stated_after.empty()) after += ", and after ";
  after += claim.stated_after;
  return after.empty() ? "" : "stated after " + after;
}

}  // namespace lookback::study
