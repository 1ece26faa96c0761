#include "lookback/model/construct.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>

#include "lookback/base/require.h"
#include "lookback/model/program.h"

namespace lookback::model {
namespace {

/// With p >= 29, rho < 0.19, well below the 1/3 that the proof needs: nonzero products act as noise
/// where nothing is known, and this p still fits the article's D = 128 and E = 64.
constexpr std::size_t least_prime = 29;

// In nats.
constexpr double pattern_margin = 20;  // of head 0's two offsets over each other one
constexpr double match_margin = 12;    // of the current token over the one before it
constexpr double tie_break = 7;        // of the token before: more would make its noise decide too
constexpr double logit_margin = 6;     // above ln V: what all other tokens together get

/// Large enough for the tie-break to work on scores that floats resolve to 0.001.
constexpr double earlier_share = 0.002;
constexpr double smear_logit = -20;

std::size_t circles_for(std::size_t context) {
  std::size_t circles = 1;
  for (std::size_t reach = 4; reach + 1 < context; reach *= 4) ++circles;
  return circles;
}

double frequency(std::size_t circle) {
  return 2 * std::numbers::pi / std::pow(4.0, static_cast<double>(circle + 1));
}

/// a_j and d_j of f(t - s) = sum_j a_j cos w_j (t - s - d_j).
struct Wave {
  double height;
  double peak;  ///< offset
};

Wave wave(const Circuit& circuit, std::size_t circle) {
  if (circle == 0) {
    const double first =
        pattern_margin / 2 + std::log(circuit.previous_share / circuit.earlier_share);
    const double second = pattern_margin / 2;
    return {std::hypot(first, second), 1 + std::atan2(second, first) / frequency(0)};
  }
  const double half = frequency(circle) / 2;
  return {pattern_margin / (std::cos(half) - std::sin(half)), 1.5};
}

/// Fills one weight matrix of a program, in given rows and columns.
class Weights {
 public:
  Weights(const Program& program, std::span<float> parameters, std::string_view name)
      : info_(program.find_parameter(name)), parameters_(parameters) {}

  float& at(std::size_t row, std::size_t col) const {
    return parameters_[info_->offset + row * info_->cols + col];
  }
  std::span<float> row(std::size_t row) const {
    return parameters_.subspan(info_->offset + row * info_->cols, info_->cols);
  }
  /// value times the identity, [size,size] from (row, col) on.
  void diagonal(std::size_t row, std::size_t col, std::size_t size, double value) const {
    for (std::size_t i = 0; i < size; ++i) at(row + i, col + i) = static_cast<float>(value);
  }

 private:
  const ParameterInfo* info_;
  std::span<float> parameters_;
};

/// Writes the weights of the circuit into a program's parameters, which are zeros.
class Builder {
 public:
  Builder(const Circuit& circuit, const Program& program, std::span<float> parameters)
      : circuit_(circuit),
        program_(program),
        parameters_(parameters),
        width_(circuit.code.width()),
        scale_(std::sqrt(static_cast<double>(program.architecture.d_head))) {}

  void embed() const {
    const Weights tokens = weights("embed.W_E");
    const Weights unembed = weights("unembed.W_U");
    for (std::size_t x = 0; x < program_.architecture.vocabulary; ++x) {
      const std::span<float> code = tokens.row(x).first(width_);
      circuit_.code.write(x, code);
      for (std::size_t i = 0; i < width_; ++i) unembed.at(i, x) = code[i];
    }
  }

  void place() const {
    const Weights positions = weights("pos_embed.W_pos");
    for (std::size_t t = 0; t < program_.architecture.context; ++t) {
      for (std::size_t j = 0; j < circuit_.circles; ++j) {
        const double angle = frequency(j) * static_cast<double>(t);
        positions.at(t, position() + 2 * j) = static_cast<float>(std::cos(angle));
        positions.at(t, position() + 2 * j + 1) = static_cast<float>(std::sin(angle));
      }
      positions.at(t, mark()) = 1;
    }
    positions.at(0, mark()) = -1;
    positions.at(1, mark()) = static_cast<float>(1 - tie_break / 2 / circuit_.mark_gain);
  }

  void previous_token_head(const std::string& head) const {
    const Weights query = weights(head + ".W_Q");
    weights(head + ".W_K").diagonal(position(), 0, 2 * circuit_.circles, 1);
    for (std::size_t j = 0; j < circuit_.circles; ++j) {
      const auto [height, peak] = wave(circuit_, j);
      const double cosine = scale_ * height * std::cos(frequency(j) * peak);
      const double sine = scale_ * height * std::sin(frequency(j) * peak);
      query.diagonal(position() + 2 * j, 2 * j, 2, cosine);
      query.at(position() + 2 * j, 2 * j + 1) = static_cast<float>(-sine);
      query.at(position() + 2 * j + 1, 2 * j) = static_cast<float>(sine);
    }
    weights(head + ".W_V").diagonal(token(), 0, width_, 1);
    weights(head + ".W_O").diagonal(0, previous(), width_, 1);
  }

  void induction_head(const std::string& head) const {
    const Weights query = weights(head + ".W_Q");
    const Weights key = weights(head + ".W_K");
    query.diagonal(token(), 0, width_, scale_ * circuit_.current_gain);
    query.diagonal(previous(), 0, width_, scale_ * circuit_.previous_gain);
    query.diagonal(mark(), width_, 1, scale_ * circuit_.mark_gain);
    key.diagonal(previous(), 0, width_, 1);
    key.diagonal(mark(), width_, 1, 1);
    copy(head);
  }

  void smeared_head(const std::string& head) const {
    weights(head + ".W_Q").diagonal(token(), 0, width_, scale_ * circuit_.current_gain);
    weights(head + ".W_K").diagonal(token(), 0, width_, 1);
    weights(head + ".smear").at(0, 0) = static_cast<float>(smear_logit);
    copy(head);
  }

 private:
  Weights weights(const std::string& name) const { return {program_, parameters_, name}; }

  void copy(const std::string& head) const {
    weights(head + ".W_V").diagonal(token(), 0, width_, 1);
    weights(head + ".W_O").diagonal(0, token(), width_, circuit_.copy_gain);
  }

  // The columns at which the parts of the stream begin.
  static std::size_t token() { return 0; }
  std::size_t previous() const { return width_; }
  std::size_t position() const { return 2 * width_; }
  std::size_t mark() const { return 2 * width_ + 2 * circuit_.circles; }

  const Circuit& circuit_;
  const Program& program_;
  std::span<float> parameters_;
  std::size_t width_;
  double scale_;  ///< sqrt(E), which every score is divided by
};

Architecture architecture_of(const Construction& construction) {
  Architecture a;
  a.vocabulary = construction.vocabulary;
  a.context = construction.context;
  a.d_model = construction.d_model;
  a.d_head = construction.d_head;
  a.norm = a.mlp_norm = a.final_norm = NormKind::none;
  if (construction.kind == ConstructionKind::two_layer) a.layers = 2;
  if (construction.kind == ConstructionKind::sequential) a.steps = 2;
  if (construction.kind == ConstructionKind::smeared) {
    a.smeared_keys = true;
    a.positions = Positions::none;
  }
  return a;
}

Status check_room(const Construction& construction, const Circuit& circuit) {
  const bool smeared = construction.kind == ConstructionKind::smeared;
  const std::size_t p = circuit.code.prime();
  const std::string& name = construction_names()[static_cast<std::size_t>(construction.kind)];
  const std::string prime = fmt::format("p = {} is the smallest prime from {} with 2 p^2 >= V = {}",
                                        p, least_prime, construction.vocabulary);
  if (construction.d_model < circuit.least_d_model) {
    const std::string parts =
        smeared
            ? std::string("2p for the token")
            : fmt::format("4p for two tokens, 2 x {} for positions, 1 for a mark", circuit.circles);
    return Error{fmt::format("{}: found d_model {}, allowed at least {}: {}; {}", name,
                             construction.d_model, circuit.least_d_model, parts, prime)};
  }
  if (construction.d_head < circuit.least_d_head) {
    const char* parts = smeared ? "2p for the token" : "2p for the token, 1 for a mark";
    return Error{fmt::format("{}: found d_head {}, allowed at least {}: {}; {}", name,
                             construction.d_head, circuit.least_d_head, parts, prime)};
  }
  return {};
}

}  // namespace

std::span<const std::string> construction_names() {
  static const std::vector<std::string> names{"two-layer", "sequential", "smeared"};
  return names;
}

Circuit circuit_of(const Construction& construction) {
  const TokenCode code(construction.vocabulary, least_prime);
  const double room = 1 - code.coherence();  // by which equal tokens stand above others
  const double vocabulary = std::log(static_cast<double>(construction.vocabulary));
  Circuit circuit{.code = code};
  circuit.copy_gain = (vocabulary + logit_margin) / room;
  if (construction.kind == ConstructionKind::smeared) {
    const double sources = std::log(static_cast<double>(construction.context));
    circuit.current_gain = (match_margin + sources) / room;
    circuit.least_d_model = circuit.least_d_head = code.width();
    return circuit;
  }
  circuit.circles = circles_for(construction.context);
  circuit.earlier_share = earlier_share;
  circuit.previous_share = 1 - earlier_share;
  circuit.previous_gain = tie_break / (circuit.previous_share * circuit.earlier_share);
  circuit.current_gain = circuit.previous_gain + match_margin / room;
  circuit.mark_gain = match_margin / 2;
  circuit.least_d_model = 2 * code.width() + 2 * circuit.circles + 1;
  circuit.least_d_head = std::max(code.width() + 1, 2 * circuit.circles);
  return circuit;
}

double expected_loss(std::size_t vocabulary, std::size_t period, std::size_t context, bool gaps) {
  LOOKBACK_REQUIRE(vocabulary > 0 && period > 0 && context > 0);
  const auto v = static_cast<double>(vocabulary), p = static_cast<double>(period);
  const double copies = static_cast<double>(context) / p;
  const double beginnings = gaps || copies <= 2 ? std::max(1.0, 16 / p) : 2 / copies;
  const double ties = p / (v * v);
  const double share = std::max(0.65 * ties, 0.5 * ties + 0.08 * beginnings / v);
  return circuit_of({.vocabulary = vocabulary}).copy_gain * share;
}

std::size_t least_vocabulary(std::size_t period, std::size_t context) {
  std::size_t vocabulary = 2;
  while (expected_loss(vocabulary, period, context, false) > promised_loss) ++vocabulary;
  return vocabulary;
}

Result<ConstructedModel> construct(const Construction& construction) {
  const Architecture architecture = architecture_of(construction);
  if (Status status = validate(architecture); !status) return status.error();
  const Circuit circuit = circuit_of(construction);
  if (Status status = check_room(construction, circuit); !status) return status.error();
  const Result<Program> program = compile(architecture);
  if (!program) return program.error();
  ConstructedModel model{architecture, std::vector<float>(program->buffer_size)};
  const Builder builder(circuit, *program, model.parameters);
  builder.embed();
  switch (construction.kind) {
    case ConstructionKind::two_layer:
      builder.place();
      builder.previous_token_head("blocks.0.attn");
      builder.induction_head("blocks.1.attn");
      break;
    case ConstructionKind::sequential:
      builder.place();
      builder.previous_token_head("blocks.0.steps.0.attn");
      builder.induction_head("blocks.0.steps.1.attn");
      break;
    case ConstructionKind::smeared:
      builder.smeared_head("blocks.0.attn");
      break;
  }
  return model;
}

}  // namespace lookback::model
