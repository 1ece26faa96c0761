#include "lookback/study/claim.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lookback/data/repeated_blocks.h"
#include "lookback/study/quantities.h"

namespace lookback::study {
namespace {

constexpr std::size_t longest_text = 2000;
constexpr double largest_bound = 1e15;

std::vector<std::string> finding_names() {
  std::vector<std::string> names;
  for (const Quantity& quantity : quantities()) names.emplace_back(quantity.name);
  return names;
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
    {"present", Relation::present},
};
constexpr const char* relations_allowed =
    "above or below (a number), above_arm or below_arm, above_finding or below_finding, between, "
    "is, "
    "or present";

/// The other figure of a comparison: above_arm, above_finding, or both.
void read_other(base::TableReader& reader, const std::vector<std::string>& arms, ClaimTest& test) {
  const std::string side = name_of(test.relation);
  test.against_other = true;
  test.other_arm = test.arm;
  test.other_finding = test.finding;
  if (reader.has(side + "_arm")) {
    test.other_arm = reader.choice(side + "_arm", test.arm, arms);
  }
  if (reader.has(side + "_finding")) {
    test.other_finding = reader.choice(side + "_finding", test.finding, finding_names());
  }
  test.times = reader.number("times", 1, 1e-9, largest_bound);
  test.by = reader.number("by", 0, -largest_bound, largest_bound);
  const Quantity* quantity = find_quantity(test.finding);
  if (test.by != 0 && quantity != nullptr && quantity->logarithmic) {
    reader.fail("by", "found with a figure that is compared by its ratio, allowed: times");
  }
  if (test.other_arm == test.arm && test.other_finding == test.finding) {
    reader.fail("finding", "found a figure compared with itself, allowed: another arm or finding");
  }
}

void read_bounds(base::TableReader& reader, ClaimTest& test) {
  const std::vector<double> bounds =
      reader.numbers("between", {}, 2, -largest_bound, largest_bound);
  if (bounds.size() != 2 || bounds[0] > bounds[1]) {
    reader.fail("between", "allowed: two numbers, the smaller first");
    return;
  }
  test.low = bounds[0];
  test.high = bounds[1];
}

void read_relation(base::TableReader& reader, const std::vector<std::string>& arms,
                   ClaimTest& test) {
  std::optional<Relation> relation;
  bool against_other = false;
  for (const RelationKey& one : relation_keys) {
    if (!reader.has(one.key)) continue;
    const std::string key = one.key;
    const bool names_other = key.ends_with("_arm") || key.ends_with("_finding");
    const bool goes_on = relation == one.relation && against_other && names_other;
    if (relation && !goes_on) {
      reader.fail(
          key, fmt::format("found with another relation, allowed: one of {}", relations_allowed));
    }
    relation = one.relation;
    against_other = names_other;
  }
  if (!relation) {
    reader.fail("finding", fmt::format("no relation, allowed: {}", relations_allowed));
    return;
  }
  test.relation = *relation;
  if (against_other) return read_other(reader, arms, test);
  const std::string key = name_of(*relation);
  if (*relation == Relation::above || *relation == Relation::below) {
    test.low = reader.number(key, 0, -largest_bound, largest_bound);
  } else if (*relation == Relation::between) {
    read_bounds(reader, test);
  } else if (*relation == Relation::is) {
    test.word = reader.text(key, "", 100);
  } else if (!reader.flag(key, true)) {
    test.relation = Relation::absent;
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
  if (test.probe != "repeated-blocks" && !quantity->of_probe) {
    reader.fail("probe", fmt::format("\"{}\" is measured on repeated-blocks alone", test.finding));
  }
}

ClaimTest read_test(base::TableReader& reader, const std::string& arm,
                    const std::vector<std::string>& arms) {
  ClaimTest test;
  test.arm = arm;
  if (reader.require("finding", "the name of a figure")) {
    test.finding = reader.choice("finding", "", finding_names());
  }
  test.probe = reader.choice("probe", test.probe, data::block_kind_names());
  read_relation(reader, arms, test);
  const bool has_mean = test.relation == Relation::above || test.relation == Relation::below ||
                        test.relation == Relation::between;
  const std::string by_mean = name_of(DecidedBy::mean), by_seed = name_of(DecidedBy::every_seed);
  std::vector<std::string> allowed = {by_seed};
  if (has_mean) allowed.push_back(by_mean);
  const std::string decided = reader.choice("decided_by", has_mean ? by_mean : by_seed, allowed);
  test.decided_by = decided == by_mean ? DecidedBy::mean : DecidedBy::every_seed;
  check_test(reader, test);
  return test;
}

/// One test an arm that is named.
void add_tests(base::TableReader& reader, const std::vector<std::string>& arms, Claim& claim) {
  reader.require("arm", "an arm's name, or several");
  for (const std::string& arm : reader.choices("arm", {}, arms)) {
    claim.tests.push_back(read_test(reader, arm, arms));
  }
}

Claim read_claim(base::TableReader& reader, const std::vector<std::string>& arms) {
  Claim claim;
  reader.require("name", "a name for the claim");
  claim.name = reader.text("name", "", 100);
  if (reader.has("number")) claim.number = reader.count("number", 1, 1, 1000);
  reader.require("says", "what the claim says, in a sentence");
  claim.says = reader.text("says", "", longest_text);
  claim.article = reader.text("article", "", longest_text);
  claim.article_figure = reader.text("article_figure", "", longest_text);
  claim.needs_tokens = reader.count("needs_tokens", 0, 0, 1'000'000'000'000'000);
  for (base::TableReader& test : reader.tables("test")) add_tests(test, arms, claim);
  if (claim.tests.empty())
    reader.require("test", "at least one [[claim.test]] of at least one arm");
  return claim;
}

/// Where a test says "that of ...": what the other figure is, in the words it needs.
std::string other_in_words(const ClaimTest& test) {
  const Quantity* quantity = find_quantity(test.other_finding);
  std::string words = test.times == 1 ? "" : fmt::format("{:g} times ", test.times);
  if (test.other_finding == test.finding) {
    words += "that of " + test.other_arm;
  } else {
    words += quantity == nullptr ? test.other_finding : std::string(quantity->says);
    if (test.other_arm != test.arm) words += " in " + test.other_arm;
  }
  if (test.by != 0) {
    const std::string unit(quantity == nullptr ? "" : quantity->unit);
    words += fmt::format(" {} {}", test.by > 0 ? "plus" : "minus",
                         shown_number(std::abs(test.by), unit));
  }
  return words;
}

}  // namespace

const char* name_of(Relation relation) {
  constexpr const char* names[] = {"above", "below", "between", "is", "present", "absent"};
  return names[static_cast<std::size_t>(relation)];
}

const char* name_of(DecidedBy decided_by) {
  return decided_by == DecidedBy::mean ? "mean" : "every-seed";
}

std::vector<Claim> read_claims(base::TableReader& study, const std::vector<std::string>& arms) {
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

std::string shown_number(double value, std::string_view unit) {
  constexpr double million = 1e6;
  if (unit == "tokens" && std::abs(value) >= 1e9) return fmt::format("{:.2f}G", value / 1e9);
  if (unit == "tokens" && std::abs(value) >= 1e4) return fmt::format("{:.2f}M", value / million);
  if (std::abs(value) >= 1000) return fmt::format("{:.0f}", value);
  std::string text = fmt::format("{:.{}f}", value,
                                 std::abs(value) >= 100  ? 0
                                 : std::abs(value) >= 10 ? 1
                                 : std::abs(value) >= 1  ? 2
                                                         : 3);
  if (text.find_first_not_of("-0.") == std::string::npos)
    text = value == 0 ? "0" : fmt::format("{:.1g}", value);
  return text;
}

std::string sentence_of(const ClaimTest& test) {
  const Quantity* quantity = find_quantity(test.finding);
  const std::string unit(quantity == nullptr ? "" : quantity->unit);
  std::string words = fmt::format("{}: {}", test.arm,
                                  quantity == nullptr ? test.finding : std::string(quantity->says));
  if (test.probe != "repeated-blocks") words += " on " + test.probe;
  switch (test.relation) {
    case Relation::above:
    case Relation::below:
      return words +
             fmt::format(" is {} {}", name_of(test.relation),
                         test.against_other ? other_in_words(test) : shown_number(test.low, unit));
    case Relation::between:
      return words + fmt::format(" is between {} and {}", shown_number(test.low, unit),
                                 shown_number(test.high, unit));
    case Relation::is:
      return words + " is " + test.word;
    case Relation::present:
      return words + " exists";
    case Relation::absent:
      return words + " does not exist";
  }
  return words;
}

}  // namespace lookback::study
