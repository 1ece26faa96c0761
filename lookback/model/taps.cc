#include "lookback/model/taps.h"

#include <fmt/format.h>

#include <algorithm>
#include <complex>

#include "lookback/base/nearest.h"

namespace lookback::model {

std::vector<std::string_view> activation_names(const Program& program) {
  std::vector<std::string_view> names;
  for (const SiteInfo& site : program.sites) {
    if (std::ranges::find(names, site.name) == names.end()) names.push_back(site.name);
  }
  return names;
}

Error unknown_activation(const Program& program, std::string_view name) {
  const std::vector<std::string_view> known = activation_names(program);
  const auto near = base::nearest(name, std::vector<std::string>(known.begin(), known.end()));
  return Error{fmt::format("no activation is named '{}'{}", name,
                           near ? fmt::format("; the nearest is '{}'", *near) : "")};
}

template <class N>
Status Taps<N>::set(std::string_view name, std::vector<Hook<N>> SiteHooks::*list,
                    const Hook<N>& hook) {
  bool found = false;
  for (SiteId site = 0; site < program_->sites.size(); ++site) {
    if (program_->sites[site].name != name) continue;
    std::vector<Hook<N>>& hooks = hooks_[site].*list;
    hooks.insert(list == &SiteHooks::backward ? hooks.begin() : hooks.end(), hook);
    found = true;
  }
  if (found) return {};
  return unknown_activation(*program_, name);
}

template <class N>
Status Taps<N>::replace(std::string_view name, const Hook<N>& hook) {
  if (Status status = on_forward(name, hook); !status) return status;
  return on_backward(name, [](const Tapped&, math::Matrix<N> gradient) {
    for (std::size_t r = 0; r < gradient.rows; ++r) {
      std::fill_n(gradient.row(r), gradient.cols, N{});
    }
  });
}

template <class N>
std::vector<std::size_t> Taps<N>::steps_apart(std::size_t first_step) const {
  std::vector<std::size_t> steps;
  for (SiteId id = 0; id < hooks_.size(); ++id) {
    const SiteInfo& site = program_->sites[id];
    if (site.slot || site.step < first_step || !any(id)) continue;
    if (steps.empty() || steps.back() != site.step) steps.push_back(site.step);
  }
  return steps;
}

template class Taps<float>;
template class Taps<double>;
template class Taps<std::complex<double>>;

}  // namespace lookback::model
