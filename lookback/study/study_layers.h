// What lies over what in a study file: an arm's tables over the study's, a size's and a sweep's over
// both, and the command line over all.
#pragma once

#include <string>
#include <string_view>

#include "lookback/base/result.h"
#include "lookback/base/toml_document.h"
#include "lookback/study/study_file.h"

namespace lookback::study {

/// The study without any of its sizes.
inline constexpr std::string_view size_as_it_is = "default";

/// The table under a key; null where there is none.
const base::TomlTable* table_in(const base::TomlTable& table, std::string_view key);

/// `over` laid over `below`, table by table. Where it names another kind of optimizer, the one below is
/// dropped whole: its keys are not the new one's, or mean something else there. `kind` is that of a
/// table `below` which names none.
base::Document laid_over(base::Document below, const base::Document& over,
                         const std::string& kind = train::OptimizerConfig().kind);

/// Changes the text of a study as the command line asks. Errors: there is no such size; tokens for a study
/// that sweeps over them.
Status apply_overrides(const Overrides& overrides, base::Document& study);

}  // namespace lookback::study
