#include "lookback/cli/write_report.h"

#include <fmt/format.h>

#include "lookback/lens/attention.h"
#include "lookback/report/load_study.h"
#include "lookback/report/page.h"
#include "lookback/report/page_template.h"
#include "lookback/study/run_config.h"
#include "lookback/study/saved_model.h"
#include "lookback/study/study_file.h"

namespace lookback::cli {
namespace {

/// The first held-out sequence of the study's first arm. An arm that cannot run it (its context is
/// shorter, or its vocabulary smaller) gets no maps, and a note says so.
Result<report::HeldOutSequence> held_out_sequence(const study::Study& study) {
  const auto probe = study::probe_source(study.arms.front(), data::BlockKind::repeated_blocks);
  if (!probe) return probe.error();
  return report::HeldOutSequence{(*probe)->sequence(0), (*probe)->structure(0).period};
}

Result<std::vector<report::AttentionMap>> read_attention(const std::filesystem::path& file,
                                                         const report::HeldOutSequence& sequence) {
  const Result<study::SavedModel> saved = study::read_model(file);
  if (!saved) return saved.error();
  auto maps = lens::attention_maps(saved->program, saved->parameters, sequence.tokens);
  if (!maps) return maps.error();
  std::vector<report::AttentionMap> read;
  for (lens::AttentionMap& map : *maps) {
    read.push_back({map.place.layer, map.place.head,
                    fmt::format("layer {}, head {}", map.place.layer, map.place.head),
                    std::move(map.weights)});
  }
  return read;
}

}  // namespace

Result<std::filesystem::path> write_report(const std::filesystem::path& directory) {
  const Result<study::Study> study =
      study::read_study((directory / "study.toml").string(), study::Overrides{});
  if (!study) return study.error();
  const Result<report::HeldOutSequence> sequence = held_out_sequence(*study);
  if (!sequence) return sequence.error();
  const Result<report::StudyReport> loaded =
      report::load_study(directory, *sequence, read_attention);
  if (!loaded) return loaded.error();
  for (const std::string& note : loaded->notes) fmt::print(stderr, "{}\n", note);
  const Result<std::filesystem::path> page =
      report::write_report(directory, *loaded, report::page_template());
  if (!page) return page.error();
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(*page, error);
  return error ? *page : absolute;
}

}  // namespace lookback::cli
