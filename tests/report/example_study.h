// A small study for the tests: two arms, sequences of four tokens, two heads an arm.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lookback/report/study_report.h"

namespace lookback::report::test {

inline constexpr std::size_t length = 4;

/// Uniform causal attention, [T, T].
inline std::vector<float> uniform_map(std::size_t positions = length) {
  std::vector<float> weights(positions * positions, 0.0F);
  for (std::size_t query = 0; query < positions; ++query) {
    for (std::size_t source = 0; source <= query; ++source) {
      weights[query * positions + source] = 1.0F / static_cast<float>(query + 1);
    }
  }
  return weights;
}

/// One line of metrics; head 1 has the larger score.
inline nlohmann::json record(std::uint64_t tokens, double score, double loss) {
  return {{"tokens", tokens},
          {"main_probe", "repeated-blocks"},
          {"probes",
           {{"repeated-blocks",
             {{"second_half_loss", loss},
              {"loss_by_position", {5.5, loss, loss}},
              {"heads",
               {{{"layer", 0},
                 {"head", 0},
                 {"induction_score", score / 2},
                 {"induction_chance", 0.25},
                 {"previous_token_score", 0.9}},
                {{"layer", 0},
                 {"head", 1},
                 {"induction_score", score},
                 {"induction_chance", 0.25},
                 {"previous_token_score", 0.1}}}}}},
            {"broken-period", {{"second_half_loss", loss + 0.5}}}}}};
}

/// Maps of two heads, and one circuit of two tokens.
inline CheckpointContents example_contents() {
  CheckpointContents contents;
  for (const std::size_t head : {std::size_t{0}, std::size_t{1}}) {
    contents.maps.push_back({0, head, "layer 0, head " + std::to_string(head), uniform_map()});
  }
  contents.side = 2;
  contents.circuits = {{"k_composition",
                        LensHead{1, 0},
                        LensHead{0, 1},
                        {{2.0, 0.25}, {-1.0, 0.0}},
                        0.123456,
                        3.5,
                        {1.0F, 0.0F, 0.0F, -4.0F}}};
  return contents;
}

inline Run example_run(std::uint64_t seed, double final_score) {
  Run run;
  run.seed = seed;
  run.metrics = {record(1000, 0.25, 5.0), record(10000, final_score, 1.0)};
  run.summary = {{"seed", seed}, {"status", "finished"}, {"transition_tokens", 5000.4}};
  for (const std::uint64_t tokens : {std::uint64_t{0}, std::uint64_t{1000}, std::uint64_t{10000}}) {
    run.checkpoints.push_back(std::make_shared<const EncodedCheckpoint>(
        encode_checkpoint(example_contents(), tokens, length)));
  }
  return run;
}

inline StudyReport example_study() {
  StudyReport study;
  study.name = "example";
  study.question = "Does it look back?";
  study.arms = {{"composed",
                 100,
                 {example_run(0, 0.8), example_run(1, 0.7)},
                 "[run]\narm = \"composed\"\n",
                 64},
                {"alone", 90, {example_run(0, 0.3)}, "", 64}};
  study.sequence = {{7, 9, 7, 9}, 2};
  return study;
}

}  // namespace lookback::report::test
