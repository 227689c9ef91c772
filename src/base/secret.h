// Secret: text that must not reach a log, an error message or a core dump's strings by accident.

#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace flowstore {

// Holds a token, password or key. Has no stream operator and no conversion: reveal() is the only
// way out and easy to find in review. Wiped when it dies.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) noexcept = default;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&&) noexcept = default;
  ~Secret();

  std::string_view reveal() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }

 private:
  std::string text_;
};

}  // namespace flowstore
