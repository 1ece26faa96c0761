#include "lookback/exchange/import.h"

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "lookback/base/file.h"
#include "lookback/exchange/huggingface.h"
#include "lookback/exchange/json_config.h"
#include "lookback/exchange/note.h"
#include "lookback/exchange/torch_module.h"
#include "lookback/exchange/transformer_lens.h"
#include "lookback/study/fitted_config.h"

namespace lookback::exchange {
namespace {

using model::Architecture;

/// How one program's models are read.
struct Source {
  Result<Architecture> (*read_config)(const JsonConfig&);
  /// The form that read_config gives.
  Result<Architecture> (*as_seen)(const Architecture&);
  Layout (*layout)(const model::Program&, const base::SafetensorsFile&);
  bool (*is_buffer)(std::string_view);
};

constexpr Source transformer_lens{read_transformer_lens_config, as_transformer_lens,
                                  [](const model::Program& program, const base::SafetensorsFile&) {
                                    return transformer_lens_layout(program);
                                  },
                                  is_transformer_lens_buffer};

constexpr Source huggingface{read_huggingface_config, as_huggingface,
                             [](const model::Program& program, const base::SafetensorsFile& file) {
                               const bool with_head = file.contains("transformer.wte.weight");
                               return huggingface_layout(program, with_head ? "transformer." : "");
                             },
                             is_huggingface_buffer};

Result<const Source*> source_of(const JsonConfig& config) {
  if (config.has("model_type")) return &huggingface;
  if (config.has("n_layers")) return &transformer_lens;
  if (config.has("format")) {
    return Error{fmt::format(
        "{}: is an export to torch; import the checkpoint that it was made from instead",
        config.document.file_name)};
  }
  return Error{
      fmt::format("{}: found neither 'model_type' (Hugging Face) nor 'n_layers' "
                  "(TransformerLens), required: one of them",
                  config.document.file_name)};
}

/// The file of weights; if there is none, an error that says what there is instead.
Result<std::filesystem::path> weights_in(const std::filesystem::path& directory) {
  std::filesystem::path file = directory / "model.safetensors";
  const Result<bool> whole = base::is_there(file);
  if (!whole) return whole.error();
  if (*whole) return file;
  const Result<bool> sharded = base::is_there(directory / "model.safetensors.index.json");
  if (!sharded) return sharded.error();
  if (*sharded) {
    return Error{fmt::format(
        "{}: found sharded weights, allowed: one model.safetensors; save the model again "
        "with save_pretrained(..., max_shard_size=\"32GB\")",
        directory.string())};
  }
  const Result<bool> pickled = base::is_there(directory / "pytorch_model.bin");
  if (!pickled) return pickled.error();
  if (*pickled) {
    return Error{fmt::format(
        "{}: found pytorch_model.bin, allowed: model.safetensors; save the model again with "
        "save_pretrained(..., safe_serialization=True)",
        directory.string())};
  }
  return Error{fmt::format("{}: found no model.safetensors", directory.string()),
               ErrorKind::not_found};
}

/// TransformerLens 4 saves other tensors under other names, and rotary ones in another order.
Status check_is_no_bridge(const base::SafetensorsFile& file, const std::string& file_name) {
  if (!file.contains("embed.weight")) return {};
  return Error{fmt::format(
      "{}: found 'embed.weight', the name used by a TransformerBridge of TransformerLens 4, "
      "allowed: the state dict of a HookedTransformer ('embed.W_E'), as lookback exports it",
      file_name)};
}

/// The header and configuration of the import: those of the note, if it describes this model.
Result<std::pair<train::CheckpointHeader, study::RunConfig>> origin(
    const std::optional<train::CheckpointHeader>& note, const Architecture& told,
    const Source& source, const std::string& file_name) {
  if (!note) {
    study::RunConfig config = import_config(told);
    train::CheckpointHeader header;
    header.config = study::to_toml(config);
    return std::pair(std::move(header), std::move(config));
  }
  Result<study::RunConfig> config =
      study::parse_model_config(note->config, file_name + ": metadata 'lookback_config'");
  if (!config) return config.error();
  const Result<Architecture> seen = source.as_seen(config->architecture);
  if (!seen) return seen.error().at(file_name);
  if (*seen == told) return std::pair(*note, std::move(*config));
  return Error{fmt::format(
      "{}: metadata 'lookback_config' describes another model than config.json", file_name)};
}

}  // namespace

Result<study::SavedModel> import_model(const std::filesystem::path& directory) {
  const Result<JsonConfig> json = read_json_config(directory / "config.json");
  if (!json) return json.error();
  const Result<const Source*> source = source_of(*json);
  if (!source) return source.error();
  const Result<Architecture> told = (*source)->read_config(*json);
  if (!told) return told.error();
  const Result<std::filesystem::path> weights = weights_in(directory);
  if (!weights) return weights.error();
  const Result<base::SafetensorsFile> file = base::SafetensorsFile::read(*weights);
  if (!file) return file.error();
  if (*source == &transformer_lens) {
    if (Status hooked = check_is_no_bridge(*file, weights->string()); !hooked) {
      return hooked.error();
    }
  }
  const auto note = read_note(file->metadata(), weights->string());
  if (!note) return note.error();
  auto from = origin(*note, *told, **source, weights->string());
  if (!from) return from.error();
  auto& [header, config] = *from;
  Result<model::Program> program = model::compile(config.architecture);
  if (!program) return program.error();
  Result<std::vector<float>> parameters =
      scatter((*source)->layout(*program, *file), *file, weights->string(), program->buffer_size,
              (*source)->is_buffer);
  if (!parameters) return parameters.error();
  return study::SavedModel{std::move(header), std::move(config), std::move(*program),
                           std::move(*parameters)};
}

study::RunConfig import_config(const Architecture& architecture) {
  constexpr std::size_t longest = 256;
  study::RunConfig config = study::fitted_config(architecture, longest);
  config.arm = "imported";
  return config;
}

}  // namespace lookback::exchange
