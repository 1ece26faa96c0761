// Models that other libraries made and saved: imported, run, and held against what those libraries
// compute with them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "lookback/exchange/export.h"
#include "lookback/exchange/import.h"
#include "tests/base/temporary_directory.h"
#include "tests/exchange/activations.h"
#include "tests/exchange/models.h"
#include "tests/exchange/python.h"

namespace lookback::exchange {
namespace {

/// Imports every folder and puts our activations beside it.
void compute_in(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    const Result<study::SavedModel> model = import_model(folder);
    ASSERT_TRUE(model) << model.error().message;
    const Status written =
        spec::write_activations(*model, std::filesystem::path(folder) / "expected.safetensors");
    ASSERT_TRUE(written) << written.error().message;
  }
}

/// Has the library run the models of these folders, and compares.
void expect_agreement(const std::string& library, const std::vector<std::string>& folders) {
  std::vector<std::string> arguments{library};
  arguments.insert(arguments.end(), folders.begin(), folders.end());
  const spec::Answer answer =
      spec::run_python(spec::python_with_libraries(), "check_libraries.py", arguments);
  EXPECT_EQ(answer.exit_code, 0) << answer.text;
  std::printf("%s", answer.text.c_str());
}

TEST(SlowForeignModels, WhatTransformersSavedComputesTheSameHere) {
  const test::TemporaryDirectory directory;
  const spec::Answer made = spec::run_python(spec::python_with_libraries(), "make_models.py",
                                             {"huggingface", directory.path().string()});
  if (made.exit_code == 77) GTEST_SKIP() << made.text;
  ASSERT_EQ(made.exit_code, 0) << made.text;
  const std::vector<std::string> folders{directory / "tied", directory / "untied"};
  compute_in(folders);
  expect_agreement("huggingface", folders);
}

TEST(SlowForeignModels, WhatTransformerLensSavedComputesTheSameHere) {
  const test::TemporaryDirectory directory;
  std::vector<std::string> folders;
  for (const spec::Named& named : spec::for_transformer_lens()) {
    if (named.architecture.positions == model::Positions::none) continue;  // there they are learned
    folders.push_back(directory / named.name);
    const study::SavedModel model = spec::make_model(named.architecture);
    ASSERT_TRUE(write_export(model, Target::transformer_lens, folders.back()));
  }
  const spec::Answer made = spec::run_python(spec::python_with_libraries(), "make_models.py",
                                             {"transformer-lens", directory.path().string()});
  if (made.exit_code == 77) GTEST_SKIP() << made.text;
  ASSERT_EQ(made.exit_code, 0) << made.text;
  compute_in(folders);
  expect_agreement("transformer-lens", folders);
}

TEST(ForeignModels, AGpt2OfTheUsersOwnIsImported) {
  const char* folder = std::getenv("LOOKBACK_GPT2");
  if (folder == nullptr) {
    GTEST_SKIP() << "LOOKBACK_GPT2 names no directory with a GPT-2 of Hugging Face's";
  }
  const Result<study::SavedModel> model = import_model(folder);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_TRUE(model->config.architecture.biases);
  EXPECT_EQ(model->config, import_config(model->config.architecture));
  const test::TemporaryDirectory directory;
  ASSERT_TRUE(write_export(*model, Target::huggingface, directory / "again"));
  const Result<study::SavedModel> again = import_model(directory / "again");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->parameters, model->parameters);
  const Status written = spec::write_activations(*model, directory / "again/expected.safetensors");
  ASSERT_TRUE(written) << written.error().message;
  const spec::Answer answer = spec::run_python(spec::system_python, "check_exports.py",
                                               {"huggingface", (directory / "again").string()});
  EXPECT_TRUE(answer.exit_code == 0 || answer.exit_code == 77) << answer.text;
}

}  // namespace
}  // namespace lookback::exchange
