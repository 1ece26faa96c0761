#include "lookback/train/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>

#include "lookback/base/file.h"
#include "lookback/base/printable.h"
#include "lookback/model/engine.h"

namespace lookback::train {
namespace {

constexpr const char* format_name = "lookback checkpoint 1";

/// The prefix of the names of a buffer's tensors.
std::string prefix_of(const std::string& buffer) { return "optimizer." + buffer + "."; }

std::vector<std::size_t> shape_of(const model::ParameterInfo& info) {
  if (info.matrix) return {info.rows, info.cols};
  return {info.cols};
}

void add_tensors(const model::Program& program, const std::string& prefix,
                 std::span<const float> buffer, std::vector<base::Tensor>& tensors) {
  for (const model::ParameterInfo& info : program.parameters) {
    tensors.push_back(
        {prefix + info.name, shape_of(info), buffer.subspan(info.offset, info.size())});
  }
}

using Metadata = std::map<std::string, std::string>;

/// What both kinds of file say about themselves.
Metadata metadata_of(const CheckpointHeader& header) {
  Metadata metadata{{"format", format_name},
                    {"config", header.config},
                    {"seed", fmt::format("{}", header.seed)},
                    {"step", fmt::format("{}", header.step)},
                    {"tokens", fmt::format("{}", header.tokens)},
                    {"next_sequence", fmt::format("{}", header.next_sequence)}};
  if (!header.engine.empty()) metadata["engine"] = header.engine;
  if (!header.tokenizer.empty()) metadata["tokenizer"] = header.tokenizer;
  return metadata;
}

/// A number stored as text in the metadata: decimal integers, hexadecimal floats.
template <class Number>
Result<Number> read_number(const Metadata& metadata, const std::string& key,
                           const std::filesystem::path& path) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) {
    return Error{fmt::format("{}: not a checkpoint of lookback: its metadata has no '{}'",
                             path.string(), key)};
  }
  Number number{};
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return Error{fmt::format("{}: metadata '{}' is '{}'; it must be a number", path.string(), key,
                             base::printable(text))};
  }
  return number;
}

/// The files in a run's directory of checkpoints.
Result<std::vector<std::filesystem::path>> checkpoint_files(
    const std::filesystem::path& directory) {
  Result<std::vector<std::filesystem::path>> files = base::entries_of(directory);
  if (!files) return files;
  std::erase_if(
      *files, [](const std::filesystem::path& file) { return file.extension() != ".safetensors"; });
  return files;
}

Status check_values(const base::Tensor& tensor, const std::filesystem::path& path) {
  if (std::ranges::all_of(tensor.values, [](float v) { return std::isfinite(v); })) return {};
  return Error{fmt::format("{}: tensor '{}' holds non-finite values", path.string(), tensor.name)};
}

}  // namespace

Status write_checkpoint(const std::filesystem::path& path, const model::Program& program,
                        const TrainState& state, const CheckpointHeader& header) {
  std::vector<base::Tensor> tensors;
  add_tensors(program, "", state.parameters, tensors);
  for (const auto& [name, buffer] : state.buffers) {
    add_tensors(program, prefix_of(name), buffer, tensors);
  }
  Metadata metadata = metadata_of(header);
  metadata["step"] = fmt::format("{}", state.step);
  metadata["first_loss"] = fmt::format("{}", state.first_loss);
  return base::write_safetensors(path, tensors, metadata);
}

Status write_model(const std::filesystem::path& path, const model::Program& program,
                   std::span<const float> parameters, const CheckpointHeader& header) {
  if (parameters.size() != program.buffer_size) {
    return Error{fmt::format("{}: found a buffer of {} parameters, allowed {}, the model's",
                             path.string(), parameters.size(), program.buffer_size)};
  }
  std::vector<base::Tensor> tensors;
  add_tensors(program, "", parameters, tensors);
  return base::write_safetensors(path, tensors, metadata_of(header));
}

Result<Checkpoint> Checkpoint::read(const std::filesystem::path& path) {
  Result<base::SafetensorsFile> file = base::SafetensorsFile::read(path);
  if (!file) return file.error();
  Checkpoint checkpoint(path, std::move(*file));
  const auto& metadata = checkpoint.file_.metadata();
  const auto format = metadata.find("format");
  if (format == metadata.end() || format->second != format_name) {
    return Error{
        fmt::format("{}: not a checkpoint of lookback: its metadata has no 'format' = '{}'",
                    path.string(), format_name)};
  }
  if (!checkpoint.file_.has_checksum()) {
    return Error{fmt::format("{}: damaged: its checksum is missing", path.string())};
  }
  const auto config = metadata.find("config");
  if (config == metadata.end()) {
    return Error{fmt::format("{}: damaged: its metadata has no 'config'", path.string())};
  }
  checkpoint.header_.config = config->second;
  const auto read = [&](const char* key, std::uint64_t& number) -> Status {
    Result<std::uint64_t> value = read_number<std::uint64_t>(metadata, key, path);
    if (!value) return value.error();
    number = *value;
    return {};
  };
  CheckpointHeader& header = checkpoint.header_;
  if (const auto at = metadata.find("instruction_set");
      at != metadata.end()) {  // of earlier versions
    header.engine = model::signature_of(at->second);
  }
  if (const auto at = metadata.find("engine"); at != metadata.end()) header.engine = at->second;
  if (const auto at = metadata.find("tokenizer"); at != metadata.end()) {
    header.tokenizer = at->second;
  }
  if (Status s = read("seed", header.seed); !s) return s.error();
  if (Status s = read("step", header.step); !s) return s.error();
  if (Status s = read("tokens", header.tokens); !s) return s.error();
  if (Status s = read("next_sequence", header.next_sequence); !s) return s.error();
  if (metadata.contains("first_loss")) {
    Result<double> first_loss = read_number<double>(metadata, "first_loss", path);
    if (!first_loss) return first_loss.error();
    checkpoint.first_loss_ = *first_loss;
  }
  return checkpoint;
}

Status Checkpoint::check_finite() const {
  for (const std::string& name : file_.names()) {
    const Result<base::Tensor> tensor = file_.find(name);
    if (!tensor) return tensor.error();
    if (Status finite = check_values(*tensor, path_); !finite) return finite;
  }
  return {};
}

Result<std::vector<float>> Checkpoint::buffer(const model::Program& program,
                                              const std::string& prefix) const {
  std::vector<float> buffer(program.buffer_size);
  for (const model::ParameterInfo& info : program.parameters) {
    Result<base::Tensor> tensor = file_.find(prefix + info.name);
    if (!tensor) return tensor.error();
    if (tensor->shape != shape_of(info)) {
      return Error{fmt::format(
          "{}: tensor '{}': found shape [{}], allowed [{}] by its configuration", path_.string(),
          tensor->name, fmt::join(tensor->shape, ", "), fmt::join(shape_of(info), ", "))};
    }
    if (Status finite = check_values(*tensor, path_); !finite) return finite.error();
    std::ranges::copy(tensor->values, buffer.begin() + static_cast<std::ptrdiff_t>(info.offset));
  }
  return buffer;
}

Result<std::vector<float>> Checkpoint::parameters(const model::Program& program) const {
  return buffer(program, "");
}

Result<TrainState> Checkpoint::state(const model::Program& program,
                                     std::span<const std::string> buffers) const {
  if (!first_loss_) {
    return Error{
        fmt::format("{}: holds a model without optimizer state; training cannot continue "
                    "from it",
                    path_.string())};
  }
  TrainState state;
  state.step = header_.step;
  state.first_loss = *first_loss_;
  Result<std::vector<float>> read = parameters(program);
  if (!read) return read.error();
  state.parameters = std::move(*read);
  for (const std::string& name : buffers) {
    read = buffer(program, prefix_of(name));
    if (!read) return read.error();
    state.buffers[name] = std::move(*read);
  }
  return state;
}

std::filesystem::path checkpoint_path(const std::filesystem::path& run, std::uint64_t tokens) {
  return run / "checkpoints" / fmt::format("{}.safetensors", tokens);
}

std::optional<std::uint64_t> tokens_named_by(const std::filesystem::path& file) {
  const std::string stem = file.stem().string();
  std::uint64_t tokens = 0;
  const auto [end, code] = std::from_chars(stem.data(), stem.data() + stem.size(), tokens);
  const bool whole = code == std::errc{} && end == stem.data() + stem.size();
  return whole && file.extension() == ".safetensors" ? std::optional(tokens) : std::nullopt;
}

std::filesystem::path resume_path(const std::filesystem::path& run) {
  return run / "resume.safetensors";
}

Result<ResumePoint> find_resume_point(const std::filesystem::path& run,
                                      std::optional<std::uint64_t> last_step,
                                      std::span<const std::filesystem::path> lost) {
  ResumePoint newest;
  if (!last_step) return newest;
  Result<std::vector<std::filesystem::path>> files = checkpoint_files(run / "checkpoints");
  if (!files) return files.error();
  // A file of another name comes last.
  const auto tokens_in_name = [](const std::filesystem::path& file) {
    return tokens_named_by(file).value_or(0);
  };
  std::ranges::sort(*files, std::ranges::greater(), tokens_in_name);
  const auto consider = [&](const std::filesystem::path& file) {
    if (std::ranges::find(lost, file) != lost.end()) return;
    Result<Checkpoint> checkpoint = Checkpoint::read(file);
    const Status sound = checkpoint ? checkpoint->check_finite() : checkpoint.error();
    if (!sound) {
      newest.warnings.push_back(sound.error().message);
      return;
    }
    const std::uint64_t step = checkpoint->header().step;
    if (step > *last_step) return;
    if (newest.checkpoint && newest.checkpoint->header().step >= step) return;
    newest.checkpoint.emplace(std::move(*checkpoint));
  };
  const Result<bool> resume = base::is_there(resume_path(run));
  if (!resume) return resume.error();
  if (*resume) consider(resume_path(run));
  for (const std::filesystem::path& file : *files) {
    // Those of a large model are gigabytes each, so older ones are not read.
    if (newest.checkpoint && newest.checkpoint->header().tokens >= tokens_in_name(file)) break;
    consider(file);
  }
  return newest;
}

}  // namespace lookback::train
