#include "lookback/cli/print_ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lookback/base/json_access.h"

namespace lookback::cli {
namespace {

using base::find_array;
using base::find_text;
using nlohmann::json;

std::string numbered(const json& claim) {
  const auto number = base::find_count(claim, {"number"});
  return number ? fmt::format("{:>2}", *number) : " -";
}

std::string claim_text(const json& claim) {
  std::string text = fmt::format("{}  {:<23}  {}\n", numbered(claim), find_text(claim, {"verdict"}),
                                 find_text(claim, {"says"}));
  const std::string mark = find_text(claim, {"stated", "mark"});
  if (!mark.empty()) text += fmt::format("      [{}]\n", mark);
  for (const json& test : find_array(claim, {"tests"})) {
    text += fmt::format("      {}: {} ({})\n", find_text(test, {"says"}),
                        find_text(test, {"figure"}), find_text(test, {"reason"}));
  }
  return text;
}

}  // namespace

std::string ledger_text(const json& ledger) {
  std::string text;
  for (const json& claim : find_array(ledger, {"claims"})) text += claim_text(claim);
  return text;
}

}  // namespace lookback::cli
