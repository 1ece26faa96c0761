// Files that results depend on, and which of them scripts/get-data verifies.
#include "lookback/language/data_file.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/language/evaluation_data.h"
#include "tests/language/shared_data.h"

namespace lookback::language {
namespace {

TEST(DataFile, IsNamedByItsBytes) {
  EXPECT_EQ(to_json(data_file("a.txt", "abc")),
            nlohmann::json::parse(R"({"file": "a.txt", "bytes": 3, "verified_as": null, "sha256":
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"})"));
}

// One of each kind that scripts/data-sources.toml has.
TEST(DataFile, IsFoundAmongThoseThatGetDataVerifies) {
  const auto path = [](std::string_view sha256) { return get_data_path(sha256).value_or("none"); };
  // A file of one archive; "books" has it too.
  EXPECT_EQ(path("71b0923d75fcf2f1faa897b22da8de8e2476d7478a2b22388eb58a3420e00215"),
            "text/austen-emma.txt");
  // A publisher's file, and one that get-data converts.
  EXPECT_EQ(path("1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"),
            "tokenizer/vocab.bpe");
  EXPECT_EQ(path("411bfbe5b9054346b6a19299c0242670adbefb9162efd958593cbc0290b8c9dc"),
            "evals/lambada_openai.jsonl");
  // A book by the edition that results learned from.
  EXPECT_EQ(path("baf9b04fcf6e0008f30eaaa6697277751448c1070b20175e0082f28cbb161fd3"),
            "books/moby_dick_pg2701.txt");
  // A download that is none of its files.
  EXPECT_EQ(path("6d2d5ab50b2ceec6ba5f79c921be77cf2de712ea25a2b3f4fff3acc101cecfa0"), "none");
  EXPECT_EQ(path(""), "none");
}

TEST(DataFile, EveryEvaluationFileAtHandIsOneThatGetDataVerifies) {
  if (!spec::is_there(evaluation_data())) GTEST_SKIP() << evaluation_data() << " is not there";
  for (const auto& entry : std::filesystem::directory_iterator(evaluation_data())) {
    const std::string name = entry.path().filename().string();
    const DataFile file = data_file(name, spec::contents(entry.path()));
    EXPECT_EQ(get_data_path(file.sha256).value_or("none"), "evals/" + name);
  }
}

}  // namespace
}  // namespace lookback::language
