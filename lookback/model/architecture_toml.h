// Architectures as the tables [model] and [init] of a study file.
#pragma once

#include <string>

#include "lookback/base/toml_table.h"
#include "lookback/model/architecture.h"

namespace lookback::model {

/// Reads [model] and [init]. The reader's finish() reports errors; validate() checks whether the
/// parts fit together.
Architecture read_architecture(base::TableReader model, base::TableReader init);

/// The tables [model] and [init], every key with its value; read_architecture reads them back.
std::string to_toml(const Architecture& architecture);

}  // namespace lookback::model
