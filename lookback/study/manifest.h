// The manifest of a run's or a study's directory: which files belong to it, by size and checksum,
// whose they are and what made them. So whoever reads a file that was changed, truncated or brought
// from elsewhere detects that.
//
// A file that the manifest does not list does not count: it is still being made, or was left by a
// killed process. So a new file is written first and listed last. A listed file that is replaced is
// first announced: between the two writes both its old and its new contents are valid, and a kill
// at any instant leaves a directory whose files agree with its manifest.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/checksum.h"
#include "lookback/base/result.h"

namespace lookback::study {

inline constexpr const char* manifest_name = "manifest.json";

struct Manifest {
  /// What one listed file holds.
  struct File {
    base::FileSum sum;
    std::optional<base::FileSum> announced = {};  ///< what is about to replace it
    /// Those that gave its numbers, where the stretches of training (`made_by`) do not say.
    std::set<std::string> engines = {};

    bool operator==(const File&) const = default;
  };

  nlohmann::json owner = nlohmann::json::object();  ///< the run or study that the files belong to
  nlohmann::json made_by =
      nlohmann::json::array();             ///< of a run: program and machine of each stretch
  std::map<std::string, File> files = {};  ///< by path from the directory, "/" between names

  bool lists(const std::string& name) const { return files.contains(name); }
};

/// The manifest of a directory, if there is one. Errors: it cannot be read, or was changed.
Result<std::optional<Manifest>> read_manifest(const std::filesystem::path& directory);

/// The same for whoever would make a changed one again. Errors: it cannot be read now.
enum class ManifestState { missing, changed, whole };
struct FoundManifest {
  ManifestState state = ManifestState::missing;
  Manifest manifest;  ///< empty unless it is whole
  std::string stamp;  ///< a checksum of the file, empty where there is none
};
Result<FoundManifest> find_manifest(const std::filesystem::path& directory);

/// Changes the manifest of a directory, or starts one, while no other process does the same.
Status update_manifest(const std::filesystem::path& directory,
                       const std::function<void(Manifest&)>& change);

/// Lists existing files as they are now. Errors: one cannot be read.
Status list_files(const std::filesystem::path& directory, std::span<const std::string> names,
                  const std::set<std::string>& engines = {});

/// From now on these do not count, whether they exist or not.
Status unlist_files(const std::filesystem::path& directory, std::span<const std::string> names);

/// Removes files that may be there or not, first from the manifest, then from the directory.
Status remove_listed(const std::filesystem::path& directory, std::span<const std::string> names);

/// Writes a JSON file and lists it, killed in between or not.
Status write_listed(const std::filesystem::path& directory, const std::string& name,
                    std::string_view text, const std::set<std::string>& engines = {});

/// The contents of a JSON file, if they are what the manifest says. Errors: those of
/// base::read_file, of more than base::largest_json; it is not listed; it was changed since it was
/// written.
Result<std::string> read_listed(const std::filesystem::path& directory, const Manifest& manifest,
                                const std::string& name);
/// The object in it. Errors: also contents that are not a JSON object.
Result<nlohmann::json> read_listed_object(const std::filesystem::path& directory,
                                          const Manifest& manifest, const std::string& name);

/// How a listed file compares with the manifest. Errors: it cannot be read now; it is not listed.
enum class FileState { missing, changed, same };
Result<FileState> state_of_listed(const std::filesystem::path& directory, const Manifest& manifest,
                                  const std::string& name);

/// The same, but anything except `same` is an error that says what to do.
Status check_listed(const std::filesystem::path& directory, const Manifest& manifest,
                    const std::string& name);

/// An error that names the file, says that it was changed, and says what to do about it.
Error changed_file(const std::filesystem::path& path);

/// How to repair a file of a run or study, by its name.
std::string remedy_of(const std::filesystem::path& file);

}  // namespace lookback::study
