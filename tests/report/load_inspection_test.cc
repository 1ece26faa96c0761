// Inspections read from files that anybody may have written.
#include "lookback/report/load_inspection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "lookback/base/safetensors.h"
#include "tests/base/temporary_directory.h"

namespace lookback::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json value_json(double mean) { return {{"mean", mean}, {"interval", {mean - 1, mean + 1}}}; }
json place(int layer, int head) { return {{"layer", layer}, {"head", head}}; }

/// A small inspection with one item of every kind.
json whole_inspection() {
  json object = {{"format", "lookback inspection 3"}, {"tokens", 2560}, {"skipped", {"a line"}}};
  object["mechanism"] = {{"verdict", "k-composition"}, {"reason", "because"},
                         {"head", place(1, 0)},        {"cost", value_json(5)},
                         {"unsmeared", nullptr},       {"earlier", json::array()}};
  object["mechanism"]["earlier"].push_back({{"head", place(0, 0)}, {"k_removed", value_json(0.9)}});
  object["ablation"] = {
      {"paths", json::array({{{"from", "head 0.0"},
                              {"to", place(1, 0)},
                              {"input", "k"},
                              {"replacement", "zero"},
                              {"rise", value_json(5)}}})},
      {"logits",
       json::array({{{"from", "token"}, {"replacement", "mean"}, {"rise", value_json(1)}}})},
      {"heads",
       json::array({{{"head", place(0, 0)}, {"replacement", "zero"}, {"rise", value_json(2)}}})},
      {"patterns",
       json::array({{{"head", nullptr}, {"replacement", "mean"}, {"rise", value_json(3)}}})},
      {"values", json::array({{{"head", place(0, 0)}, {"rise", value_json(4)}}})},
      {"norms", json::array({{{"norm", nullptr}, {"change", "frozen"}, {"rise", value_json(6)}}})}};
  object["circuits"] = {
      {"vocabulary", 2},
      {"direct", json::array({{{"kind", "ov"},
                               {"head", place(0, 0)},
                               {"eigenvalue_score", 0.5},
                               {"matching_score", nullptr},
                               {"eigenvalues", {{1.0, -2.0}}}}})},
      {"composed", json::array({{{"kind", "k_composition"},
                                 {"head", place(1, 0)},
                                 {"from", place(0, 0)},
                                 {"eigenvalues", json::array()}}})},
      {"positional", json::array({{{"head", place(0, 0)}, {"by_offset", {1.0, nullptr}}}})}};
  object["composition"] = json::array({{{"from", place(0, 0)},
                                        {"to", place(1, 0)},
                                        {"q", 0.1},
                                        {"k", 0.2},
                                        {"v", 0.3},
                                        {"baseline", 0.09}}});
  object["patching"] = json::array({{{"corruption", "match"},
                                     {"changed", 2},
                                     {"query", 6},
                                     {"clean", value_json(-1)},
                                     {"corrupted", value_json(-5)}}});
  object["patching"][0]["heads"] = json::array({{{"head", place(1, 0)},
                                                 {"activation", "z"},
                                                 {"whole", value_json(1)},
                                                 {"by_position", {0.5, nullptr}}}});
  object["patching"][0]["paths"] = json::array(
      {{{"from", "head 1.0"}, {"to", nullptr}, {"input", nullptr}, {"restored", value_json(1)}}});
  return object;
}

class LoadInspection : public testing::Test {
 protected:
  void write_text(const std::string& text) const { std::ofstream(object()) << text; }
  void write(const json& value) const { write_text(value.dump()); }
  void write_matrix(const std::string& name, std::vector<std::size_t> shape) const {
    std::size_t count = 1;
    for (const std::size_t size : shape) count *= size;
    const std::vector<float> values(count, 3);
    const std::vector<base::Tensor> tensors{{name, std::move(shape), values}};
    ASSERT_TRUE(base::write_safetensors(arrays(), tensors, {}));
  }

  Result<LensResult> load() const { return load_inspection(directory_.path()); }
  /// The error of a load that must fail, in one line that begins with the file.
  std::string error(const fs::path& file) const {
    const Result<LensResult> found = load();
    if (found) return "loaded";
    const std::string& message = found.error().message;
    EXPECT_TRUE(message.starts_with(file.string() + ": ")) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
    return message.substr(std::min(message.size(), file.string().size() + 2));
  }
  std::string error() const { return error(object()); }

  fs::path object() const { return directory_ / "inspection.json"; }
  fs::path arrays() const { return directory_ / "inspection.safetensors"; }

  lookback::test::TemporaryDirectory directory_;
};

TEST_F(LoadInspection, LeavesOutPatchingThatHadNothingToRestore) {
  json object = whole_inspection();
  object["patching"][0]["corrupted"] = value_json(-1.05);
  write(object);
  const Result<LensResult> found = load_inspection(directory_.path());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->patchings.empty());
  ASSERT_FALSE(found->skipped.empty());
  EXPECT_EQ(found->skipped.front().rfind("patching, 'match' corrupted: ", 0), 0U);
}

TEST_F(LoadInspection, ReadsWhatItHolds) {
  write(whole_inspection());
  write_matrix("circuits/k_composition/0.0-1.0/matrix", {2, 2});
  const Result<LensResult> found = load();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->tokens, 2560U);
  EXPECT_EQ(found->mechanism.verdict, "k-composition");
  ASSERT_EQ(found->mechanism.facts.size(), 2U);
  EXPECT_EQ(found->mechanism.facts[0].name, "cost of head 1.0, nats");
  EXPECT_EQ(found->mechanism.facts[1].name, "share lost without head 0.0 in its keys");
  ASSERT_EQ(found->paths.size(), 1U);
  EXPECT_EQ(found->paths[0].to, (LensHead{1, 0}));
  ASSERT_TRUE(found->paths[0].value.interval);
  EXPECT_EQ(found->paths[0].value.interval->low, found->paths[0].value.mean - 1);
  EXPECT_EQ(found->paths[0].value.interval->high, found->paths[0].value.mean + 1);
  EXPECT_EQ(found->logits[0].input, "");
  EXPECT_EQ(found->heads[0].part, "head 0.0");
  EXPECT_EQ(found->patterns[0].part, "every head");
  EXPECT_EQ(found->values[0].change, "mean");
  EXPECT_EQ(found->norms[0].part, "every norm");
  EXPECT_EQ(found->direct[0].eigenvalues[0], (std::complex<double>(1, -2)));
  EXPECT_FALSE(found->direct[0].matching_score);
  EXPECT_TRUE(found->direct[0].matrix.empty()) << "the file has none of it";
  EXPECT_EQ(found->composed[0].from, (LensHead{0, 0}));
  EXPECT_EQ(found->composed[0].matrix, (std::vector<float>(4, 3)));
  EXPECT_EQ(found->composition[0].k, 0.2);
  EXPECT_EQ(found->patchings[0].heads[0].activation, "z");
  EXPECT_EQ(found->patchings[0].heads[0].by_position[0], 0.5);
  EXPECT_TRUE(std::isnan(found->patchings[0].heads[0].by_position[1]));
  EXPECT_FALSE(found->patchings[0].paths[0].to);
  EXPECT_EQ(found->positional[0].by_offset.size(), 2U);
  EXPECT_EQ(found->skipped, (std::vector<std::string>{"a line"}));
}

TEST_F(LoadInspection, DoesWithoutArraysAndWithoutMostKeys) {
  write_text(R"({"format":"lookback inspection 3"})");
  const Result<LensResult> found = load();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->paths.empty() && found->direct.empty() && found->patchings.empty());
}

TEST_F(LoadInspection, ReadsAsManyItemsAsALargeModelHas) {
  // 48 layers of 25 heads have over 700,000 pairs, 30 x 16 just over 100,000.
  json object = whole_inspection();
  object["composition"] =
      std::vector<json>(100'001, json{{"from", place(0, 0)}, {"to", place(1, 0)}});
  write(object);
  const Result<LensResult> found = load();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->composition.size(), 100'001U);
}

TEST_F(LoadInspection, PassesOverWhatHasNoNumber) {
  json object = whole_inspection();
  object["ablation"]["paths"][0]["rise"]["mean"] = nullptr;
  object["ablation"]["heads"][0]["rise"] = "high";
  object["circuits"]["direct"][0]["eigenvalues"] = {{nullptr, 1.0}, {1.0, 1.0}};
  write(object);
  const Result<LensResult> found = load();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->paths.empty() && found->heads.empty());
  EXPECT_EQ(found->direct[0].eigenvalues.size(), 1U);
}

TEST_F(LoadInspection, KnowsNoIntervalThatIsNotTwoNumbersInTheirOrder) {
  for (const char* bad :
       {"null", "3", "[]", "[1]", "[1,2,3]", "[null,6]", "[4,null]", "[\"4\",6]", "[6,4]", "{}"}) {
    json object = whole_inspection();
    object["mechanism"]["cost"]["interval"] = json::parse(bad);
    write(object);
    const Result<LensResult> found = load();
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->mechanism.facts[0].value.mean, 5) << bad;
    EXPECT_FALSE(found->mechanism.facts[0].value.interval) << bad;
  }
}

TEST_F(LoadInspection, CutsTextThatIsTooLongForAPage) {
  json object = whole_inspection();
  object["mechanism"]["reason"] = std::string(most_text_bytes, 'x');
  // Two bytes a character, so that the limit lies within one.
  std::string umlauts = "x";
  while (umlauts.size() <= most_text_bytes) umlauts += "\u00e4";
  object["skipped"] = std::vector<std::string>(most_skipped_lines + 7, "a line");
  object["skipped"][0] = umlauts;
  write(object);
  const Result<LensResult> found = load();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->mechanism.reason.size(), most_text_bytes) << "as much as is allowed";
  EXPECT_EQ(found->skipped[0], umlauts.substr(0, most_text_bytes - 1) + "\u2026");
  ASSERT_EQ(found->skipped.size(), most_skipped_lines + 1);
  EXPECT_EQ(found->skipped.back(), "and 7 more");
}

TEST_F(LoadInspection, RefusesWhatIsNoInspection) {
  EXPECT_NE(error().find("cannot open"), std::string::npos);
  for (const char* bad : {"", "{\"format\":", "[]", "3"}) {
    write_text(bad);
    EXPECT_EQ(error(), "not a JSON object") << bad;
  }
  write_text(R"({"format":"lookback inspection 1"})");
  EXPECT_EQ(error(), "key 'format': expected \"lookback inspection 3\"");
}

TEST_F(LoadInspection, NamesTheKeyOfWhatIsOfTheWrongKind) {
  const auto error_with = [&](const char* pointer, const json& value) {
    json object = whole_inspection();
    object[json::json_pointer(pointer)] = value;
    write(object);
    return error();
  };
  EXPECT_EQ(error_with("/ablation/paths", "none"), "key 'ablation.paths': expected an array");
  EXPECT_EQ(error_with("/ablation/paths/0/to", -1), "key 'ablation.paths': item 0 is malformed");
  EXPECT_EQ(error_with("/ablation/norms/0", 5), "key 'ablation.norms': item 0 is malformed");
  EXPECT_EQ(error_with("/circuits/direct/0/head", nullptr),
            "key 'circuits.direct': item 0 is malformed");
  EXPECT_EQ(error_with("/circuits/direct/0/eigenvalues", {1.0}),
            "key 'circuits.direct': item 0 is malformed");
  EXPECT_EQ(error_with("/circuits/composed/0/from", nullptr),
            "key 'circuits.composed': item 0 is malformed");
  EXPECT_EQ(error_with("/composition/0/to", "x"), "key 'composition': item 0 is malformed");
  EXPECT_EQ(error_with("/patching/0/heads/0/head", nullptr),
            "key 'patching.heads': item 0 is malformed");
  EXPECT_EQ(error_with("/skipped/0", 3), "key 'skipped': item 0 is malformed");
}

TEST_F(LoadInspection, TakesOnlyNamesThatItKnowsWhereTheyBecomeFiles) {
  json object = whole_inspection();
  object["circuits"]["direct"][0]["kind"] = "../../ov";
  write(object);
  EXPECT_EQ(error(), "key 'circuits.direct': item 0 is malformed");
  object = whole_inspection();
  object["patching"][0]["corruption"] = "../match";
  write(object);
  EXPECT_EQ(error(), "key 'patching': item 0 is malformed");
}

TEST_F(LoadInspection, RefusesAMatrixOfAnotherShapeAndADamagedFile) {
  write(whole_inspection());
  for (const std::vector<std::size_t>& shape :
       std::vector<std::vector<std::size_t>>{{3}, {4}, {3, 3}, {1, 4}, {2, 2, 1}, {}, {0, 2}}) {
    write_matrix("circuits/ov/0.0/matrix", shape);
    EXPECT_NE(error(arrays()).find("'circuits/ov/0.0/matrix'"), std::string::npos) << shape.size();
  }
  std::ofstream(arrays()) << "no tensors";
  EXPECT_NE(error(arrays()), "loaded");
}

TEST_F(LoadInspection, AsksForNoMatrixBeyondItsLimit) {
  json object = whole_inspection();
  object["circuits"]["vocabulary"] = 50257;
  write(object);
  std::ofstream(arrays()) << "not even opened";
  EXPECT_TRUE(load());
}

}  // namespace
}  // namespace lookback::report
