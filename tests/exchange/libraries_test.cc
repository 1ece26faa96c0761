// Exports in the hands of the programs they are for: loaded by them, run, and every activation held
// against ours; and, with NumPy alone, read from the exported files and run by the reference.
#include <gtest/gtest.h>

#include <cstdio>

#include "lookback/exchange/export.h"
#include "tests/base/temporary_directory.h"
#include "tests/exchange/activations.h"
#include "tests/exchange/models.h"
#include "tests/exchange/python.h"

namespace lookback::exchange {
namespace {

/// Exports all models, each into a directory of its name with our activations beside it.
std::vector<std::string> export_all(const std::vector<spec::Named>& models, Target target,
                                    const test::TemporaryDirectory& directory) {
  std::vector<std::string> folders;
  for (const spec::Named& named : models) {
    const study::SavedModel model = spec::make_model(named.architecture);
    const std::filesystem::path folder = directory / named.name;
    const Status exported = write_export(model, target, folder);
    EXPECT_TRUE(exported) << named.name << ": " << exported.error().message;
    const Status written = spec::write_activations(model, folder / "expected.safetensors");
    EXPECT_TRUE(written) << named.name << ": " << written.error().message;
    folders.push_back(folder.string());
  }
  return folders;
}

spec::Answer check(const std::string& python, const std::string& script, Target target,
                   const std::vector<std::string>& folders, const std::string& version = "") {
  std::vector<std::string> arguments{target_names()[static_cast<std::size_t>(target)] + version};
  arguments.insert(arguments.end(), folders.begin(), folders.end());
  return spec::run_python(python, script, arguments);
}

/// Whether it ran; prints what was measured.
bool agrees(const spec::Answer& answer) {
  if (answer.exit_code == 77) return false;
  EXPECT_EQ(answer.exit_code, 0) << answer.text;
  std::printf("%s", answer.text.c_str());
  return true;
}

constexpr const char* with_libraries = "check_libraries.py";
constexpr const char* with_numpy = "check_exports.py";

TEST(SlowLibraries, TransformerLensLoadsEveryWeightAndComputesEveryActivation) {
  const test::TemporaryDirectory directory;
  constexpr Target target = Target::transformer_lens;
  const auto folders = export_all(spec::for_transformer_lens(), target, directory);
  const auto answer = check(spec::python_with_libraries(), with_libraries, target, folders);
  if (!agrees(answer)) GTEST_SKIP() << answer.text;
}

TEST(SlowLibraries, TransformerLens4LoadsEveryWeightAndComputesEveryActivation) {
  const test::TemporaryDirectory directory;
  constexpr Target target = Target::transformer_lens;
  const auto folders = export_all(spec::for_transformer_lens(), target, directory);
  const auto answer =
      check(spec::python_with_transformer_lens_4(), with_libraries, target, folders, "-4");
  if (!agrees(answer)) GTEST_SKIP() << answer.text;
}

TEST(SlowLibraries, Gpt2LmHeadModelLoadsEveryWeightAndComputesTheSame) {
  const test::TemporaryDirectory directory;
  constexpr Target target = Target::huggingface;
  const auto folders = export_all(spec::for_huggingface(), target, directory);
  const auto answer = check(spec::python_with_libraries(), with_libraries, target, folders);
  if (!agrees(answer)) GTEST_SKIP() << answer.text;
}

TEST(SlowLibraries, TheTorchModuleComputesEveryActivationOfEveryWiring) {
  const test::TemporaryDirectory directory;
  constexpr Target target = Target::torch;
  auto folders = export_all(spec::for_torch_alone(), target, directory);
  const auto more = export_all(spec::for_transformer_lens(), target, directory);
  folders.insert(folders.end(), more.begin(), more.end());
  const auto answer = check(spec::python_with_libraries(), with_libraries, target, folders);
  if (!agrees(answer)) GTEST_SKIP() << answer.text;
}

TEST(SlowExports, NumPyComputesTheLogitsFromTheFilesForTransformerLens) {
  const test::TemporaryDirectory directory;
  constexpr Target target = Target::transformer_lens;
  const auto folders = export_all(spec::for_transformer_lens(), target, directory);
  const auto answer = check(spec::system_python, with_numpy, target, folders);
  if (!agrees(answer)) GTEST_SKIP() << answer.text;
}

TEST(SlowExports, NumPyComputesTheLogitsFromTheFilesForHuggingFace) {
  const test::TemporaryDirectory directory;
  constexpr Target target = Target::huggingface;
  const auto folders = export_all(spec::for_huggingface(), target, directory);
  const auto answer = check(spec::system_python, with_numpy, target, folders);
  if (!agrees(answer)) GTEST_SKIP() << answer.text;
}

TEST(SlowExports, NumPyComputesTheLogitsFromTheFilesForTorch) {
  const test::TemporaryDirectory directory;
  constexpr Target target = Target::torch;
  const auto folders = export_all(spec::for_torch_alone(), target, directory);
  const auto answer = check(spec::system_python, with_numpy, target, folders);
  if (!agrees(answer)) GTEST_SKIP() << answer.text;
}

}  // namespace
}  // namespace lookback::exchange
