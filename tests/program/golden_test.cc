// Golden losses: a change that should leave the numbers alone must leave these alone. Where they
// should change, write them again and look at the difference:
//
//     LOOKBACK_UPDATE_GOLDEN=1 build/release/test_program --gtest_filter='*Golden*'
//
// The widest spread seen between AVX2, SSE4 and SCALAR over these 20 steps: 0.03 of what losses.cc
// allows.
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "lookback/base/file.h"
#include "lookback/math/targets.h"
#include "tests/program/losses.h"
#include "tests/program/studies.h"

namespace lookback::program {
namespace {

using nlohmann::json;
using spec::Losses;

const std::filesystem::path golden_file = LOOKBACK_SOURCE_DIR "/tests/program/golden/losses.json";

/// {"arm": {"step": loss}}, every digit.
std::string to_text(const Losses& losses) {
  json object;
  for (const auto& [arm, by_step] : losses) {
    for (const auto& [step, loss] : by_step) object[arm][std::to_string(step)] = loss;
  }
  return object.dump(2) + '\n';
}

Losses read_golden() {
  Losses losses;
  const Result<std::string> text = base::read_file(golden_file, 1 << 20);
  if (!text) {
    ADD_FAILURE() << text.error().message;
    return losses;
  }
  const json object = json::parse(*text);
  for (const auto& [arm, by_step] : object.items()) {
    for (const auto& [step, loss] : by_step.items()) {
      losses[arm][std::stoull(step)] = loss.get<double>();
    }
  }
  return losses;
}

TEST(Golden, LossesOfEveryWiringAreWhatTheyWere) {
  const test::TemporaryDirectory directory;
  const Losses losses = spec::train_six_wirings(directory / "out", "");
  if (std::getenv("LOOKBACK_UPDATE_GOLDEN") != nullptr) {
    const Status written = base::write_file_atomically(golden_file, to_text(losses));
    ASSERT_TRUE(written) << written.error().message;
  }
  const double worst = spec::worst_share(losses, read_golden());
  RecordProperty("share_of_tolerance", std::to_string(worst));
  EXPECT_LE(worst, 1);
}

TEST(SlowInstructionSets, EachIsUsedWhenNamedAndAgreesWithTheGoldenLosses) {
  const Losses golden = read_golden();
  std::map<std::string, Losses> found;
  for (const std::string& name : math::available_instruction_sets()) {
    SCOPED_TRACE(name);
    const test::TemporaryDirectory directory;
    found[name] = spec::train_six_wirings(directory / "out", name);
    const double worst = spec::worst_share(found[name], golden);
    RecordProperty("share_of_tolerance_" + name, std::to_string(worst));
    EXPECT_LE(worst, 1);
  }
  // Vectors of another width add in another order, so the bits tell that the name took effect.
  const std::string best = math::available_instruction_sets().front();
  if (best != "SCALAR") {
    EXPECT_NE(found[best], found["SCALAR"]);
  }
}

}  // namespace
}  // namespace lookback::program
