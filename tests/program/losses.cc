#include "tests/program/losses.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "lookback/base/file.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/run_config.h"
#include "lookback/study/run_manifest.h"
#include "tests/program/studies.h"

namespace lookback::program::spec {

Losses train_six_wirings(const std::filesystem::path& out, const std::string& instruction_set) {
  const test::TemporaryDirectory directory;
  Command command =
      lookback({"study", write_study(directory, six_wirings()), "--threads", "2", "--out", out});
  command.environment["LOOKBACK_ISA"] = instruction_set;
  const Ended ended = run(command);
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  Losses losses;
  for (const auto& arm : std::filesystem::directory_iterator(out)) {
    const std::filesystem::path run = arm.path() / "seed-0";
    if (!std::filesystem::exists(run / "config.toml")) continue;
    const auto config = study::parse_run_config(*base::read_file(run / "config.toml", 1 << 20), "");
    if (!config) ADD_FAILURE() << config.error().message;
    if (!config) continue;
    const auto lines = study::read_metrics(run / "metrics.jsonl", study::identity_of(*config));
    if (!lines) ADD_FAILURE() << lines.error().message;
    if (!lines || lines->empty()) continue;
    for (const nlohmann::json& line : *lines) {
      const std::uint64_t step = line["step"].get<std::uint64_t>();
      if (step == 0) continue;
      losses[arm.path().filename().string()][step] = line["train_loss"].get<double>();
    }
  }
  return losses;
}

// Let u = 2^-24. The longest chain of roundings between a parameter and the loss, and back to its
// gradient, is about the sum of the inner sizes of all products, forward and backward: two layers of
// Q K^T (8), A V (32), projections (3 x 16 + 8), MLP (16 + 24), the unembedding (16), norms (5 x 16),
// about 300, and where roundings are independent they add up as their root: c = sqrt(300). So a loss
// errs by c u loss, and gradient i by c u G_i, with G_i the size of what is summed up in it. AdamW
// moves a number by its rate times g_i / |g_i| (about), so in n steps the error moves parameter i by up
// to rate n c u G_i / |g_i|, and the loss by |g_i| times that: g_i cancels. Over all N parameters it is
// c u rate n sum G_i, and sum G_i <= sqrt(N) |G|, where |G| is near the norm of the gradient, which is
// clipped to 1.
// The widest spread that was seen between instruction sets is in golden_test.cc.
double allowed_difference(std::uint64_t step, double loss) {
  constexpr double u = 0x1p-24, chain = 300, rate = 3e-3, parameters = 4000;
  return std::sqrt(chain) * u *
         (loss + rate * static_cast<double>(step - 1) * std::sqrt(parameters));
}

double worst_share(const Losses& a, const Losses& b) {
  double worst = 0;
  EXPECT_EQ(a.size(), b.size());
  for (const auto& [arm, losses] : a) {
    const auto other = b.find(arm);
    if (other == b.end() || other->second.size() != losses.size()) {
      ADD_FAILURE() << arm << " has other steps";
      continue;
    }
    for (const auto& [step, loss] : losses) {
      const auto same = other->second.find(step);
      if (same == other->second.end()) {
        ADD_FAILURE() << arm << " has no step " << step;
        continue;
      }
      worst = std::max(worst, std::abs(loss - same->second) / allowed_difference(step, loss));
    }
  }
  return worst;
}

}  // namespace lookback::program::spec
