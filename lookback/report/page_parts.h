// The data of the page in parts, each a JSON text with a version, as a server delivers them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "lookback/base/result.h"

namespace lookback::report {

/// One part of the page's data. It does not change; a new text is a new PagePart.
struct PagePart {
  std::uint64_t version = 0;  ///< grows when, and only when, the text of this name changes
  std::string text;           ///< JSON
};

/// By name: "study", "attention", "lens", "frames". A part may be missing while there is none.
using PageParts = std::map<std::string, std::shared_ptr<const PagePart>>;

/// Reads the study again and returns its parts as they are now.
using Refresh = std::function<Result<PageParts>()>;

}  // namespace lookback::report
