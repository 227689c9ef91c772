// Result<T>: a T or an Error. The subset of std::expected we use, under its names, so that this
// file can become an alias of std::expected<T, Error> when the compiler has it.

#pragma once

#include <cassert>
#include <optional>
#include <utility>
#include <variant>

#include "base/error.h"

namespace flowstore {

// Implicit from both sides, so that `return value;` and `return Error(...);` read naturally.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  // Precondition of the four accessors: the matching alternative is held. Checked in debug builds.
  T& operator*() & noexcept { return *checked<0>(); }
  const T& operator*() const& noexcept { return *checked<0>(); }
  T&& operator*() && noexcept { return std::move(*checked<0>()); }
  T* operator->() noexcept { return checked<0>(); }
  const T* operator->() const noexcept { return checked<0>(); }
  const Error& error() const& noexcept { return *checked<1>(); }
  Error&& error() && noexcept { return std::move(*checked<1>()); }

 private:
  template <std::size_t I>
  auto* checked() noexcept {
    auto* held = std::get_if<I>(&state_);
    assert(held != nullptr);
    return held;
  }
  template <std::size_t I>
  const auto* checked() const noexcept {
    const auto* held = std::get_if<I>(&state_);
    assert(held != nullptr);
    return held;
  }

  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool has_value() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return has_value(); }
  const Error& error() const& noexcept { return *error_; }
  Error&& error() && noexcept { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace flowstore

#define FLOWSTORE_CONCAT_INNER(a, b) a##b
#define FLOWSTORE_CONCAT(a, b) FLOWSTORE_CONCAT_INNER(a, b)

// FLOWSTORE_TRY(auto body, read(path));               declares body, or returns the error
// FLOWSTORE_CO_TRY(auto body, co_await store.get(k)); the same inside a coroutine
// FLOWSTORE_TRY_STATUS / FLOWSTORE_CO_TRY_STATUS          when there is no value to keep
#define FLOWSTORE_TRY(declaration, expression)                                            \
  FLOWSTORE_TRY_INNER(FLOWSTORE_CONCAT(flowstore_result_, __LINE__), return, declaration, \
                      expression)
#define FLOWSTORE_CO_TRY(declaration, expression)                                            \
  FLOWSTORE_TRY_INNER(FLOWSTORE_CONCAT(flowstore_result_, __LINE__), co_return, declaration, \
                      expression)
#define FLOWSTORE_TRY_STATUS(expression)                       \
  if (auto flowstore_status = (expression); !flowstore_status) \
  return std::move(flowstore_status).error()
#define FLOWSTORE_CO_TRY_STATUS(expression)                    \
  if (auto flowstore_status = (expression); !flowstore_status) \
  co_return std::move(flowstore_status).error()
#define FLOWSTORE_TRY_INNER(result, return_keyword, declaration, expression) \
  auto result = (expression);                                                \
  if (!result) return_keyword std::move(result).error();                     \
  declaration = *std::move(result)
