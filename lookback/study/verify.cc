#include "lookback/study/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "lookback/base/file.h"
#include "lookback/study/manifest.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/opened_run.h"
#include "lookback/study/output_place.h"
#include "lookback/study/run_manifest.h"
#include "lookback/study/saved_model.h"
#include "lookback/study/study_directory.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

/// What a directory is, by its files.
enum class Kind { run, study, other };

class Verifier {
 public:
  /// `study` is the study that contains the directory, or empty.
  Status visit(const fs::path& directory, fs::path study) {
    const Result<Kind> kind = kind_here(directory);
    if (!kind) return kind.error();
    if (*kind == Kind::run) {
      verify_run(directory, study);
      return {};
    }
    if (*kind == Kind::study) {
      verify_study(directory);
      study = directory;
    }
    const auto entries = base::entries_of(directory);
    if (!entries) return entries.error();
    for (const fs::path& entry : *entries) {
      // A link could lead back up.
      if (fs::is_symlink(entry)) continue;
      const Result<fs::file_status> status = base::status_of(entry);
      if (!status) return status.error();
      if (!fs::is_directory(*status)) continue;
      if (Status visited = visit(entry, study); !visited) return visited;
    }
    return {};
  }

  Verification& found() { return found_; }

 private:
  /// If the file that makes a directory a run's or a study's is gone, the manifest shows it; a
  /// changed manifest shows only that it was changed.
  Result<Kind> kind_here(const fs::path& directory) {
    const Result<DirectoryKind> kind = kind_of(directory);
    if (!kind) return kind.error();
    if (*kind == DirectoryKind::run) return Kind::run;
    if (*kind == DirectoryKind::study) return Kind::study;
    const Result<std::optional<Manifest>> manifest = read_manifest(directory);
    if (!manifest) fault(manifest.error().message);
    if (!manifest || !*manifest) return Kind::other;
    return (*manifest)->owner.contains("study") ? Kind::study : Kind::run;
  }

  /// Several checks may report the same fault of a file.
  void fault(const std::string& line) {
    if (std::ranges::count(found_.faults, line) == 0) found_.faults.push_back(line);
  }
  void note(const Status& status) {
    if (!status) fault(status.error().message);
  }

  /// None, with a fault, if it is missing or was changed.
  std::optional<Manifest> manifest_of(const fs::path& directory) {
    Result<std::optional<Manifest>> manifest = read_manifest(directory);
    if (!manifest) {
      fault(manifest.error().message);
    } else if (!*manifest) {
      fault(fmt::format("{}: is missing, so the files beside it cannot be checked",
                        (directory / manifest_name).string()));
    }
    return manifest ? std::move(*manifest) : std::nullopt;
  }

  void verify_listed(const fs::path& directory, const Manifest& manifest) {
    for (const auto& [name, file] : manifest.files) {
      ++found_.files;
      note(check_listed(directory, manifest, name));
    }
  }

  void verify_run(const fs::path& run, const fs::path& study) {
    ++found_.runs;
    const std::optional<Manifest> manifest = manifest_of(run);
    const Result<RunConfig> config = read_run_config(run);
    if (manifest) {
      verify_listed(run, *manifest);
      verify_results(run, *manifest);
      const bool ended = manifest->lists("findings.json");
      if (!ended) ++found_.unfinished;
      if (ended) verify_nothing_unlisted(run, *manifest);
      if (config) verify_owner(run, *manifest, *config);
    }
    if (!config) return fault(config.error().message);
    if (!study.empty()) verify_place(run, study, *config);
    const auto metrics = read_metrics(run / "metrics.jsonl", identity_of(*config));
    if (!metrics) fault(metrics.error().message);
    verify_checkpoints(run, *config);
  }

  /// Impossible numbers, in files that are as they were written.
  void verify_results(const fs::path& run, const Manifest& manifest) {
    for (const char* name : {"findings.json", "inspection.json", "evaluation.json"}) {
      if (!manifest.lists(name) || !check_listed(run, manifest, name)) continue;
      const Result<nlohmann::json> result = read_result(run, manifest, name);
      if (!result) fault(result.error().message);
    }
  }

  void verify_owner(const fs::path& run, const Manifest& manifest, const RunConfig& config) {
    if (is_owner(manifest, config)) return;
    fault(fmt::format("{}: belongs to another run than the config.toml beside it, {} seed {}",
                      (run / manifest_name).string(), config.arm, config.seed));
  }

  /// A run that was copied within its study would count as another.
  void verify_place(const fs::path& run, const fs::path& study, const RunConfig& config) {
    if (run.lexically_relative(study) == run_name(config.arm, config.seed)) return;
    fault(fmt::format("{}: holds the run {} seed {}, which belongs in {}", run.string(), config.arm,
                      config.seed, run_directory(study, config.arm, config.seed).string()));
  }

  void verify_nothing_unlisted(const fs::path& run, const Manifest& manifest) {
    const Result<std::vector<std::string>> unlisted = unlisted_files(run, manifest);
    if (!unlisted) return fault(unlisted.error().message);
    for (const std::string& name : *unlisted) {
      fault(fmt::format(
          "{}: is not in {}, so it was added by hand or left by a killed process; remove it",
          (run / name).string(), manifest_name));
    }
  }

  void verify_checkpoints(const fs::path& run, const RunConfig& config) {
    const auto files = base::entries_of(run / "checkpoints");
    if (!files) return fault(files.error().message);
    for (const fs::path& file : *files) {
      if (file.extension() != ".safetensors") continue;
      ++found_.files;
      note(check_checkpoint(file, config));
    }
  }

  void verify_study(const fs::path& directory) {
    ++found_.studies;
    const std::optional<Manifest> manifest = manifest_of(directory);
    if (manifest) verify_listed(directory, *manifest);
    const Result<Study> study = read_study_in(directory);
    if (!study) return fault(study.error().message);
    const bool is_finished = manifest && manifest->lists("summary.json");
    for (std::size_t arm = 0; arm < study->arms.size(); ++arm) {
      for (std::uint64_t seed = 0; seed < study->seeds; ++seed) {
        const RunConfig config = study->run(arm, seed);
        const fs::path run = run_directory(directory, config.arm, seed);
        const Result<bool> ended = has_ended_as(config, run);
        if (!ended) {
          fault(ended.error().message);
        } else if (is_finished && !*ended) {
          fault(lacking_run(run).message);
        }
      }
    }
  }

  Verification found_;
};

}  // namespace

Result<Verification> verify(const fs::path& directory) {
  Verifier verifier;
  if (Status visited = verifier.visit(directory, {}); !visited) return visited.error();
  Verification& found = verifier.found();
  if (found.runs + found.studies > 0 || !found.faults.empty()) return std::move(found);
  return Error{fmt::format("{}: holds neither a run nor a study", directory.string())};
}

}  // namespace lookback::study
