// Taking a request target apart.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowstore::api {

// The two halves of a target as sent: its path ends at the first '?' or '#'.
struct Target {
  std::string_view path;
  std::string_view query;  // behind a '?', with any '#'; empty where '#' came first
  std::string_view tail;   // behind either of them, which the old server reads as the query
};

Target split_target(std::string_view target);

// Decodes %XX once. Nothing if a '%' is not followed by two hex digits or the result is not UTF-8,
// as JavaScript's decodeURIComponent refuses both.
std::optional<std::string> percent_decode(std::string_view text);

// No overlong forms, surrogates or cut characters.
bool is_utf8(std::string_view text) noexcept;

// The length as JavaScript counts it, in UTF-16 code units. `text` is UTF-8.
std::size_t utf16_length(std::string_view text) noexcept;

// The parameters of a query, as the old server reads them: '+' is a space, and a word that
// percent_decode refuses stays as it was sent.
class Query {
 public:
  explicit Query(std::string_view query);

  // The first value of that name: empty for a bare name ("?list"), nothing if it was not sent.
  std::optional<std::string_view> find(std::string_view name) const;
  // Whether a switch is on: sent ("?list", "?list=1"), and not as false, no or 0 in any case.
  bool is_on(std::string_view name) const;
  // Every value of that name, in order.
  std::vector<std::string_view> all(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace flowstore::api
