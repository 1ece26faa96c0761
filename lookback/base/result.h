// Errors are values: a function that can fail returns Result<T>, and only the command line prints.
// Callers ask an error's kind; its message is for people, and its wording may change.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace lookback {

enum class ErrorKind {
  bad_input,  ///< a file, key, option or argument is wrong, damaged, or does not fit the others
  not_found,  ///< a file or directory that was named is not there
  busy,       ///< another process holds it
  stopped,    ///< a stop was requested before the work was done
  failed,     ///< the system, or the computation: a full disk, memory, a sum that does not converge
};

/// What went wrong, as one line for a person: where, what was found, what would be right.
struct Error {
  std::string message;
  ErrorKind kind = ErrorKind::bad_input;

  /// The same error with the place where it arose: "WHERE: MESSAGE".
  Error at(std::string_view where) const { return {std::string(where) + ": " + message, kind}; }
  /// The same error with what follows from it, or what helps, after its message.
  Error with(std::string_view more) const { return {message + std::string(more), kind}; }
};

/// A value or an Error. Test it before use: value() of a failed result is undefined.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Error error) : state_(std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& value() { return *std::get_if<0>(&state_); }
  const T& value() const { return *std::get_if<0>(&state_); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  const Error& error() const { return *std::get_if<1>(&state_); }
  bool fails_with(ErrorKind kind) const { return !*this && error().kind == kind; }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  explicit operator bool() const { return !error_.has_value(); }
  const Error& error() const { return *error_; }
  bool fails_with(ErrorKind kind) const { return !*this && error().kind == kind; }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace lookback
