#include "lookback/math/targets.h"

#include <cstdint>
#include <cstdlib>

#include "lookback/math/targets_config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lookback/math/targets.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// after foreach_target.h
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace lookback::math {
namespace HWY_NAMESPACE {

const char* compiled_target() { return hwy::TargetName(HWY_TARGET); }

}  // namespace HWY_NAMESPACE
}  // namespace lookback::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookback::math {

HWY_EXPORT(compiled_target);

namespace {

/// Detected once: asking Highway again would undo a selection.
const std::vector<std::int64_t>& available_targets() {
  static const std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  return targets;
}

}  // namespace

std::vector<std::string> available_instruction_sets() {
  std::vector<std::string> names;
  for (const std::int64_t target : available_targets()) {
    names.emplace_back(hwy::TargetName(target));
  }
  return names;
}

std::string active_instruction_set() { return HWY_DYNAMIC_DISPATCH(compiled_target)(); }

Status select_instruction_set(std::string_view name) {
  std::string allowed;
  for (const std::int64_t target : available_targets()) {
    const std::string_view available = hwy::TargetName(target);
    if (available == name) {
      hwy::GetChosenTarget().Update(target);
      return {};
    }
    allowed.append(allowed.empty() ? "" : ", ").append(available);
  }
  return Error{"instruction set '" + std::string(name) +
               "' does not exist on this machine; available: " + allowed};
}

Status select_instruction_set_from_environment() {
  const char* name = std::getenv("LOOKBACK_ISA");
  if (name == nullptr || *name == '\0') return {};
  Status selected = select_instruction_set(name);
  if (!selected) return selected.error().at("LOOKBACK_ISA");
  return {};
}

}  // namespace lookback::math
#endif  // HWY_ONCE
