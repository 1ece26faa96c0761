#include "lookback/study/manifest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/base/json_file.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* manifest_format = "lookback manifest 1";
constexpr const char* how_to_make_anew = "the command that made it makes it anew with --resume";

/// Held while a manifest is read, changed and written: commands may list what they made in a directory
/// while a study is at work there. A file system without locks is used without.
class ManifestLock {
 public:
  explicit ManifestLock(const fs::path& directory)
      : descriptor_(
            ::open((directory / ".manifest-lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)),
        error_(descriptor_ < 0 ? errno : 0) {
    if (descriptor_ < 0) return;
    while (::flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~ManifestLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  ManifestLock(const ManifestLock&) = delete;
  ManifestLock& operator=(const ManifestLock&) = delete;

  Status status(const fs::path& directory) const {
    if (error_ == 0) return {};
    return Error{fmt::format("{}: cannot open: {}", (directory / ".manifest-lock").string(),
                             std::generic_category().message(error_))};
  }

 private:
  int descriptor_;
  int error_;
};

json sum_json(const base::FileSum& sum) {
  return {{"bytes", sum.bytes}, {"checksum", sum.checksum}};
}

std::optional<base::FileSum> sum_in(const json& object) {
  const auto bytes = base::find_count(object, {"bytes"});
  const std::string checksum = base::find_text(object, {"checksum"});
  if (!bytes || checksum.empty()) return std::nullopt;
  return base::FileSum{*bytes, checksum};
}

/// The manifest's own checksum is of the text of everything else.
std::string text_of(const Manifest& manifest) {
  json object = {{"format", manifest_format},
                 {"owner", manifest.owner},
                 {"made_by", manifest.made_by},
                 {"files", json::object()}};
  for (const auto& [name, file] : manifest.files) {
    object["files"][name] = sum_json(file.sum);
    if (file.announced) object["files"][name]["announced"] = sum_json(*file.announced);
  }
  object["checksum"] = base::checksum_text({base::bytes_of(object.dump())});
  return object.dump(2) + '\n';
}

std::optional<Manifest> manifest_in(json object) {
  const std::string checksum = base::find_text(object, {"checksum"});
  object.erase("checksum");
  if (base::find_text(object, {"format"}) != manifest_format) return std::nullopt;
  if (checksum != base::checksum_text({base::bytes_of(object.dump())})) return std::nullopt;
  Manifest manifest;
  const json files = object.value("files", json());
  if (!files.is_object()) return std::nullopt;
  for (const auto& [name, record] : files.items()) {
    const auto sum = sum_in(record);
    if (!sum) return std::nullopt;
    manifest.files[name].sum = *sum;
    const json* announced = base::find_value(record, {"announced"});
    if (announced != nullptr) manifest.files[name].announced = sum_in(*announced);
  }
  manifest.owner = object.value("owner", json::object());
  manifest.made_by = object.value("made_by", json::array());
  if (!manifest.owner.is_object() || !manifest.made_by.is_array()) return std::nullopt;
  return manifest;
}

struct Found {
  ManifestState state = ManifestState::missing;
  Manifest manifest;
};

Result<Found> find_manifest(const fs::path& directory) {
  const fs::path path = directory / manifest_name;
  const Result<bool> there = base::is_there(path);
  if (!there) return there.error();
  if (!*there) return Found{};
  const Result<std::string> text = base::read_file(path, base::largest_json);
  if (!text) return text.error();
  json object = base::parse_json(*text);
  std::optional<Manifest> manifest;
  if (object.is_object()) manifest = manifest_in(std::move(object));
  // Byte by byte: a space more between two keys was no change of ours either.
  if (!manifest || text_of(*manifest) != *text) return Found{ManifestState::changed, {}};
  return Found{ManifestState::whole, std::move(*manifest)};
}

/// REQUIRES that the caller holds the manifest's lock.
Status change_locked(const fs::path& directory, const std::function<void(Manifest&)>& change) {
  const Result<std::optional<Manifest>> there = read_manifest(directory);
  if (!there) return there.error();
  Manifest manifest = *there ? **there : Manifest();
  change(manifest);
  return base::write_json_text(directory / manifest_name, text_of(manifest));
}

bool is_valid(const Manifest::File& file, const base::FileSum& found) {
  return found == file.sum || found == file.announced;
}

Result<Manifest::File> record_of(const fs::path& directory, const Manifest& manifest,
                                 const std::string& name) {
  const auto file = manifest.files.find(name);
  if (file != manifest.files.end()) return file->second;
  return Error{fmt::format("{}: not in {}: it is unfinished, or was put there by hand; {}",
                           (directory / name).string(), manifest_name, how_to_make_anew)};
}

}  // namespace

Error changed_file(const fs::path& path) {
  return Error{
      fmt::format("{}: was changed after lookback wrote it; {}", path.string(), how_to_make_anew)};
}

Result<ManifestState> state_of_manifest(const fs::path& directory) {
  const Result<Found> found = find_manifest(directory);
  if (!found) return found.error();
  return found->state;
}

Result<std::optional<Manifest>> read_manifest(const fs::path& directory) {
  const Result<Found> found = find_manifest(directory);
  if (!found) return found.error();
  if (found->state == ManifestState::changed) return changed_file(directory / manifest_name);
  return found->state == ManifestState::whole ? std::optional(found->manifest) : std::nullopt;
}

Status update_manifest(const fs::path& directory, const std::function<void(Manifest&)>& change) {
  const ManifestLock lock(directory);
  if (Status locked = lock.status(directory); !locked) return locked;
  return change_locked(directory, change);
}

Status list_files(const fs::path& directory, std::span<const std::string> names) {
  std::map<std::string, Manifest::File> found;
  for (const std::string& name : names) {
    Result<base::FileSum> sum = base::sum_of_file(directory / name);
    if (!sum) return sum.error();
    found[name] = {std::move(*sum)};
  }
  return update_manifest(directory, [&](Manifest& manifest) {
    for (const auto& [name, file] : found) manifest.files[name] = file;
  });
}

Status unlist_files(const fs::path& directory, std::span<const std::string> names) {
  return update_manifest(directory, [&](Manifest& manifest) {
    for (const std::string& name : names) manifest.files.erase(name);
  });
}

Status write_listed(const fs::path& directory, const std::string& name, std::string_view text) {
  const ManifestLock lock(directory);
  if (Status locked = lock.status(directory); !locked) return locked;
  const base::FileSum sum = base::sum_of(text);
  const Result<std::optional<Manifest>> before = read_manifest(directory);
  if (!before) return before.error();
  if (*before && (*before)->lists(name)) {
    Status announced =
        change_locked(directory, [&](Manifest& manifest) { manifest.files[name].announced = sum; });
    if (!announced) return announced;
  }
  if (Status written = base::write_json_text(directory / name, text); !written) return written;
  return change_locked(directory, [&](Manifest& manifest) { manifest.files[name] = {sum}; });
}

Result<std::string> read_listed(const fs::path& directory, const Manifest& manifest,
                                const std::string& name) {
  const Result<Manifest::File> file = record_of(directory, manifest, name);
  if (!file) return file.error();
  Result<std::string> text = base::read_file(directory / name, base::largest_json);
  if (!text) return text;
  if (!is_valid(*file, base::sum_of(*text))) return changed_file(directory / name);
  return text;
}

Result<json> read_listed_object(const fs::path& directory, const Manifest& manifest,
                                const std::string& name) {
  const Result<std::string> text = read_listed(directory, manifest, name);
  if (!text) return text.error();
  json object = base::parse_json(*text);
  if (!object.is_object())
    return Error{fmt::format("{}: not a JSON object", (directory / name).string())};
  return object;
}

Result<FileState> state_of_listed(const fs::path& directory, const Manifest& manifest,
                                  const std::string& name) {
  const Result<Manifest::File> file = record_of(directory, manifest, name);
  if (!file) return file.error();
  const fs::path path = directory / name;
  const Result<bool> there = base::is_there(path);
  if (!there) return there.error();
  if (!*there) return FileState::missing;
  const Result<base::FileSum> sum = base::sum_of_file(path);
  if (!sum) return sum.error();
  return is_valid(*file, *sum) ? FileState::same : FileState::changed;
}

Status check_listed(const fs::path& directory, const Manifest& manifest, const std::string& name) {
  const Result<FileState> state = state_of_listed(directory, manifest, name);
  if (!state) return state.error();
  const fs::path path = directory / name;
  if (*state == FileState::changed) return changed_file(path);
  if (*state == FileState::same) return {};
  return Error{fmt::format("{}: is missing; {}", path.string(), how_to_make_anew)};
}

}  // namespace lookback::study
