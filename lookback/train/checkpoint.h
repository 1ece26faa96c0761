// Checkpoints: a training state, or a model alone, in one safetensors file, written completely or
// not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/base/safetensors.h"
#include "lookback/model/program.h"
#include "lookback/train/state.h"

namespace lookback::train {

/// What a checkpoint says about itself. The random state is (seed, number of the next sequence),
/// because every draw is a pure function of the two.
struct CheckpointHeader {
  std::string config;  ///< the run's configuration as TOML
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::uint64_t tokens = 0;
  std::uint64_t next_sequence = 0;
  /// The signature of the engine that gave its bits (model/engine.h); empty where none trained it.
  std::string engine{};
  /// Of a model of text, the checksum of its tokenizer (language/tokenizer_json.h) as 16 hexadecimal
  /// digits; empty where that is not known.
  std::string tokenizer{};
};

/// Writes parameters under their own names ([cols] for vectors), each buffer of the optimizer as
/// "optimizer.<buffer>.<name>", and the header as metadata.
Status write_checkpoint(const std::filesystem::path& path, const model::Program& program,
                        const TrainState& state, const CheckpointHeader& header);

/// Writes parameters [program.buffer_size] and the header without optimizer state: a model that was
/// not trained here, or will not be trained further. Errors: a buffer that is not the program's,
/// and those of write_safetensors.
Status write_model(const std::filesystem::path& path, const model::Program& program,
                   std::span<const float> parameters, const CheckpointHeader& header);

/// A checkpoint file, fully checked; its tensors are extracted for a program.
class Checkpoint {
 public:
  /// Errors, in one line with the file's name: truncated, damaged, without checksum, not a
  /// checkpoint.
  static Result<Checkpoint> read(const std::filesystem::path& path);

  const CheckpointHeader& header() const { return header_; }

  /// Whether it claims to hold the optimizer's state; state() reads it.
  bool can_go_on() const { return first_loss_.has_value(); }

  /// Error: a tensor, of parameters or buffers, holds NaN or infinity.
  Status check_finite() const;

  /// The flat parameter buffer. Errors: a tensor is missing, has another shape, or holds NaN.
  Result<std::vector<float>> parameters(const model::Program& program) const;
  /// Everything that training needs to continue, with the buffers of these names (buffers_of of the
  /// configuration's optimizer). Errors: as above, and a model alone.
  Result<TrainState> state(const model::Program& program,
                           std::span<const std::string> buffers) const;

 private:
  Checkpoint(std::filesystem::path path, base::SafetensorsFile file)
      : path_(std::move(path)), file_(std::move(file)) {}
  Result<std::vector<float>> buffer(const model::Program& program, const std::string& prefix) const;

  std::filesystem::path path_;
  base::SafetensorsFile file_;
  CheckpointHeader header_;
  std::optional<double> first_loss_;  ///< none: a model alone
};

/// checkpoints/<tokens>.safetensors under a run's directory.
std::filesystem::path checkpoint_path(const std::filesystem::path& run, std::uint64_t tokens);
/// The tokens in such a file's name; none for any other name.
std::optional<std::uint64_t> tokens_named_by(const std::filesystem::path& file);
/// The one that is replaced again and again, for --resume only.
std::filesystem::path resume_path(const std::filesystem::path& run);

/// What a run can continue from: the newest checkpoint that is intact and finite, and a line for
/// each newer one that is not.
struct ResumePoint {
  std::optional<Checkpoint> checkpoint;
  std::vector<std::string> warnings;
};
/// None after `last_step` is looked at, and none of the files in `lost`; without a last step none at
/// all. No directory: nothing to resume from. Errors: one that cannot be read.
Result<ResumePoint> find_resume_point(const std::filesystem::path& run,
                                      std::optional<std::uint64_t> last_step = UINT64_MAX,
                                      std::span<const std::filesystem::path> lost = {});

}  // namespace lookback::train
