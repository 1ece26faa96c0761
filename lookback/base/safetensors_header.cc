#include "lookback/base/safetensors_header.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "lookback/base/printable.h"

namespace lookback::base {
namespace {

/// Bytes of one element; 0 for a dtype that the format does not define.
std::size_t element_size(std::string_view dtype) {
  constexpr std::array<std::pair<std::string_view, std::size_t>, 16> sizes{{
      {"BOOL", 1},
      {"U8", 1},
      {"I8", 1},
      {"F8_E5M2", 1},
      {"F8_E4M3", 1},
      {"U16", 2},
      {"I16", 2},
      {"F16", 2},
      {"BF16", 2},
      {"U32", 4},
      {"I32", 4},
      {"F32", 4},
      {"U64", 8},
      {"I64", 8},
      {"F64", 8},
      {"C64", 8},
  }};
  const auto known = std::find_if(sizes.begin(), sizes.end(),
                                  [&](const auto& entry) { return entry.first == dtype; });
  return known == sizes.end() ? 0 : known->second;
}

std::string quoted_name(std::string_view name) { return "tensor '" + printable(name) + "'"; }

/// Receives the parser's events and accepts only what a header may contain, in its place. No JSON
/// tree is ever built, so a text of a million brackets costs nothing.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  SafetensorsHeader header;
  std::string problem;

  bool null() override { return refuse("null"); }
  bool boolean(bool) override { return refuse("true or false"); }
  bool number_integer(std::int64_t) override { return refuse("a negative number"); }
  bool number_float(double, const std::string&) override { return refuse("a fraction"); }
  bool binary(nlohmann::json::binary_t&) override { return refuse("binary data"); }

  bool number_unsigned(std::uint64_t number) override {
    if (place_ != Place::list) return refuse("a number");
    if (field_ == "shape") {
      if (header.entries.back().shape.size() == max_safetensors_rank)
        return refuse("more than 16 dimensions");
      header.entries.back().shape.push_back(number);
    } else {
      if (offsets_ == 2) return refuse("more than 2 offsets");
      (offsets_ == 0 ? header.entries.back().begin : header.entries.back().end) = number;
      ++offsets_;
    }
    return true;
  }

  bool string(std::string& text) override {
    if (place_ == Place::metadata) {
      header.metadata[field_] = std::move(text);
      return true;
    }
    if (place_ != Place::tensor || field_ != "dtype") return refuse("a text");
    header.entries.back().dtype = std::move(text);
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::outside) {
      place_ = Place::root;
    } else if (place_ == Place::root && field_ == "__metadata__") {
      place_ = Place::metadata;
    } else if (place_ == Place::root) {
      place_ = Place::tensor;
      fields_.clear();
      offsets_ = 0;
      header.entries.push_back({field_, "", {}, 0, 0});
    } else {
      return refuse("an object");
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::tensor) {
      if (fields_.size() != 3 || offsets_ != 2) {
        return fail(
            quoted_name(header.entries.back().name) +
            ": found an incomplete description, allowed: dtype, shape and two data_offsets");
      }
    }
    place_ = place_ == Place::root ? Place::outside : Place::root;
    return true;
  }

  bool key(std::string& name) override {
    field_ = name;
    if (place_ == Place::root && !names_.insert(name).second) {
      return fail(quoted_name(name) + ": found twice, allowed once");
    }
    if (place_ == Place::metadata && header.metadata.contains(name)) {
      return fail("metadata key '" + printable(name) + "': found twice, allowed once");
    }
    if (place_ == Place::tensor) {
      const bool known = name == "dtype" || name == "shape" || name == "data_offsets";
      if (!known || !fields_.insert(name).second) {
        return fail(quoted_name(header.entries.back().name) + ": found key '" + printable(name) +
                    (known ? "' twice" : "'") + ", allowed: dtype, shape, data_offsets");
      }
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::tensor || field_ == "dtype") return refuse("an array");
    place_ = Place::list;
    return true;
  }

  bool end_array() override {
    place_ = Place::tensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    return fail("header is not JSON at its byte " + std::to_string(position));
  }

 private:
  enum class Place { outside, root, metadata, tensor, list };

  bool fail(std::string text) {
    if (problem.empty()) problem = std::move(text);
    return false;
  }

  bool refuse(const std::string& found) {
    const bool in_tensor = place_ == Place::tensor || place_ == Place::list;
    return fail("header " +
                (in_tensor ? "of " + quoted_name(header.entries.back().name) + " " : "") + "at '" +
                printable(field_) + "': found " + found +
                ", allowed: an object of tensors with dtype, shape, data_offsets");
  }

  Place place_ = Place::outside;
  std::string field_;  // the last key
  std::set<std::string> names_;
  std::set<std::string> fields_;
  std::size_t offsets_ = 0;
};

Status check_entry(const SafetensorsEntry& entry, std::size_t data_size) {
  const std::size_t element = element_size(entry.dtype);
  if (element == 0) {
    return Error{quoted_name(entry.name) + ": found dtype '" + printable(entry.dtype) +
                 "', which is unknown"};
  }
  if (entry.begin > entry.end || entry.end > data_size) {
    return Error{quoted_name(entry.name) + ": found offsets " + std::to_string(entry.begin) +
                 " to " + std::to_string(entry.end) + ", allowed within 0 to " +
                 std::to_string(data_size)};
  }
  std::size_t bytes = 0;
  if (!checked_product(entry.shape, element, bytes) || bytes != entry.end - entry.begin) {
    return Error{quoted_name(entry.name) + ": found " + std::to_string(entry.end - entry.begin) +
                 " bytes, which is not what its shape and dtype " + entry.dtype + " take"};
  }
  return {};
}

}  // namespace

bool checked_product(const std::vector<std::size_t>& shape, std::size_t factor,
                     std::size_t& product) {
  product = factor;
  if (std::find(shape.begin(), shape.end(), std::size_t{0}) != shape.end()) {
    product = 0;
    return true;
  }
  for (const std::size_t size : shape) {
    if (product > std::numeric_limits<std::size_t>::max() / size) return false;
    product *= size;
  }
  return true;
}

Result<SafetensorsHeader> parse_safetensors_header(std::string_view json, std::size_t data_size) {
  HeaderReader reader;
  const bool parsed = nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
  if (!parsed) return Error{reader.problem.empty() ? "header is not JSON" : reader.problem};
  SafetensorsHeader& header = reader.header;
  for (const SafetensorsEntry& entry : header.entries) {
    if (Status status = check_entry(entry, data_size); !status) return status.error();
  }
  std::stable_sort(header.entries.begin(), header.entries.end(),
                   [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
                     return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
                   });
  std::size_t covered = 0;
  for (const SafetensorsEntry& entry : header.entries) {
    if (entry.begin != covered) {
      return Error{quoted_name(entry.name) + ": found at offset " + std::to_string(entry.begin) +
                   ", allowed: " + std::to_string(covered) + ", without hole or overlap"};
    }
    covered = entry.end;
  }
  if (covered != data_size) {
    return Error{"found " + std::to_string(data_size) +
                 " bytes of data, but the header describes " + std::to_string(covered)};
  }
  return std::move(header);
}

}  // namespace lookback::base
