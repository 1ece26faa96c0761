#include "lookback/report/load_study.h"

#include "lookback/report/study_loader.h"

namespace lookback::report {

Result<StudyReport> load_study(const std::filesystem::path& directory, const StudyReaders& readers,
                               const CheckpointLimits& limits) {
  StudyLoader loader(directory, readers, limits);
  const Result<StudyChanges> read = loader.refresh();
  if (!read) return read.error();
  if (!loader.is_there())
    return Error{directory.string() +
                 ": found no study.toml, allowed: a directory made by `lookback study --out`"};
  if (!loader.faults().empty()) return Error{loader.faults().front()};
  return loader.study();
}

}  // namespace lookback::report
