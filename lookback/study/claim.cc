#include "lookback/study/claim.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "lookback/base/nearest.h"
#include "lookback/base/printable.h"
#include "lookback/data/repeated_blocks.h"
#include "lookback/study/quantities.h"

namespace lookback::study {
namespace {

constexpr std::size_t longest_text = 2000;
constexpr std::size_t longest_name = 100;
constexpr double largest_bound = 1e15;
constexpr double giga = 1e9, mega = 1e6;
constexpr double least_mega = 1e5;  ///< tokens from here on are shown as 0.1M
constexpr const char* usual_probe = "repeated-blocks";

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
    {"present", Relation::present},
};
/// The other keys that a test may have.
constexpr std::string_view other_test_keys[] = {"finding", "arm", "probe",
                                                "times",   "by",  "decided_by"};
constexpr const char* relations_allowed =
    "above or below (a number), above_arm or below_arm, above_finding or below_finding, between, "
    "is, or present";

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
    test.other_finding = read_finding(reader, side + "_finding", test.finding);
  }
  test.times = reader.number("times", 1, 1e-9, largest_bound);
  test.by = reader.number("by", 0, -largest_bound, largest_bound);
  const bool are_known =
      find_quantity(test.finding) != nullptr && find_quantity(test.other_finding) != nullptr;
  if (test.by != 0 && are_known && is_by_ratio(test)) {
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
    if (const auto meant = misspelled_relation(reader)) {
      reader.fail(meant->key, fmt::format("is no relation; nearest: '{}'", meant->nearest));
      return;
    }
    reader.fail("finding", fmt::format("no relation, allowed: {}", relations_allowed));
    return;
  }
  test.relation = *relation;
  if (against_other) return read_other(reader, arms, test);
  for (const char* of_other : {"times", "by"}) {
    if (reader.has(of_other)) {
      reader.fail(of_other,
                  "found without another figure, allowed: with one of another arm or "
                  "finding");
    }
  }
  const std::string key = name_of(*relation);
  if (*relation == Relation::above || *relation == Relation::below) {
    test.low = reader.number(key, 0, -largest_bound, largest_bound);
  } else if (*relation == Relation::between) {
    read_bounds(reader, test);
  } else if (*relation == Relation::is) {
    const Quantity* quantity = find_quantity(test.finding);
    const bool has_words = quantity != nullptr && quantity->words != nullptr;
    test.word =
        has_words ? reader.choice(key, "", quantity->words()) : reader.text(key, "", longest_name);
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

ClaimTest read_test(base::TableReader& reader, const std::string& arm,
                    const std::vector<std::string>& arms) {
  ClaimTest test;
  test.arm = arm;
  if (reader.require("finding", "the name of a figure")) {
    test.finding = read_finding(reader, "finding", "");
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
  const std::vector<std::string> named = reader.choices("arm", {}, arms);
  if (named.empty()) reader.fail("arm", "found none, allowed: an arm's name, or several");
  for (const std::string& arm : named) claim.tests.push_back(read_test(reader, arm, arms));
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

Claim read_claim(base::TableReader& reader, const std::vector<std::string>& arms) {
  Claim claim;
  reader.require("name", "a name for the claim");
  claim.name = read_line(reader, "name", longest_name);
  if (reader.has("number")) claim.number = reader.count("number", 1, 1, 1000);
  reader.require("says", "what the claim says, in a sentence");
  claim.says = read_line(reader, "says", longest_text);
  claim.article = reader.text("article", "", longest_text);
  claim.article_figure = reader.text("article_figure", "", longest_text);
  claim.needs_tokens = read_needed_tokens(reader);
  for (base::TableReader& test : reader.tables("test")) add_tests(test, arms, claim);
  if (claim.tests.empty()) reader.fail("test", "found none, allowed: one [[claim.test]] or more");
  return claim;
}

/// A number of the study file, as it was given: 0.1, and 20M of tokens.
std::string stated(double value, std::string_view unit) {
  const double size = std::abs(value);
  if (unit == "tokens" && size >= giga) return fmt::format("{:g}G", value / giga);
  if (unit == "tokens" && size >= least_mega) return fmt::format("{:g}M", value / mega);
  return fmt::format("{:g}", value);
}

/// Where a test says "that of ...": what the other figure is, in the words it needs.
std::string other_in_words(const ClaimTest& test) {
  const Quantity* quantity = find_quantity(test.other_finding);
  std::string words = test.times == 1 ? "" : fmt::format("{} times ", stated(test.times, ""));
  if (test.other_finding == test.finding) {
    words += "that of " + test.other_arm;
  } else {
    words += quantity == nullptr ? test.other_finding : std::string(quantity->says);
    if (test.other_arm != test.arm) words += " in " + test.other_arm;
  }
  if (test.by != 0) {
    const std::string unit(quantity == nullptr ? "" : quantity->unit);
    words += fmt::format(" {} {}", test.by > 0 ? "plus" : "minus", stated(std::abs(test.by), unit));
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

std::uint64_t read_needed_tokens(base::TableReader& reader) {
  return reader.count("needs_tokens", 0, 0, 1'000'000'000'000'000);
}

bool is_by_ratio(const ClaimTest& test) {
  const auto by_ratio = [](const std::string& finding) {
    return find_quantity(finding)->logarithmic;
  };
  return by_ratio(test.finding) && (!test.against_other || by_ratio(test.other_finding));
}

std::string shown_number(double value, std::string_view unit) {
  const double size = std::abs(value);
  if (unit == "tokens" && size >= giga) return shown_number(value / giga, "") + "G";
  if (unit == "tokens" && size >= least_mega) return shown_number(value / mega, "") + "M";
  if (value == 0) return "0";
  constexpr double least_plain = 1e-4;
  if (size < least_plain) return fmt::format("{:.2e}", value);
  int decimals = 0;
  for (double limit = 100; size < limit; limit /= 10) ++decimals;
  return fmt::format("{:.{}f}", value, decimals);
}

std::string sentence_of(const ClaimTest& test) {
  const Quantity* quantity = find_quantity(test.finding);
  const std::string unit(quantity == nullptr ? "" : quantity->unit);
  std::string words = fmt::format("{}: {}", test.arm,
                                  quantity == nullptr ? test.finding : std::string(quantity->says));
  if (test.probe != usual_probe) words += " on " + test.probe;
  switch (test.relation) {
    case Relation::above:
    case Relation::below:
      return words +
             fmt::format(" is {} {}", name_of(test.relation),
                         test.against_other ? other_in_words(test) : stated(test.low, unit));
    case Relation::between:
      return words +
             fmt::format(" is between {} and {}", stated(test.low, unit), stated(test.high, unit));
    case Relation::is:
      return words + " is " + test.word;
    case Relation::present:
      return words + " exists";
    case Relation::absent:
      return words + " does not exist";
  }
  return words;
}

std::string against_of(const ClaimTest& test) {
  if (test.relation == Relation::is) return test.word;
  if (test.relation == Relation::between) return fmt::format("{} to {}", test.low, test.high);
  if (test.relation != Relation::above && test.relation != Relation::below) return "";
  if (!test.against_other) return fmt::format("{}", test.low);
  std::string words = test.times == 1 ? "" : fmt::format("{:g} times ", test.times);
  if (test.other_finding != test.finding) words += test.other_finding;
  if (test.other_finding != test.finding && test.other_arm != test.arm) words += " of ";
  if (test.other_arm != test.arm) words += test.other_arm;
  if (test.by != 0) words += fmt::format(" {} {:g}", test.by > 0 ? "+" : "-", std::abs(test.by));
  return words;
}

}  // namespace lookback::study
