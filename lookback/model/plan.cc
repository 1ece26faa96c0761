#include "lookback/model/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "lookback/base/require.h"
#include "lookback/model/taps.h"

namespace lookback::model {
namespace {

/// The softmax takes the place of the scores: to see a pattern anew, begin with the scores.
std::size_t first_step(const Program& program, const SiteInfo& site) {
  return std::holds_alternative<Softmax>(program.steps[site.step]) ? site.step - 1 : site.step;
}

/// Whether the site shows this head; without one, every site of the name counts.
bool shows(const SiteInfo& site, std::optional<std::size_t> head) {
  return !head || (*head >= site.first_head && *head < site.first_head + site.heads);
}

Error unknown_head(const Program& program, const std::string& name, std::size_t head) {
  const std::size_t heads = head_count(program, name);
  if (heads == 0) {
    return Error{
        fmt::format("{}: found head {}, but the activation is not split into heads", name, head)};
  }
  return Error{fmt::format("{}: found head {}, allowed 0 to {}", name, head, heads - 1)};
}

/// What copies becomes x: both are of heads or neither is, and as wide.
Status check_copied(const Program& program, std::size_t length, const Edit& edit) {
  if ((head_count(program, edit.source) == 0) != (head_count(program, edit.activation) == 0)) {
    return Error{fmt::format("{}: found the source {}, of which only one is split into heads",
                             edit.activation, edit.source)};
  }
  const std::size_t width = activation_width(program, edit.activation, length);
  const std::size_t found = activation_width(program, edit.source, length);
  if (found == width) return {};
  return Error{fmt::format("{}: found the source {} of width {}, allowed {}", edit.activation,
                           edit.source, found, width)};
}

/// An edit that adds tokens reads a pattern and writes logits.
Status check_tokens(const Edit& edit) {
  if (edit.activation == "logits" && edit.source.ends_with(".hook_pattern")) return {};
  return Error{fmt::format("{}: found tokens added from {}, allowed: to logits, from a pattern",
                           edit.activation, edit.source)};
}

Status check_source(const Program& program, std::size_t length, const Edit& edit,
                    std::size_t step) {
  const Result<std::size_t> source = first_step(program, edit.source, edit.head);
  if (!source) return source.error();
  if (*source >= step) {
    return Error{fmt::format("{}: found the source {}, which is not computed before it",
                             edit.activation, edit.source)};
  }
  return edit.kind == Edit::Kind::add_tokens ? check_tokens(edit)
                                             : check_copied(program, length, edit);
}

Status check_value(std::size_t length, const Edit& edit, std::size_t width) {
  const math::Matrix<const float>& value = edit.value;
  if (value.data != nullptr && value.cols == width && (value.rows == length || value.rows == 1)) {
    return {};
  }
  return Error{fmt::format("{}: found a value of {} x {}, allowed {} x {} or 1 x {}",
                           edit.activation, value.rows, value.cols, length, width, width)};
}

}  // namespace

Edit set(std::string activation, std::optional<std::size_t> head, math::Matrix<const float> value) {
  Edit edit;
  edit.activation = std::move(activation);
  edit.head = head;
  edit.value = value;
  return edit;
}

Edit add(std::string activation, std::optional<std::size_t> head, math::Matrix<const float> value) {
  Edit edit = set(std::move(activation), head, value);
  edit.kind = Edit::Kind::add;
  return edit;
}

Edit copy(Edit::Kind kind, std::string activation, std::optional<std::size_t> head,
          std::string source) {
  Edit edit;
  edit.activation = std::move(activation);
  edit.head = head;
  edit.kind = kind;
  edit.source = std::move(source);
  return edit;
}

Result<std::size_t> first_step(const Program& program, const std::string& activation,
                               std::optional<std::size_t> head) {
  std::optional<std::size_t> first;
  bool known = false;
  for (const SiteInfo& site : program.sites) {
    if (site.name != activation) continue;
    known = true;
    if (!shows(site, head)) continue;
    const std::size_t step = first_step(program, site);
    first = std::min(first.value_or(step), step);
  }
  if (first) return *first;
  if (known) return unknown_head(program, activation, *head);
  return unknown_activation(program, activation);
}

Result<std::size_t> first_step(const Program& program, const Plan& plan) {
  std::size_t first = program.steps.size();
  const auto include = [&](const std::string& name, std::optional<std::size_t> head) -> Status {
    const Result<std::size_t> step = first_step(program, name, head);
    if (!step) return step.error();
    first = std::min(first, *step);
    return {};
  };
  for (const Edit& edit : plan.edits) {
    const std::string& earliest = edit.has_source() ? edit.source : edit.activation;
    if (Status known = include(earliest, edit.head); !known) return known.error();
  }
  for (const std::string& name : plan.recorded) {
    if (Status known = include(name, std::nullopt); !known) return known.error();
  }
  return first;
}

std::size_t activation_width(const Program& program, const std::string& activation,
                             std::size_t length) {
  const auto site = std::ranges::find(program.sites, activation, &SiteInfo::name);
  LOOKBACK_REQUIRE(site != program.sites.end());
  if (!site->slot) return program.architecture.d_model;
  const SlotInfo& slot = program.slots[*site->slot];
  if (slot.kind == SlotInfo::Kind::square) return length;
  return site->heads == 0 ? slot.width : slot.width / slot.heads;
}

std::size_t head_count(const Program& program, const std::string& activation) {
  std::size_t heads = 0;
  for (const SiteInfo& site : program.sites) {
    if (site.name == activation) heads = std::max(heads, site.first_head + site.heads);
  }
  return heads;
}

Status check(const Program& program, std::size_t length, const Edit& edit) {
  const bool whole = edit.kind == Edit::Kind::add_tokens;  // its head is the source's
  const Result<std::size_t> step =
      first_step(program, edit.activation, whole ? std::nullopt : edit.head);
  if (!step) return step.error();
  const std::size_t end = edit.end_row == static_cast<std::size_t>(-1) ? length : edit.end_row;
  if (edit.first_row >= end || end > length) {
    return Error{fmt::format("{}: found positions {} to {}, allowed a range below {}",
                             edit.activation, edit.first_row, end, length)};
  }
  if (edit.has_source()) return check_source(program, length, edit, *step);
  if (!edit.has_value()) return {};
  return check_value(length, edit, activation_width(program, edit.activation, length));
}

}  // namespace lookback::model
