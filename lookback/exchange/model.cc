#include "lookback/exchange/model.h"

namespace lookback::exchange {

Result<Model> read_model(const std::filesystem::path& path) {
  const Result<train::Checkpoint> checkpoint = train::Checkpoint::read(path);
  if (!checkpoint) return checkpoint.error();
  Result<study::RunConfig> config =
      study::parse_run_config(checkpoint->header().config, path.string());
  if (!config) return config.error();
  Result<model::Program> program = model::compile(config->architecture);
  if (!program) return program.error();
  Result<std::vector<float>> parameters = checkpoint->parameters(*program);
  if (!parameters) return parameters.error();
  return Model{checkpoint->header(), std::move(*config), std::move(*program),
               std::move(*parameters)};
}

}  // namespace lookback::exchange
