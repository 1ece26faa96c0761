#include "lookback/study/manifest.h"

#include <fmt/format.h>

#include <utility>

#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/base/json_file.h"
#include "lookback/model/engine.h"
#include "lookback/study/locked_file.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* manifest_format = "lookback manifest 1";

/// Held while a manifest is read, changed and written, because commands may list what they made in
/// a directory while a study is at work there.
Result<LockedFile> lock_manifest(const fs::path& directory) {
  return LockedFile::take(directory / ".manifest-lock", LockedFile::Wait::yes);
}

json sum_json(const base::FileSum& sum) {
  return {{"bytes", sum.bytes}, {"checksum", sum.checksum}};
}

std::optional<base::FileSum> sum_in(const json& object) {
  const auto bytes = base::find_count(object, {"bytes"});
  const std::string checksum = base::find_text(object, {"checksum"});
  if (!bytes || checksum.empty()) return std::nullopt;
  return base::FileSum{*bytes, checksum};
}

/// The manifest's own checksum covers the text of everything else.
std::string text_of(const Manifest& manifest) {
  json object = {{"format", manifest_format},
                 {"owner", manifest.owner},
                 {"made_by", manifest.made_by},
                 {"files", json::object()}};
  for (const auto& [name, file] : manifest.files) {
    object["files"][name] = sum_json(file.sum);
    if (file.announced) object["files"][name]["announced"] = sum_json(*file.announced);
    if (!file.engines.empty()) object["files"][name]["engines"] = file.engines;
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
    for (const json& engine : base::find_array(record, {"engines"})) {
      if (!engine.is_string()) return std::nullopt;
      manifest.files[name].engines.insert(engine.get<std::string>());
    }
    for (const json& set : base::find_array(record, {"instruction_sets"})) {  // of earlier versions
      if (!set.is_string()) return std::nullopt;
      manifest.files[name].engines.insert(model::signature_of(set.get<std::string>()));
    }
  }
  manifest.owner = object.value("owner", json::object());
  manifest.made_by = object.value("made_by", json::array());
  if (!manifest.owner.is_object() || !manifest.made_by.is_array()) return std::nullopt;
  return manifest;
}

Status change_locked(const fs::path& directory, const LockedFile& lock,
                     const std::function<void(Manifest&)>& change) {
  const Result<std::optional<Manifest>> there = read_manifest(directory);
  if (!there) return there.error();
  Manifest manifest = *there ? **there : Manifest();
  change(manifest);
  if (Status held = lock.check(); !held) return held;
  return base::write_json_text(directory / manifest_name, text_of(manifest));
}

bool is_valid(const Manifest::File& file, const base::FileSum& found) {
  return found == file.sum || found == file.announced;
}

Result<Manifest::File> record_of(const fs::path& directory, const Manifest& manifest,
                                 const std::string& name) {
  const auto file = manifest.files.find(name);
  if (file != manifest.files.end()) return file->second;
  return Error{fmt::format("{}: not in {}, so it is unfinished or was added by hand; {}",
                           (directory / name).string(), manifest_name,
                           remedy_of(directory / name))};
}

}  // namespace

Error changed_file(const fs::path& path) {
  return Error{
      fmt::format("{}: was changed after lookback wrote it; {}", path.string(), remedy_of(path))};
}

std::string remedy_of(const fs::path& file) {
  const std::string name = file.filename().string();
  if (name == "timing.json") return "it only says how long training took; --resume removes it";
  if (name == "evaluation.json") {
    return "--resume evaluates the run's own tasks again, and `lookback eval` others";
  }
  if (name == "claims.json") {
    return "put back the file that lookback wrote, or remove it, and every claim counts as stated "
           "now";
  }
  if (name == "ledger.json") return "run `lookback ledger` to rebuild it";
  if (name == "report.html" || name.ends_with(".vl.json")) {
    return "run `lookback report` to rebuild it";
  }
  return "rerun the original `lookback study` or `lookback train` command with --resume to rebuild "
         "it";
}

Result<FoundManifest> find_manifest(const fs::path& directory) {
  const fs::path path = directory / manifest_name;
  const Result<std::string> text = base::read_file(path, base::largest_json);
  if (text.fails_with(ErrorKind::not_found)) return FoundManifest();
  if (!text) return text.error();
  const std::string stamp = base::sum_of(*text).checksum;
  json object = base::parse_json(*text);
  // Byte by byte: a space more between two keys was no change of ours either.
  std::optional<Manifest> manifest;
  if (object.is_object() && object.dump(2) + '\n' == *text) {
    manifest = manifest_in(std::move(object));
  }
  if (!manifest) return FoundManifest{ManifestState::changed, {}, stamp};
  return FoundManifest{ManifestState::whole, std::move(*manifest), stamp};
}

Result<std::optional<Manifest>> read_manifest(const fs::path& directory) {
  const Result<FoundManifest> found = find_manifest(directory);
  if (!found) return found.error();
  if (found->state == ManifestState::changed) return changed_file(directory / manifest_name);
  return found->state == ManifestState::whole ? std::optional(found->manifest) : std::nullopt;
}

Status update_manifest(const fs::path& directory, const std::function<void(Manifest&)>& change) {
  const Result<LockedFile> lock = lock_manifest(directory);
  if (!lock) return lock.error();
  return change_locked(directory, *lock, change);
}

Status list_files(const fs::path& directory, std::span<const std::string> names,
                  const std::set<std::string>& engines) {
  std::map<std::string, Manifest::File> found;
  for (const std::string& name : names) {
    Result<base::FileSum> sum = base::sum_of_file(directory / name);
    if (!sum) return sum.error();
    found[name] = {std::move(*sum), {}, engines};
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

Status remove_listed(const fs::path& directory, std::span<const std::string> names) {
  if (names.empty()) return {};
  Status removed = unlist_files(directory, names);
  for (const std::string& name : names) {
    if (removed) removed = base::remove_file(directory / name);
  }
  return removed;
}

Status write_listed(const fs::path& directory, const std::string& name, std::string_view text,
                    const std::set<std::string>& engines) {
  const Result<LockedFile> lock = lock_manifest(directory);
  if (!lock) return lock.error();
  const base::FileSum sum = base::sum_of(text);
  const Result<std::optional<Manifest>> before = read_manifest(directory);
  if (!before) return before.error();
  if (*before && (*before)->lists(name)) {
    Status announced =
        change_locked(directory, *lock, [&](Manifest& m) { m.files[name].announced = sum; });
    if (!announced) return announced;
  }
  if (Status written = base::write_json_text(directory / name, text); !written) return written;
  return change_locked(directory, *lock, [&](Manifest& m) { m.files[name] = {sum, {}, engines}; });
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
  const Result<base::FileSum> sum = base::sum_of_file(path);
  if (sum.fails_with(ErrorKind::not_found)) return FileState::missing;
  if (!sum) return sum.error();
  return is_valid(*file, *sum) ? FileState::same : FileState::changed;
}

Status check_listed(const fs::path& directory, const Manifest& manifest, const std::string& name) {
  const Result<FileState> state = state_of_listed(directory, manifest, name);
  if (!state) return state.error();
  const fs::path path = directory / name;
  if (*state == FileState::changed) return changed_file(path);
  if (*state == FileState::same) return {};
  return Error{fmt::format("{}: is missing; {}", path.string(), remedy_of(path)),
               ErrorKind::not_found};
}

}  // namespace lookback::study
