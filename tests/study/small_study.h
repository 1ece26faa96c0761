// A study of three small arms, and a listener that keeps what it hears.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "lookback/base/file.h"
#include "lookback/study/study.h"
#include "lookback/study/study_file.h"

namespace lookback::study::spec {

inline constexpr const char* small_study = R"(name = "small"
question = "Does it run?"
[model]
vocabulary = 16
context = 32
d_model = 16
d_head = 8
[data]
period = [3, 8]
[train]
tokens = 2560
batch = 8
shards = 4
learning_rate = 3e-3
warmup_steps = 2
evaluations_per_decade = 4
checkpoints_per_decade = 2
[evaluate]
sequences = 4
probes = ["repeated-blocks"]
inspect = false
[[arm]]
name = "two-layer"
[arm.model]
layers = 2
[[arm]]
name = "parallel"
[arm.model]
heads = 2
[[arm]]
name = "sequential"
[arm.model]
steps = 2
)";

/// The small study with one piece of its text replaced.
inline std::string changed(const std::string& from, const std::string& to) {
  std::string text = small_study;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

inline Study parsed(const std::string& text, const Overrides& overrides = {}) {
  Result<Study> study = parse_study(text, "small.toml", overrides);
  if (study) return std::move(*study);
  ADD_FAILURE() << study.error().message;
  return {};
}

/// Remembers what it hears; requests a stop where `when`, asked after every step, says so.
class Listening : public Listener {
 public:
  explicit Listening(std::function<bool()> when = [] { return false; }) : when_(std::move(when)) {}
  void message(const std::string& line) override { messages.push_back(line); }
  void progress(const Progress& progress) override {
    heard.push_back(progress);
    if (when_()) source.request_stop();
  }
  std::stop_token stop_token() const override { return source.get_token(); }

  std::vector<std::string> messages;
  std::vector<Progress> heard;
  std::stop_source source;

 private:
  std::function<bool()> when_;
};

inline std::string text_of(const std::filesystem::path& file) {
  const Result<std::string> text = base::read_file(file, std::size_t{1} << 26);
  if (text) return *text;
  ADD_FAILURE() << text.error().message;
  return {};
}

inline nlohmann::json json_of(const std::filesystem::path& file) {
  return nlohmann::json::parse(text_of(file), nullptr, false);
}

}  // namespace lookback::study::spec
