#include "lookback/study/verify.h"

#include <fmt/format.h>

#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "lookback/base/file.h"
#include "lookback/base/toml_document.h"
#include "lookback/study/inspect_run.h"
#include "lookback/study/manifest.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/output_place.h"
#include "lookback/study/run_manifest.h"
#include "lookback/study/saved_model.h"
#include "lookback/study/study_directory.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

/// What only an ended run has, and its manifest lists.
std::vector<const char*> end_files() {
  std::vector<const char*> names = {"findings.json", "evaluation.json"};
  names.insert(names.end(), std::begin(inspection_files), std::end(inspection_files));
  return names;
}

class Verifier {
 public:
  Status visit(const fs::path& directory) {
    const Result<std::string> owner = owner_of(directory);
    if (!owner) return owner.error();
    if (*owner == "run") {
      verify_run(directory);
      return {};
    }
    if (*owner == "study") verify_study(directory);
    const auto entries = base::entries_of(directory);
    if (!entries) return entries.error();
    for (const fs::path& entry : *entries) {
      // A link may lead back up.
      if (fs::is_symlink(entry)) continue;
      const Result<fs::file_status> status = base::status_of(entry);
      if (!status) return status.error();
      if (!fs::is_directory(*status)) continue;
      if (Status visited = visit(entry); !visited) return visited;
    }
    return {};
  }

  Verification& found() { return found_; }

 private:
  /// Whose directory it is: "run", "study" or nothing; by its files, and where such a file is gone by the
  /// manifest.
  static Result<std::string> owner_of(const fs::path& directory) {
    const Result<DirectoryKind> kind = kind_of(directory);
    if (!kind) return kind.error();
    if (*kind == DirectoryKind::run) return std::string("run");
    if (*kind == DirectoryKind::study) return std::string("study");
    const Result<std::optional<Manifest>> manifest = read_manifest(directory);
    if (!manifest || !*manifest) return std::string();
    return std::string((*manifest)->owner.contains("study") ? "study" : "run");
  }

  void fault(const std::string& line) { found_.faults.push_back(line); }
  void note(const Status& status) {
    if (!status) fault(status.error().message);
  }

  /// None, with a fault, where it is missing or was changed.
  std::optional<Manifest> manifest_of(const fs::path& directory) {
    Result<std::optional<Manifest>> manifest = read_manifest(directory);
    if (!manifest) {
      fault(manifest.error().message);
    } else if (!*manifest) {
      fault(fmt::format("{}: is missing, so nothing tells whether the files beside it are whole",
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

  void verify_run(const fs::path& run) {
    ++found_.runs;
    const std::optional<Manifest> manifest = manifest_of(run);
    if (manifest) {
      verify_listed(run, *manifest);
      const bool ended = manifest->lists("findings.json");
      if (!ended) ++found_.unfinished;
      if (ended) verify_nothing_unlisted(run, *manifest);
    }
    const Result<std::string> text = base::read_file(run / "config.toml", base::largest_toml);
    if (!text) return fault(text.error().message);
    const Result<RunConfig> config = parse_run_config(*text, (run / "config.toml").string());
    if (!config) return fault(config.error().message);
    const auto metrics = read_metrics(run / "metrics.jsonl", identity_of(*config));
    if (!metrics) fault(metrics.error().message);
    verify_checkpoints(run);
  }

  void verify_nothing_unlisted(const fs::path& run, const Manifest& manifest) {
    for (const char* name : end_files()) {
      const Result<bool> there = base::is_there(run / name);
      if (!there) {
        fault(there.error().message);
      } else if (*there && !manifest.lists(name)) {
        fault(fmt::format("{}: is not in the manifest: put there by hand, or left by a kill",
                          (run / name).string()));
      }
    }
  }

  void verify_checkpoints(const fs::path& run) {
    const auto files = base::entries_of(run / "checkpoints");
    if (!files) return fault(files.error().message);
    for (const fs::path& file : *files) {
      if (file.extension() != ".safetensors") continue;
      ++found_.files;
      const Result<SavedModel> model = read_model(file);
      if (!model) fault(model.error().message);
    }
  }

  void verify_study(const fs::path& directory) {
    ++found_.studies;
    const std::optional<Manifest> manifest = manifest_of(directory);
    if (manifest) verify_listed(directory, *manifest);
    const Result<Study> study = read_study_in(directory);
    if (!study) return fault(study.error().message);
    if (!manifest || !manifest->lists("summary.json")) return;
    for (std::size_t arm = 0; arm < study->arms.size(); ++arm) {
      for (std::uint64_t seed = 0; seed < study->seeds; ++seed) {
        const RunConfig config = study->run(arm, seed);
        const fs::path run = run_directory(directory, config.arm, seed);
        const Result<bool> ended = has_ended_as(config, run);
        if (!ended) {
          fault(ended.error().message);
        } else if (!*ended) {
          fault(fmt::format("{}: this run of a finished study is gone, or has not ended",
                            run.string()));
        }
      }
    }
  }

  Verification found_;
};

}  // namespace

Result<Verification> verify(const fs::path& directory) {
  Verifier verifier;
  if (Status visited = verifier.visit(directory); !visited) return visited.error();
  Verification& found = verifier.found();
  if (found.runs + found.studies > 0) return std::move(found);
  return Error{fmt::format("{}: holds neither a run nor a study", directory.string())};
}

}  // namespace lookback::study
