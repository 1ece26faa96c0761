// The Python that goes with exports: the files of this folder, as they are.
#pragma once

#include <string_view>

namespace lookback::exchange {

/// load.py of an export to TransformerLens.
std::string_view transformer_lens_script();
/// model.py of an export to PyTorch.
std::string_view torch_script();

}  // namespace lookback::exchange
