// Everything at once about one model: the parts fit together, and say the same in every form.
#include "lookback/study/inspection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "lookback/base/safetensors.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/study/inspection_json.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using nlohmann::json;

/// The small study's arm at its random start.
SavedModel untrained(std::size_t arm) {
  RunConfig config = spec::parsed(spec::small_study).run(arm, 1);
  Result<model::Program> program = model::compile(config.architecture);
  if (!program) return {};
  std::vector<float> parameters = model::initialize(*program, 1);
  train::CheckpointHeader header{.config = to_toml(config), .seed = 1};
  return {std::move(header), std::move(config), std::move(*program), std::move(parameters)};
}

Inspection inspected(const SavedModel& model, const InspectionOptions& options,
                     std::size_t threads = 1) {
  model::CpuEngine engine(threads);
  Result<Inspection> inspection = inspect(model, options, engine);
  if (!inspection) {
    ADD_FAILURE() << inspection.error().message;
    return {};
  }
  return std::move(*inspection);
}

/// Values of each array by its name.
std::map<std::string, InspectionArray> by_name(const std::vector<InspectionArray>& arrays) {
  std::map<std::string, InspectionArray> named;
  for (const InspectionArray& array : arrays) {
    EXPECT_TRUE(named.emplace(array.name, array).second) << array.name << " is there twice";
  }
  return named;
}

TEST(Inspection, MeasuresEveryProbeAskedForAndIntervenesOnTheFirst) {
  const SavedModel model = untrained(0);
  const InspectionOptions options{.probes = {"random-repeat", "repeated-blocks"}, .sequences = 4};
  const Inspection found = inspected(model, options);
  ASSERT_EQ(found.probes.size(), 2U);
  EXPECT_EQ(found.probes[0].name, "random-repeat");
  EXPECT_EQ(found.probes[1].name, "repeated-blocks");
  EXPECT_EQ(found.ablations.sequences, 4U);
  EXPECT_NEAR(found.ablations.baseline.mean, found.probes[0].result.mean.second_half_loss, 1e-12);
  EXPECT_EQ(found.attention.size(), 2U);
  EXPECT_EQ(found.sequence.size(), 32U);
  EXPECT_EQ(found.patchings.size(), 2U);
  EXPECT_TRUE(found.skipped.empty());
}

TEST(Inspection, PatchesBlocksOfAPeriodThatTheRunWasTrainedOn) {
  SavedModel model = untrained(0);
  const auto patched = [&](const std::string& trained_on) {
    model.config.data.task.kind = trained_on;
    const Inspection found = inspected(model, {.probes = {}, .sequences = 2});
    std::vector<std::size_t> lengths;
    for (const lens::Patching& patching : found.patchings) lengths.push_back(patching.length);
    return lengths;
  };
  using Lengths = std::vector<std::size_t>;
  EXPECT_EQ(patched("repeated-blocks"), (Lengths{10, 10}));  // periods 3 to 8
  EXPECT_EQ(patched("random-repeat"), (Lengths{32, 32}));    // half the sequence
}

TEST(Inspection, WithoutProbesTakesThoseOfTheRun) {
  const Inspection found = inspected(untrained(1), {.probes = {}, .sequences = 2});
  ASSERT_EQ(found.probes.size(), 1U);
  EXPECT_EQ(found.probes[0].name, "repeated-blocks");
}

TEST(Inspection, GivesTheSameBitsOnAnyNumberOfThreads) {
  const SavedModel model = untrained(2);
  const InspectionOptions options{.probes = {}, .sequences = 3};
  const json one = inspection_json(model, inspected(model, options, 1));
  for (const std::size_t threads : {2U, 3U}) {
    EXPECT_EQ(inspection_json(model, inspected(model, options, threads)), one) << threads;
  }
}

TEST(Inspection, RefusesFewerSequencesThanAnIntervalNeeds) {
  model::CpuEngine engine(1);
  const auto refused = inspect(untrained(0), {.probes = {}, .sequences = 1}, engine);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "found 1 sequences, allowed at least 2: an interval needs them");
}

TEST(Inspection, RefusesAProbeThatDoesNotFitTheModel) {
  SavedModel model = untrained(0);
  model.config.data.length = 7;
  model::CpuEngine engine(1);
  const auto refused = inspect(model, {.probes = {"random-repeat"}, .sequences = 2}, engine);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.starts_with("probe 'random-repeat' does not fit the model: "))
      << refused.error().message;
}

TEST(Inspection, LargeModelsGetFewerSequencesOfInterventionsButEight) {
  const SavedModel small = untrained(0);
  EXPECT_EQ(intervention_sequences(small.program, 32, 64), 64U);
  model::Architecture large;
  large.d_model = 768;
  large.heads = 12;
  large.layers = 12;
  large.d_mlp = 3072;
  const Result<model::Program> program = model::compile(large);
  ASSERT_TRUE(program);
  EXPECT_EQ(intervention_sequences(*program, 256, 64), 8U);
  EXPECT_EQ(intervention_sequences(*program, 256, 3), 3U);  // as asked for
}

TEST(InspectionJson, HasEveryPartWithItsUncertainty) {
  const SavedModel model = untrained(0);
  const json found = inspection_json(model, inspected(model, {.probes = {}, .sequences = 3}));
  for (const char* part : {"format", "config", "probes", "composition", "circuits", "ablation",
                           "patching", "mechanism", "skipped"}) {
    EXPECT_TRUE(found.contains(part)) << part;
  }
  const json& probe = found["probes"]["repeated-blocks"];
  EXPECT_TRUE(probe["losses"]["second_half_loss"]["standard_error"].is_number());
  EXPECT_TRUE(probe["losses"]["second_half_loss"]["interval"][1].is_number());
  EXPECT_TRUE(probe["heads"][1]["induction_score"]["standard_error"].is_number());
  EXPECT_TRUE(probe["chance"]["previous_token_score"].is_number());
  EXPECT_EQ(probe["sequences"], 3);
  EXPECT_EQ(found["mechanism"]["verdict"], "none") << "an untrained model has none";
}

TEST(InspectionArrays, AreWhatTheInspectionHolds) {
  const SavedModel model = untrained(0);
  const Inspection inspection = inspected(model, {.probes = {}, .sequences = 3});
  const auto arrays = by_name(inspection_arrays(inspection));
  const auto shape = [&](const char* name) {
    const auto found = arrays.find(name);
    EXPECT_NE(found, arrays.end()) << name;
    return found == arrays.end() ? std::vector<std::size_t>{} : found->second.shape;
  };
  using Shape = std::vector<std::size_t>;
  EXPECT_EQ(shape("sequence"), (Shape{32}));
  EXPECT_EQ(shape("attention/1.0"), (Shape{32, 32}));
  EXPECT_EQ(shape("repeated-blocks/losses"), (Shape{3, 31}));
  EXPECT_EQ(shape("repeated-blocks/induction_score"), (Shape{3, 2}));
  EXPECT_EQ(shape("circuits/ov/0.0/matrix"), (Shape{16, 16}));
  EXPECT_EQ(shape("circuits/k_composition/0.0-1.0/eigenvalues"), (Shape{8, 2}));
  EXPECT_EQ(shape("circuits/k_composition/0.0-1.0/singular_values"), (Shape{8}));
  EXPECT_EQ(shape("positional/0.0/scores"), (Shape{32, 32}));
  EXPECT_EQ(shape("patching/match/k/1.0"), (Shape{10}));  // twice the middle of periods 3 to 8
  const auto& losses = arrays.at("repeated-blocks/losses").values;
  EXPECT_EQ(losses[31], inspection.probes[0].result.sequences[1].losses[0]);
  const auto& eigenvalues = inspection.circuits.direct[0].eigenvalues;
  const auto& pairs = arrays.at("circuits/ov/0.0/eigenvalues").values;
  ASSERT_EQ(pairs.size(), 2 * eigenvalues.size());
  EXPECT_EQ(pairs[2], static_cast<float>(eigenvalues[1].real()));
  EXPECT_EQ(pairs[3], static_cast<float>(eigenvalues[1].imag()));
}

TEST(InspectionArrays, AreReadBackFromTheirFileWithTheModelTheyAreOf) {
  const test::TemporaryDirectory directory;
  SavedModel model = untrained(0);
  model.header.step = 7;
  model.header.tokens = 1792;
  const Inspection inspection = inspected(model, {.probes = {}, .sequences = 2});
  const std::filesystem::path path = directory / "arrays.safetensors";
  const Status written = write_inspection_arrays(path, model, inspection);
  ASSERT_TRUE(written) << written.error().message;
  const auto file = base::SafetensorsFile::read(path);
  ASSERT_TRUE(file) << file.error().message;
  const std::vector<InspectionArray> arrays = inspection_arrays(inspection);
  EXPECT_EQ(file->names().size(), arrays.size());
  for (const InspectionArray& array : arrays) {
    const auto found = file->find(array.name);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->shape, array.shape) << array.name;
    EXPECT_TRUE(std::ranges::equal(found->values, array.values)) << array.name;
  }
  auto metadata = file->metadata();
  EXPECT_FALSE(metadata["version"].empty());
  EXPECT_EQ(metadata["version"].find(' '), std::string::npos) << "a commit would change the bytes";
  for (const char* added : {"version", "checksum"}) metadata.erase(added);
  EXPECT_EQ(metadata, (std::map<std::string, std::string>{{"format", "lookback inspection 3"},
                                                          {"arm", "two-layer"},
                                                          {"seed", "1"},
                                                          {"step", "7"},
                                                          {"tokens", "1792"}}));
}

TEST(InspectionArrays, ReplaceNothingButArraysOfAnInspection) {
  const test::TemporaryDirectory directory;
  const std::filesystem::path path = directory / "file";
  EXPECT_TRUE(check_arrays_file(path)) << "nothing is there";
  const auto write = [&](const std::map<std::string, std::string>& metadata) {
    ASSERT_TRUE(base::write_safetensors(path, {}, metadata));
  };
  write({{"format", "lookback inspection 3"}});
  EXPECT_TRUE(check_arrays_file(path));
  write({{"format", "lookback inspection 2"}});
  EXPECT_TRUE(check_arrays_file(path)) << "also of another version";
  write({{"format", "lookback checkpoint 1"}});
  EXPECT_FALSE(check_arrays_file(path));
  write({});
  EXPECT_FALSE(check_arrays_file(path));
  std::ofstream(path) << "a person's notes";
  EXPECT_FALSE(check_arrays_file(path));
  EXPECT_FALSE(check_arrays_file(directory.path()));
}

}  // namespace
}  // namespace lookback::study
