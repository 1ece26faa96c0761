#include "lookback/lens/edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <variant>

namespace lookback::lens {
namespace {

using model::Program;
using model::SiteId;
using model::SiteInfo;
using model::SlotId;

/// Where a site is: the step that shows it, and its width.
struct Place {
  std::size_t step = 0;
  std::size_t width = 0;
};

bool has(const std::vector<SiteId>& sites, SiteId site) {
  return std::ranges::find(sites, site) != sites.end();
}

/// The place of a site in one step, if the step shows it.
struct FindInStep {
  const Program& program;
  SiteId site;
  std::size_t length;

  std::size_t width(SlotId slot) const {
    const model::SlotInfo& info = program.slots[slot];
    if (info.kind == model::SlotInfo::Kind::square) return length;
    const std::size_t heads = program.sites[site].heads;
    return heads == 0 ? info.width : info.width / heads;
  }
  std::optional<std::size_t> out(SlotId slot) const {
    if (has(program.slots[slot].sites, site)) return width(slot);
    return std::nullopt;
  }
  std::optional<std::size_t> operator()(const model::Linear& step) const {
    if (step.split_input && step.split_input->site == site) {
      return program.slots[step.split_input->stream].width;
    }
    if (step.result_site == site) return program.slots[step.out].width;
    return out(step.out);
  }
  std::optional<std::size_t> operator()(const model::Normalize& step) const {
    if (has(program.slots[step.scale].sites, site)) return 1;
    return out(step.out);
  }
  template <class Step>
  std::optional<std::size_t> operator()(const Step& step) const {
    return out(step.out);
  }
};

Place place_of(const Program& program, SiteId site, std::size_t length) {
  for (std::size_t step = 0; step < program.steps.size(); ++step) {
    const auto width = std::visit(FindInStep{program, site, length}, program.steps[step]);
    if (!width) continue;
    // The softmax takes the place of the scores: to see a pattern anew, begin with the scores.
    const bool in_place = std::holds_alternative<model::Softmax>(program.steps[step]);
    return {in_place ? step - 1 : step, *width};
  }
  return {};
}

/// Whether the site shows this head; without one, every site of the name counts.
bool shows(const SiteInfo& site, std::optional<std::size_t> head) {
  return !head || (*head >= site.first_head && *head < site.first_head + site.heads);
}

Error unknown_head(const Program& program, const std::string& name, std::size_t head) {
  std::size_t heads = 0;
  for (const SiteInfo& site : program.sites) {
    if (site.name == name) heads = std::max(heads, site.first_head + site.heads);
  }
  if (heads == 0) {
    return Error{fmt::format("{}: found head {}, but it is not split into heads", name, head)};
  }
  return Error{fmt::format("{}: found head {}, allowed 0 to {}", name, head, heads - 1)};
}

bool is_split(const Program& program, const std::string& name) {
  return std::ranges::find(program.sites, name, &SiteInfo::name)->heads > 0;
}

float changed(Edit::Kind kind, float x, float value) {
  if (kind == Edit::Kind::add) return x + value;
  if (kind == Edit::Kind::multiply) return x * value;
  return value;
}

bool copies(const Edit& edit) {
  return edit.kind == Edit::Kind::copy || edit.kind == Edit::Kind::copy_mean;
}

Status check_source(const Program& program, std::size_t length, const Edit& edit,
                    std::size_t step) {
  const Result<std::size_t> source = first_step(program, edit.source, edit.head);
  if (!source) return source.error();
  if (*source >= step) {
    return Error{fmt::format("{}: found the source {}, which is not computed before it",
                             edit.activation, edit.source)};
  }
  if (is_split(program, edit.source) != is_split(program, edit.activation)) {
    return Error{fmt::format("{}: found the source {}, of which only one is split into heads",
                             edit.activation, edit.source)};
  }
  const std::size_t width = activation_width(program, edit.activation, length);
  const std::size_t found = activation_width(program, edit.source, length);
  if (found == width) return {};
  return Error{fmt::format("{}: found the source {} of width {}, allowed {}", edit.activation,
                           edit.source, found, width)};
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
  for (SiteId site = 0; site < program.sites.size(); ++site) {
    if (program.sites[site].name != activation) continue;
    known = true;
    if (!shows(program.sites[site], head)) continue;
    const std::size_t step = place_of(program, site, 1).step;
    first = std::min(first.value_or(step), step);
  }
  if (first) return *first;
  if (known) return unknown_head(program, activation, *head);
  return model::unknown_activation(program, activation);
}

Result<std::size_t> first_step(const Program& program, const Edits& edits) {
  std::size_t first = program.steps.size();
  for (const Edit& edit : edits) {
    const std::string& earliest = copies(edit) ? edit.source : edit.activation;
    const Result<std::size_t> step = first_step(program, earliest, edit.head);
    if (!step) return step.error();
    first = std::min(first, *step);
  }
  return first;
}

Result<std::vector<std::size_t>> latest_first(const Program& program,
                                              const std::vector<Edits>& lists) {
  std::vector<std::size_t> first;
  for (const Edits& edits : lists) {
    const Result<std::size_t> step = first_step(program, edits);
    if (!step) return step.error();
    first.push_back(*step);
  }
  std::vector<std::size_t> order(lists.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](auto i, auto j) { return first[i] > first[j]; });
  return order;
}

std::size_t activation_width(const Program& program, const std::string& activation,
                             std::size_t length) {
  const auto site = std::ranges::find(program.sites, activation, &SiteInfo::name);
  return place_of(program, static_cast<SiteId>(site - program.sites.begin()), length).width;
}

Status check(const Program& program, std::size_t length, const Edit& edit) {
  const Result<std::size_t> step = first_step(program, edit.activation, edit.head);
  if (!step) return step.error();
  const std::size_t end = edit.end_row == static_cast<std::size_t>(-1) ? length : edit.end_row;
  if (edit.first_row >= end || end > length) {
    return Error{fmt::format("{}: found positions {} to {}, allowed a range below {}",
                             edit.activation, edit.first_row, end, length)};
  }
  if (copies(edit)) return check_source(program, length, edit, *step);
  return check_value(length, edit, activation_width(program, edit.activation, length));
}

void apply(const Edit& edit, math::Matrix<const float> source, math::Matrix<float> x) {
  const math::Matrix<const float> from = copies(edit) ? source : edit.value;
  std::vector<float> mean;
  if (edit.kind == Edit::Kind::copy_mean) {
    for (std::size_t c = 0; c < from.cols; ++c) {
      double sum = 0;
      for (std::size_t r = 0; r < from.rows; ++r) sum += static_cast<double>(from(r, c));
      mean.push_back(static_cast<float>(sum / static_cast<double>(from.rows)));
    }
  }
  const std::size_t end = std::min(edit.end_row, x.rows);
  for (std::size_t r = edit.first_row; r < end; ++r) {
    const float* row = mean.empty() ? from.row(from.rows == 1 ? 0 : r) : mean.data();
    for (std::size_t c = 0; c < x.cols; ++c) x(r, c) = changed(edit.kind, x(r, c), row[c]);
  }
}

}  // namespace lookback::lens
