#include "lookback/study/claim.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lookback/base/nearest.h"
#include "lookback/base/printable.h"
#include "lookback/data/repeated_blocks.h"
#include "lookback/study/quantities.h"

namespace lookback::study {
namespace {

constexpr std::size_t longest_text = 2000;
constexpr std::size_t longest_name = 100;
constexpr double largest_bound = 1e15;
constexpr std::size_t longest_mark = 200;
constexpr double least_band = 1e-9;

std::vector<std::string> finding_names() {
  std::vector<std::string> names;
  for (const Quantity& quantity : quantities()) names.emplace_back(quantity.name);
  return names;
}

/// The name of a figure; of an unknown one the nearest is named, for there are dozens.
std::string read_finding(base::TableReader& reader, const std::string& key,
                         const std::string& fallback) {
  std::string name = reader.text(key, fallback, longest_name);
  if (find_quantity(name) != nullptr || !reader.has(key)) return name;
  const std::vector<std::string> names = finding_names();
  const auto meant = base::nearest(name, names);
  reader.fail(key, fmt::format("found \"{}\", which is no figure; {}", base::printable(name),
                               meant ? fmt::format("nearest: \"{}\"", *meant)
                                     : fmt::format("allowed: {}", fmt::join(names, ", "))));
  return fallback;
}

/// The keys of which a test has one, each with its relation.
struct RelationKey {
  const char* key;
  Relation relation;
};
constexpr RelationKey relation_keys[] = {
    {"above", Relation::above},         {"below", Relation::below},
    {"above_arm", Relation::above},     {"below_arm", Relation::below},
    {"above_finding", Relation::above}, {"below_finding", Relation::below},
    {"between", Relation::between},     {"is", Relation::is},
    {"within", Relation::within},       {"of_arm", Relation::within},
    {"of_finding", Relation::within},   {"present", Relation::present},
    {"exponent", Relation::exponent},
};
/// The other keys that a test may have.
constexpr std::string_view other_test_keys[] = {
    "finding", "arm", "probe", "times", "by", "decided_by", "against", "at", "skip_missing"};
constexpr const char* relations_allowed =
    "above or below (a number), above_arm or below_arm, above_finding or below_finding, between, "
    "within with of_arm or of_finding, is, present, or exponent";

/// Whether both figures of a comparison exist; an error is recorded of one that does not.
bool has_known_figures(const ClaimTest& test) {
  return find_quantity(test.finding) != nullptr && find_quantity(test.other_finding) != nullptr;
}

/// How near the other figure: a share of it where the two are compared by ratio, and then below 1.
void read_within(base::TableReader& reader, ClaimTest& test) {
  for (const char* of_a_bound : {"times", "by"}) {
    if (reader.has(of_a_bound)) {
      reader.fail(of_a_bound, "cannot go with within; use it with above_arm or below_arm");
    }
  }
  if (!reader.require("within", "how near: 0.1 for 10% of a ratio, or for 0.1 nats")) return;
  test.within = reader.number("within", 1, least_band, largest_bound);
  if (has_known_figures(test) && is_by_ratio(test) && test.within >= 1) {
    reader.fail("within",
                fmt::format("found {:g} for a figure that is compared by its ratio; use a "
                            "share below 1, such as 0.1 for 10%",
                            test.within));
  }
}

void read_factor_and_offset(base::TableReader& reader, ClaimTest& test) {
  test.times = reader.number("times", 1, least_band, largest_bound);
  test.by = reader.number("by", 0, -largest_bound, largest_bound);
  if (test.by != 0 && has_known_figures(test) && is_by_ratio(test)) {
    reader.fail("by", "found with a figure that is compared by its ratio, allowed: times");
  }
}

/// The other figure of a comparison: above_arm, above_finding, or both; of_arm, of_finding.
void read_other(base::TableReader& reader, const std::vector<std::string>& arms, ClaimTest& test) {
  const std::string side = test.relation == Relation::within ? "of" : name_of(test.relation);
  test.against_other = true;
  test.other_arm = test.arm;
  test.other_finding = test.finding;
  if (reader.has(side + "_arm")) {
    test.other_arm = reader.choice(side + "_arm", test.arm, arms);
  }
  if (reader.has(side + "_finding")) {
    test.other_finding = read_finding(reader, side + "_finding", test.finding);
  }
  if (test.relation == Relation::within) {
    read_within(reader, test);
  } else {
    read_factor_and_offset(reader, test);
  }
  if (test.other_arm == test.arm && test.other_finding == test.finding) {
    reader.fail("finding", "found a figure compared with itself, allowed: another arm or finding");
  }
}

void read_bounds(base::TableReader& reader, const std::string& key, ClaimTest& test) {
  const std::vector<double> bounds = reader.numbers(key, {}, 2, -largest_bound, largest_bound);
  if (bounds.size() != 2 || bounds[0] > bounds[1]) {
    reader.fail(key, "allowed: two numbers, the smaller first");
    return;
  }
  test.low = bounds[0];
  test.high = bounds[1];
}

/// A key of a test that is none of its keys, but nearly one of a relation.
struct Misspelled {
  std::string key;
  std::string nearest;
};
std::optional<Misspelled> misspelled_relation(const base::TableReader& reader) {
  std::vector<std::string> relations;
  for (const RelationKey& one : relation_keys) relations.push_back(one.key);
  for (const std::string& key : reader.keys()) {
    if (std::ranges::find(other_test_keys, key) != std::end(other_test_keys)) continue;
    if (const auto nearest = base::nearest(key, relations)) return Misspelled{key, *nearest};
  }
  return {};
}

/// The relation that a test asks for.
struct Asked {
  Relation relation;
  bool against_other;
};
std::optional<Asked> asked_relation(base::TableReader& reader) {
  std::optional<Asked> asked;
  for (const RelationKey& one : relation_keys) {
    if (!reader.has(one.key)) continue;
    const std::string key = one.key;
    const bool names_other = key.ends_with("_arm") || key.ends_with("_finding");
    const bool is_same = asked && asked->relation == one.relation;
    const bool goes_on =
        is_same && (one.relation == Relation::within || (asked->against_other && names_other));
    if (asked && !goes_on) {
      reader.fail(
          key, fmt::format("found with another relation, allowed: one of {}", relations_allowed));
    }
    asked = {one.relation, names_other || (goes_on && asked->against_other)};
  }
  if (asked) return asked;
  if (const auto meant = misspelled_relation(reader)) {
    reader.fail(meant->key, fmt::format("is no relation; nearest: '{}'", meant->nearest));
  } else {
    reader.fail("finding", fmt::format("no relation, allowed: {}", relations_allowed));
  }
  return {};
}

/// What the figure alone is held against.
void read_bound(base::TableReader& reader, ClaimTest& test) {
  for (const char* of_other : {"times", "by"}) {
    if (reader.has(of_other)) {
      reader.fail(of_other,
                  "found without another figure, allowed: with one of another arm or "
                  "finding");
    }
  }
  const std::string key = name_of(test.relation);
  if (test.relation == Relation::within) {
    reader.fail(key, "needs another figure to be near to: of_arm or of_finding");
  } else if (test.relation == Relation::above || test.relation == Relation::below) {
    test.low = reader.number(key, 0, -largest_bound, largest_bound);
  } else if (test.relation == Relation::between || test.relation == Relation::exponent) {
    read_bounds(reader, key, test);
  } else if (test.relation == Relation::is) {
    const Quantity* quantity = find_quantity(test.finding);
    const bool has_words = quantity != nullptr && quantity->words != nullptr;
    test.word =
        has_words ? reader.choice(key, "", quantity->words()) : reader.text(key, "", longest_name);
  } else if (!reader.flag(key, true)) {
    test.relation = Relation::absent;
  }
}

void read_relation(base::TableReader& reader, const std::vector<std::string>& arms,
                   ClaimTest& test) {
  const std::optional<Asked> asked = asked_relation(reader);
  if (!asked) return;
  test.relation = asked->relation;
  if (asked->against_other) {
    read_other(reader, arms, test);
  } else {
    read_bound(reader, test);
  }
}

/// What a figure allows: words are compared with words, and have no mean.
void check_test(base::TableReader& reader, const ClaimTest& test) {
  const Quantity* quantity = find_quantity(test.finding);
  const Quantity* other = find_quantity(test.other_finding);
  if (quantity == nullptr) return;  // recorded
  const bool asks_a_word = test.relation == Relation::is;
  const bool asks_presence =
      test.relation == Relation::present || test.relation == Relation::absent;
  if (!asks_presence && asks_a_word != quantity->is_word) {
    reader.fail("finding", fmt::format("found \"{}\", which is a {}; allowed with {}: a {}",
                                       test.finding, quantity->is_word ? "word" : "number",
                                       name_of(test.relation), asks_a_word ? "word" : "number"));
  }
  if (test.against_other && other != nullptr && other->is_word) {
    reader.fail("finding", "found a comparison with a word, allowed: with a number");
  }
  if (asks_presence && !quantity->may_be_never) {
    reader.fail("finding", fmt::format("found \"{}\", which every run has; allowed with present: "
                                       "\"transition_tokens\", \"second_transition_tokens\"",
                                       test.finding));
  }
  for (const Quantity* one : {quantity, test.against_other ? other : nullptr}) {
    if (test.probe != usual_probe && one != nullptr && !one->of_probe) {
      reader.fail("probe", fmt::format("found \"{}\", allowed with \"{}\": \"{}\" alone",
                                       test.probe, one->name, usual_probe));
    }
  }
}

/// How it is decided, where there is a choice.
DecidedBy read_decided_by(base::TableReader& reader, Relation relation) {
  const bool has_mean = relation == Relation::above || relation == Relation::below ||
                        relation == Relation::between || relation == Relation::within;
  const bool is_law = relation == Relation::exponent;
  const DecidedBy usual = is_law     ? DecidedBy::fit
                          : has_mean ? DecidedBy::mean
                                     : DecidedBy::every_seed;
  std::vector<DecidedBy> ways = {usual};
  if (has_mean) ways = {DecidedBy::every_seed, DecidedBy::mean};
  std::vector<std::string> names;
  names.reserve(ways.size());
  for (const DecidedBy way : ways) names.emplace_back(name_of(way));
  const std::string chosen = reader.choice("decided_by", name_of(usual), names);
  return ways[static_cast<std::size_t>(std::ranges::find(names, chosen) - names.begin())];
}

/// `names` are those of all arms.
ClaimTest read_test(base::TableReader& reader, const std::string& arm,
                    const std::vector<std::string>& names, const SweptArms& arms) {
  ClaimTest test;
  test.arm = arm;
  if (reader.require("finding", "the name of a figure")) {
    test.finding = read_finding(reader, "finding", "");
  }
  test.probe = reader.choice("probe", test.probe, data::block_kind_names());
  read_relation(reader, names, test);
  if (test.relation == Relation::exponent) {
    read_power_law(reader, arms, test);
  } else {
    for (const char* of_law : {"against", "at", "skip_missing"}) {
      if (reader.has(of_law)) reader.fail(of_law, "found without exponent, allowed: with it");
    }
  }
  test.decided_by = read_decided_by(reader, test.relation);
  check_test(reader, test);
  return test;
}

/// One test an arm that is named. A power law is one of arms without their points; of a study without arms
/// it names none.
void add_tests(base::TableReader& reader, const SweptArms& arms, Claim& claim) {
  const std::vector<std::string> names = arms.names(), bases = arms.bases();
  const bool of_bases = reader.has("exponent");
  std::vector<std::string> named;
  if (of_bases && bases.size() == 1 && bases.front().empty()) {
    named = bases;
  } else {
    reader.require("arm", "an arm's name, or several");
    named = reader.choices("arm", {}, of_bases ? bases : names);
    if (named.empty()) reader.fail("arm", "found none, allowed: an arm's name, or several");
  }
  for (const std::string& arm : named) claim.tests.push_back(read_test(reader, arm, names, arms));
}

/// A text that is there, on one line: lists of claims show it.
std::string read_line(base::TableReader& reader, const char* key, std::size_t longest) {
  std::string text = reader.text(key, "", longest);
  const bool is_blank = text.find_first_not_of(" \t\n") == std::string::npos;
  if (is_blank || text.find_first_of("\t\n") != std::string::npos) {
    reader.fail(key,
                fmt::format("found \"{}\", allowed: a text on one line", base::printable(text)));
  }
  return text;
}

Claim read_claim(base::TableReader& reader, const SweptArms& arms) {
  Claim claim;
  reader.require("name", "a name for the claim");
  claim.name = read_line(reader, "name", longest_name);
  if (reader.has("number")) claim.number = reader.count("number", 1, 1, 1000);
  reader.require("says", "what the claim says, in a sentence");
  claim.says = read_line(reader, "says", longest_text);
  claim.article = reader.text("article", "", longest_text);
  claim.article_figure = reader.text("article_figure", "", longest_text);
  if (reader.has("stated_after")) {
    claim.stated_after = read_line(reader, "stated_after", longest_mark);
  }
  claim.needs_tokens = read_needed_tokens(reader);
  for (base::TableReader& test : reader.tables("test")) add_tests(test, arms, claim);
  if (claim.tests.empty()) reader.fail("test", "found none, allowed: one [[claim.test]] or more");
  return claim;
}

}  // namespace

const char* name_of(Relation relation) {
  constexpr const char* names[] = {"above", "below",   "between", "within",
                                   "is",    "present", "absent",  "exponent"};
  return names[static_cast<std::size_t>(relation)];
}

const char* name_of(DecidedBy decided_by) {
  constexpr const char* names[] = {"mean", "every-seed", "fit"};
  return names[static_cast<std::size_t>(decided_by)];
}

std::vector<Claim> read_claims(base::TableReader& study, const SweptArms& arms) {
  std::vector<Claim> claims;
  for (base::TableReader& reader : study.tables("claim")) {
    Claim claim = read_claim(reader, arms);
    if (std::ranges::find(claims, claim.name, &Claim::name) != claims.end()) {
      reader.fail("name", fmt::format("found \"{}\" twice, allowed: each name once", claim.name));
    }
    claims.push_back(std::move(claim));
  }
  return claims;
}

std::uint64_t read_needed_tokens(base::TableReader& reader) {
  return reader.count("needs_tokens", 0, 0, 1'000'000'000'000'000);
}

bool is_about(const ClaimTest& test, std::string_view arm) {
  if (!test.law) return test.arm == arm || (test.against_other && test.other_arm == arm);
  return std::ranges::find(test.law->places, arm, &PowerLaw::Place::arm) != test.law->places.end();
}

bool is_by_ratio(const ClaimTest& test) {
  const auto by_ratio = [](const std::string& finding) {
    return find_quantity(finding)->logarithmic;
  };
  return by_ratio(test.finding) && (!test.against_other || by_ratio(test.other_finding));
}

}  // namespace lookback::study
