#include "lookback/lens/circuit_names.h"

#include <fmt/format.h>

namespace lookback::lens {

std::string_view circuit_kind_name(CircuitKind kind) {
  switch (kind) {
    case CircuitKind::ov:
      return "ov";
    case CircuitKind::qk:
      return "qk";
    case CircuitKind::qk_before:
      return "qk_before";
    case CircuitKind::q_composition:
      return "q_composition";
    case CircuitKind::k_composition:
      return "k_composition";
    case CircuitKind::v_composition:
      return "v_composition";
  }
  return "";
}

std::string_view treatment_name(Treatment treatment) {
  switch (treatment) {
    case Treatment::folded:
      return "folded";
    case Treatment::frozen:
      return "frozen";
    case Treatment::ignored:
      return "ignored";
  }
  return "";
}

std::string circuit_name(const CircuitId& id) {
  const std::string head = fmt::format("{}.{}", id.head.layer, id.head.head);
  if (!id.from) return fmt::format("{} of head {}", circuit_kind_name(id.kind), head);
  return fmt::format("{} of heads {}.{} and {}", circuit_kind_name(id.kind), id.from->layer,
                     id.from->head, head);
}

}  // namespace lookback::lens
