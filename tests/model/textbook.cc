#include "tests/model/textbook.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>

namespace lookback::model::spec {
namespace {

double dot(const Row& x, const Row& y) {
  double total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) total += x[i] * y[i];
  return total;
}

double mean(const Row& x) {
  double total = 0;
  for (const double number : x) total += number;
  return total / static_cast<double>(x.size());
}

double gelu(double x) {
  const double pi = std::acos(-1.0);
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / pi) * (x + 0.044715 * std::pow(x, 3))));
}

}  // namespace

Rows sum(const Rows& x, const Rows& y) {
  Rows z = x;
  for (std::size_t t = 0; t < x.size(); ++t) {
    for (std::size_t i = 0; i < x[t].size(); ++i) z[t][i] += y[t][i];
  }
  return z;
}

const ParameterInfo& Textbook::parameter(const std::string& name) const {
  static const ParameterInfo none;
  const ParameterInfo* info = program_.find_parameter(name);
  if (info == nullptr) ADD_FAILURE() << "the program has no parameter " << name;
  return info == nullptr ? none : *info;
}

double Textbook::number(const std::string& name, std::size_t row, std::size_t col) const {
  const ParameterInfo& info = parameter(name);
  return parameters_.at(info.offset + row * info.cols + col);
}

Rows Textbook::token_embedding(std::span<const Token> tokens) const {
  Rows x;
  for (const Token token : tokens) {
    Row row;
    for (std::size_t i = 0; i < a_.d_model; ++i) row.push_back(number("embed.W_E", token, i));
    x.push_back(row);
  }
  return x;
}

Rows Textbook::position_embedding(std::size_t length) const {
  Rows x;
  for (std::size_t t = 0; t < length; ++t) {
    Row row;
    for (std::size_t i = 0; i < a_.d_model; ++i) row.push_back(number("pos_embed.W_pos", t, i));
    x.push_back(row);
  }
  return x;
}

/// LayerNorm: (x - mean x) / sqrt(var x + 1e-5) w + b (Ba et al. 2016); RMSNorm: x / sqrt(mean x^2 +
/// 1e-5) w (Zhang and Sennrich 2019).
Rows Textbook::norm(NormKind kind, const std::string& name, const Rows& x) const {
  if (kind == NormKind::none) return x;
  Rows y = x;
  for (Row& row : y) {
    const double center = kind == NormKind::layernorm ? mean(row) : 0;
    Row squares;
    for (double& number : row) squares.push_back((number - center) * (number - center));
    const double scale = std::sqrt(mean(squares) + 1e-5);
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = (row[i] - center) / scale * number(name + ".w", 0, i);
      if (kind == NormKind::layernorm) row[i] += number(name + ".b", 0, i);
    }
  }
  return y;
}

/// x W + b, where there is a b.
Rows Textbook::linear(const std::string& weight, const std::string& bias, const Rows& x) const {
  const std::size_t outputs = parameter(weight).cols;
  Rows y(x.size(), Row(outputs, 0));
  for (std::size_t t = 0; t < x.size(); ++t) {
    for (std::size_t j = 0; j < outputs; ++j) {
      for (std::size_t i = 0; i < x[t].size(); ++i) y[t][j] += x[t][i] * number(weight, i, j);
      if (has(bias)) y[t][j] += number(bias, 0, j);
    }
  }
  return y;
}

/// The E columns of one head, of heads laid side by side.
Rows Textbook::head_columns(const Rows& x, std::size_t h) const {
  Rows y;
  for (const Row& row : x) {
    Row part;
    for (std::size_t i = 0; i < a_.d_head; ++i) part.push_back(row[h * a_.d_head + i]);
    y.push_back(part);
  }
  return y;
}

/// Numbers i and i + E/2 of position t, as a complex number, times exp(i t base^(-2 i / E)). Su et
/// al. 2021.
Rows Textbook::rotated(const Rows& x) const {
  const std::size_t half = a_.d_head / 2;
  Rows y = x;
  for (std::size_t t = 0; t < x.size(); ++t) {
    for (std::size_t i = 0; i < half; ++i) {
      const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(a_.d_head);
      const double angle = static_cast<double>(t) * std::pow(a_.rotary_base, exponent);
      const std::complex<double> z =
          std::complex<double>(x[t][i], x[t][i + half]) * std::polar(1.0, angle);
      y[t][i] = z.real();
      y[t][i + half] = z.imag();
    }
  }
  return y;
}

/// k_j <- s k_j + (1 - s) k_{j-1}; the first key has none before it.
Rows Textbook::smeared(double share, const Rows& x) const {
  Rows y = x;
  for (std::size_t t = 1; t < x.size(); ++t) {
    for (std::size_t i = 0; i < x[t].size(); ++i) {
      y[t][i] = share * x[t][i] + (1 - share) * x[t - 1][i];
    }
  }
  return y;
}

/// softmax(q k^T / sqrt(E)) v for one head, before W_O: [T,E].
Rows Textbook::head(const std::string& name, std::size_t h, const Rows& x) const {
  Rows matching = x;
  if (a_.positions == Positions::shortformer) matching = sum(x, position_embedding(x.size()));
  Rows q = head_columns(linear(name + ".W_Q", name + ".b_Q", matching), h);
  Rows k = head_columns(linear(name + ".W_K", name + ".b_K", matching), h);
  if (a_.smeared_keys) k = smeared(1 / (1 + std::exp(-number(name + ".smear", 0, h))), k);
  Rows v = k;
  if (a_.positions == Positions::rotary) {
    q = rotated(q);
    k = rotated(k);
  }
  if (a_.no_ov_value == NoOvValue::after_rotation) v = k;
  if (!a_.no_ov) v = head_columns(linear(name + ".W_V", name + ".b_V", x), h);

  Rows z(x.size(), Row(a_.d_head, 0));
  for (std::size_t t = 0; t < x.size(); ++t) {
    Row weight;
    double total = 0;
    for (std::size_t s = 0; s <= t; ++s) {
      weight.push_back(std::exp(dot(q[t], k[s]) / std::sqrt(static_cast<double>(a_.d_head))));
      total += weight[s];
    }
    for (std::size_t s = 0; s <= t; ++s) {
      for (std::size_t i = 0; i < a_.d_head; ++i) z[t][i] += weight[s] / total * v[s][i];
    }
  }
  return z;
}

Rows Textbook::attention(const std::string& name, const Rows& x) const {
  Rows side_by_side(x.size());
  for (std::size_t h = 0; h < a_.heads; ++h) {
    const Rows z = head(name, h, x);
    for (std::size_t t = 0; t < x.size(); ++t) {
      side_by_side[t].insert(side_by_side[t].end(), z[t].begin(), z[t].end());
    }
  }
  return a_.no_ov ? side_by_side : linear(name + ".W_O", name + ".b_O", side_by_side);
}

Rows Textbook::mlp(const std::string& name, const Rows& x) const {
  Rows hidden = linear(name + ".W_in", name + ".b_in", x);
  for (Row& row : hidden) {
    for (double& number : row) number = gelu(number);
  }
  return linear(name + ".W_out", name + ".b_out", hidden);
}

Rows Textbook::layer(std::size_t l, const Rows& x) const {
  const std::string block = "blocks." + std::to_string(l);
  const Rows n = norm(a_.norm_of(l), block + ".ln1", x);
  Rows written(x.size(), Row(a_.d_model, 0));
  for (std::size_t s = 0; s < a_.steps; ++s) {
    const std::string step = block + ".steps." + std::to_string(s);
    const bool own_weights = a_.steps > 1 && !a_.shared_weights;
    const std::string weights = own_weights ? step + ".attn" : block + ".attn";
    Rows in = n;
    if (s > 0) {
      in = sum(a_.step_input == StepInput::raw ? x : n, written);
      in = norm(a_.norm_between, step + ".ln", in);
    }
    written = sum(written, attention(weights, in));
  }
  Rows middle = sum(x, written);
  if (a_.d_mlp == 0) return middle;
  return sum(middle, mlp(block + ".mlp", norm(a_.mlp_norm, block + ".ln2", middle)));
}

Rows Textbook::unembed(const Rows& x) const {
  if (!a_.tied_embeddings) return linear("unembed.W_U", "", x);
  Rows y(x.size(), Row(a_.vocabulary, 0));
  for (std::size_t t = 0; t < x.size(); ++t) {
    for (std::size_t v = 0; v < a_.vocabulary; ++v) {
      for (std::size_t i = 0; i < a_.d_model; ++i) y[t][v] += x[t][i] * number("embed.W_E", v, i);
    }
  }
  return y;
}

Rows Textbook::logits(std::span<const Token> tokens) const {
  Rows x = token_embedding(tokens);
  if (a_.positions == Positions::learned) x = sum(x, position_embedding(x.size()));
  for (std::size_t l = 0; l < a_.layers; ++l) x = layer(l, x);
  return unembed(norm(a_.final_norm, "ln_final", x));
}

}  // namespace lookback::model::spec
