#include "lookback/study/saved_model.h"

#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

/// The number in "<tokens>.safetensors"; none for another name.
std::optional<std::uint64_t> tokens_of(const fs::path& file) {
  const std::string stem = file.stem().string();
  std::uint64_t tokens = 0;
  const auto [end, code] = std::from_chars(stem.data(), stem.data() + stem.size(), tokens);
  const bool whole = code == std::errc{} && end == stem.data() + stem.size();
  if (!whole || file.extension() != ".safetensors") return std::nullopt;
  return tokens;
}

}  // namespace

Result<SavedModel> read_model(const fs::path& file) {
  const Result<train::Checkpoint> checkpoint = train::Checkpoint::read(file);
  if (!checkpoint) return checkpoint.error();
  Result<RunConfig> config = parse_run_config(checkpoint->header().config, file.string());
  if (!config) return config.error();
  Result<model::Program> program = model::compile(config->architecture);
  if (!program) return program.error();
  Result<std::vector<float>> parameters = checkpoint->parameters(*program);
  if (!parameters) return parameters.error();
  return SavedModel{checkpoint->header(), std::move(*config), std::move(*program),
                    std::move(*parameters)};
}

Result<fs::path> find_checkpoint(const fs::path& path) {
  std::error_code code;
  if (!fs::is_directory(path, code)) return path;  // reading it says what is wrong, if anything
  std::optional<std::pair<std::uint64_t, fs::path>> newest;
  for (auto entry = fs::directory_iterator(path / "checkpoints", code);
       !code && entry != fs::directory_iterator(); entry.increment(code)) {
    const std::optional<std::uint64_t> tokens = tokens_of(entry->path());
    if (tokens && (!newest || *tokens > newest->first)) newest = {*tokens, entry->path()};
  }
  if (newest) return newest->second;
  return Error{
      path.string() +
      ": found a directory without checkpoints/<tokens>.safetensors, allowed: a checkpoint "
      "or a run's directory"};
}

}  // namespace lookback::study
