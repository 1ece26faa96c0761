#include "lookback/base/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "lookback/base/checksum.h"
#include "lookback/base/file.h"
#include "lookback/base/memory.h"
#include "lookback/base/nearest.h"
#include "lookback/base/printable.h"
#include "lookback/base/safetensors_header.h"

namespace lookback::base {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::size_t prefix_size = 8;                  // the length of the header
constexpr std::size_t alignment = 64;                   // of the data section, in the file
constexpr std::size_t max_file = std::size_t{1} << 36;  // 4.3e9 parameters with their moments
constexpr std::string_view checksum_key = "checksum";
constexpr std::string_view no_checksum = "0000000000000000";

std::array<std::byte, prefix_size> length_bytes(std::size_t length) {
  return std::bit_cast<std::array<std::byte, prefix_size>>(std::uint64_t{length});
}

/// Where the digits of the checksum stand in a header; npos when there are none. The pattern cannot
/// occur within a JSON text, whose quotes are escaped.
std::size_t checksum_digits(std::string_view header) {
  const std::string pattern = "\"" + std::string(checksum_key) + "\":\"";
  const std::size_t found = header.find(pattern);
  if (found == std::string_view::npos) return found;
  const std::size_t digits = found + pattern.size();
  const std::size_t end = header.find('"', digits);
  return end == digits + no_checksum.size() ? digits : std::string_view::npos;
}

/// XXH3 over the file with the digits as zeros.
std::string expected_checksum(std::string_view header, std::size_t digits,
                              std::span<const Bytes> data) {
  const auto length = length_bytes(header.size());
  std::vector<Bytes> parts{length, bytes_of(header.substr(0, digits)), bytes_of(no_checksum),
                           bytes_of(header.substr(digits + no_checksum.size()))};
  parts.insert(parts.end(), data.begin(), data.end());
  return checksum_text(parts);
}

/// IEEE 754 half precision: 1 sign, 5 exponent (bias 15), 10 fraction bits.
float from_half(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const std::uint32_t sign = static_cast<std::uint32_t>(bits >> 15) << 31;
  if (exponent == 31) {
    return std::bit_cast<float>(sign | 0x7f800000u | (static_cast<std::uint32_t>(fraction) << 13));
  }
  const float magnitude = exponent == 0
                              ? std::ldexp(static_cast<float>(fraction), -24)
                              : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
}

float from_bfloat(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

bool is_readable(std::string_view dtype) {
  return dtype == "F32" || dtype == "F16" || dtype == "BF16";
}

/// Appends the values of a readable tensor.
void append_values(std::string_view dtype, std::string_view bytes, std::vector<float>& values) {
  const std::size_t first = values.size();
  if (dtype == "F32") {
    values.resize(first + bytes.size() / sizeof(float));
    if (!bytes.empty()) std::memcpy(values.data() + first, bytes.data(), bytes.size());
    return;
  }
  for (std::size_t i = 0; i + 2 <= bytes.size(); i += 2) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes.data() + i, sizeof(bits));
    values.push_back(dtype == "F16" ? from_half(bits) : from_bfloat(bits));
  }
}

Status check_tensors(std::span<const Tensor> tensors) {
  std::set<std::string_view> names;
  for (const Tensor& tensor : tensors) {
    const std::string where = "tensor '" + printable(tensor.name) + "'";
    if (tensor.name == "__metadata__") return Error{where + ": the name is reserved"};
    if (!names.insert(tensor.name).second) return Error{where + ": found twice, allowed once"};
    if (tensor.shape.size() > max_safetensors_rank) {
      return Error{where + ": found " + std::to_string(tensor.shape.size()) +
                   " dimensions, allowed at most " + std::to_string(max_safetensors_rank)};
    }
    std::size_t count = 0;
    if (!checked_product(tensor.shape, 1, count) || count != tensor.values.size()) {
      return Error{where + ": found " + std::to_string(tensor.values.size()) +
                   " values, which is not the product of its shape"};
    }
  }
  return {};
}

/// The header with zeros for a checksum, padded. Errors: text that is not UTF-8.
Result<std::string> make_header(std::span<const Tensor> tensors,
                                std::map<std::string, std::string> metadata) {
  metadata[std::string(checksum_key)] = no_checksum;
  try {
    std::string header = "{\"__metadata__\":" + nlohmann::json(metadata).dump();
    std::size_t offset = 0;
    for (const Tensor& tensor : tensors) {
      const std::size_t end = offset + tensor.values.size_bytes();
      header += "," + nlohmann::json(tensor.name).dump() +
                ":{\"dtype\":\"F32\",\"shape\":" + nlohmann::json(tensor.shape).dump() +
                ",\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(end) + "]}";
      offset = end;
    }
    header += "}";
    const std::size_t over = (prefix_size + header.size()) % alignment;
    if (over != 0) header.append(alignment - over, ' ');
    return header;
  } catch (const nlohmann::json::exception&) {
    return Error{"a name or metadata text is not UTF-8"};
  }
}

}  // namespace

Status write_safetensors(const std::filesystem::path& path, std::span<const Tensor> tensors,
                         const std::map<std::string, std::string>& metadata) {
  const std::string where = path.string() + ": cannot write";
  const auto failed = [&](const std::string& why) { return Error{why}.at(where); };
  if (metadata.contains(std::string(checksum_key))) {
    return failed("metadata key 'checksum' is reserved");
  }
  if (Status status = check_tensors(tensors); !status) return status.error().at(where);
  Result<std::string> header = make_header(tensors, metadata);
  if (!header) return header.error().at(where);
  if (header->size() > max_safetensors_header) {
    return failed("found a header of " + std::to_string(header->size()) + " bytes, allowed " +
                  std::to_string(max_safetensors_header));
  }
  std::vector<Bytes> data;
  std::size_t size = prefix_size + header->size();
  for (const Tensor& tensor : tensors) {
    data.push_back(std::as_bytes(tensor.values));
    size += data.back().size();
  }
  if (size > max_file) {
    return failed("it would have " + std::to_string(size) + " bytes, allowed " +
                  std::to_string(max_file));
  }
  const std::size_t digits = checksum_digits(*header);
  if (digits == std::string::npos) return failed("no place for the checksum");
  header->replace(digits, no_checksum.size(), expected_checksum(*header, digits, data));

  const auto length = length_bytes(header->size());
  std::vector<Bytes> parts{length, bytes_of(*header)};
  parts.insert(parts.end(), data.begin(), data.end());
  return write_file_atomically(path, parts);
}

struct SafetensorsFile::Contents {
  struct Placed {
    SafetensorsEntry entry;
    std::size_t first_value = 0;  // in `values`, where the dtype is readable
    std::size_t value_count = 0;
  };
  std::string file_name;
  std::vector<Placed> tensors;
  std::map<std::string, std::size_t, std::less<>> index;  // name -> place in `tensors`
  std::map<std::string, std::string> metadata;
  std::vector<float> values;
  bool has_checksum = false;
};

SafetensorsFile::SafetensorsFile(std::unique_ptr<Contents> contents)
    : contents_(std::move(contents)) {}
SafetensorsFile::SafetensorsFile(SafetensorsFile&&) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&&) noexcept = default;
SafetensorsFile::~SafetensorsFile() = default;

Result<SafetensorsFile> SafetensorsFile::read(const std::filesystem::path& path) {
  const Result<std::string> bytes = read_file(path, max_file);
  if (!bytes) return bytes.error();
  return parse(*bytes, path.string());
}

Result<SafetensorsFile> SafetensorsFile::parse(std::string_view bytes,
                                               const std::string& file_name) {
  const std::string where = file_name + ": damaged, or not a safetensors file";
  const auto bad = [&](const std::string& why) { return Error{why}.at(where); };
  if (bytes.size() < prefix_size) {
    return bad("found " + std::to_string(bytes.size()) + " bytes, allowed: 8 or more");
  }
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), prefix_size);
  if (length > max_safetensors_header || length > bytes.size() - prefix_size) {
    return bad("found a header length of " + std::to_string(length) + ", allowed at most " +
               std::to_string(std::min(max_safetensors_header, bytes.size() - prefix_size)));
  }
  const std::string_view header_text = bytes.substr(prefix_size, length);
  const std::string_view data = bytes.substr(prefix_size + length);
  Result<SafetensorsHeader> header = parse_safetensors_header(header_text, data.size());
  if (!header) return header.error().at(where);

  auto contents = std::make_unique<Contents>();
  const auto stored = header->metadata.find(std::string(checksum_key));
  contents->has_checksum = stored != header->metadata.end();
  if (contents->has_checksum) {
    const std::size_t digits = checksum_digits(header_text);
    const Bytes data_bytes = bytes_of(data);
    if (digits == std::string::npos ||
        expected_checksum(header_text, digits, {&data_bytes, 1}) != stored->second) {
      return Error{file_name + ": damaged: its checksum is not that of its contents"};
    }
  }

  contents->file_name = file_name;
  contents->metadata = std::move(header->metadata);
  std::size_t count = 0;
  for (const SafetensorsEntry& entry : header->entries) {
    if (is_readable(entry.dtype))
      count += (entry.end - entry.begin) / (entry.dtype == "F32" ? 4 : 2);
  }
  try {
    contents->values.reserve(count);
  } catch (const std::bad_alloc&) {
    return Error{file_name + ": not enough memory for its values: " +
                     memory_text(count * sizeof(float)) + " are needed",
                 ErrorKind::failed};
  }
  for (SafetensorsEntry& entry : header->entries) {
    const std::size_t first = contents->values.size();
    if (is_readable(entry.dtype)) {
      append_values(entry.dtype, data.substr(entry.begin, entry.end - entry.begin),
                    contents->values);
    }
    contents->index[entry.name] = contents->tensors.size();
    contents->tensors.push_back({std::move(entry), first, contents->values.size() - first});
  }
  return SafetensorsFile(std::move(contents));
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> result;
  for (const Contents::Placed& tensor : contents_->tensors) result.push_back(tensor.entry.name);
  return result;
}

bool SafetensorsFile::contains(std::string_view name) const {
  return contents_->index.find(name) != contents_->index.end();
}

Result<Tensor> SafetensorsFile::find(std::string_view name) const {
  const std::string where = contents_->file_name + ": tensor '" + printable(name) + "'";
  const auto place = contents_->index.find(name);
  if (place == contents_->index.end()) {
    const auto meant = nearest(name, names());
    return Error{where + " is missing" + (meant ? "; nearest: '" + printable(*meant) + "'" : "")};
  }
  const Contents::Placed& tensor = contents_->tensors[place->second];
  if (!is_readable(tensor.entry.dtype)) {
    return Error{where + ": found dtype " + tensor.entry.dtype + ", allowed: F32, F16, BF16"};
  }
  return Tensor{
      tensor.entry.name, tensor.entry.shape,
      std::span<const float>(contents_->values).subspan(tensor.first_value, tensor.value_count)};
}

const std::map<std::string, std::string>& SafetensorsFile::metadata() const {
  return contents_->metadata;
}

bool SafetensorsFile::has_checksum() const { return contents_->has_checksum; }

}  // namespace lookback::base
