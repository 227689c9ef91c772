#include "config/value.h"

#include <algorithm>
#include <filesystem>

#include "config/scalars.h"
#include "config/text_file.h"

namespace flowstore::config {

std::string list_of(const std::vector<std::string_view>& names) {
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) list += i + 1 == names.size() ? " or " : ", ";
    list += names[i];
  }
  return list;
}

void Value::reject(std::string message) const {
  problems_.reject(key_, node_.line, std::move(message));
}

void Value::warn(std::string message) const {
  problems_.warn(key_, node_.line, std::move(message));
}

bool Value::is_falsy() const {
  if (node_.kind != YamlNode::Kind::scalar) return false;
  return node_.text.empty() || parse_flag(node_.text) == false || parse_whole(node_.text) == 0;
}

std::string Value::shown() const { return is_secret_ ? "it" : in_quotes(node_.text); }

std::optional<std::string> Value::scalar() const {
  if (node_.kind == YamlNode::Kind::scalar) return node_.text;
  reject("must be a single value, not a list or a group of options");
  return std::nullopt;
}

std::optional<std::string> Value::text() const {
  auto text = scalar();
  if (!text) return std::nullopt;
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (text->empty()) {
    reject("is empty; give it a value or remove the line");
    return std::nullopt;
  }
  if (std::any_of(text->begin(), text->end(), is_control)) {
    reject(shown() + " holds control characters; remove them");
    return std::nullopt;
  }
  return text;
}

std::optional<std::string> Value::file_name() const {
  const auto given = scalar();
  if (!given) return std::nullopt;
  if (given->starts_with("-----BEGIN")) {
    reject("is the text of a certificate or key; put it into a file and name that");
    return std::nullopt;
  }
  const auto name = text();
  if (!name) return std::nullopt;
  return (std::filesystem::path(home_) / *name).lexically_normal().string();
}

std::optional<bool> Value::flag() const {
  const auto text = scalar();
  if (!text) return std::nullopt;
  const auto flag = parse_flag(*text);
  if (!flag) reject(shown() + " is neither true nor false; use one of them");
  return flag;
}

std::optional<std::uint64_t> Value::whole(std::uint64_t least, std::uint64_t most) const {
  const auto text = scalar();
  if (!text) return std::nullopt;
  const auto number = parse_whole(*text);
  if (number && *number >= least && *number <= most) return number;
  reject(shown() + " is not allowed; use a whole number from " + std::to_string(least) + " to " +
         std::to_string(most));
  return std::nullopt;
}

std::optional<std::uint64_t> Value::bytes(std::uint64_t least) const {
  const auto text = scalar();
  if (!text) return std::nullopt;
  const auto bytes = parse_bytes(*text);
  if (!bytes) {
    reject(shown() + " is no size; use bytes, such as 1000000, or a unit, such as 512MiB or 1GB");
    return std::nullopt;
  }
  if (*bytes >= least) return bytes;
  reject(shown() + " is too small; use at least " + show_bytes(least));
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> Value::duration(std::chrono::milliseconds least,
                                                         std::chrono::milliseconds most) const {
  const auto text = scalar();
  if (!text) return std::nullopt;
  const auto duration = parse_duration(*text);
  if (!duration) {
    reject(shown() + " is no time; use seconds, such as 90, or a unit, such as 500ms, 2s or 5m");
    return std::nullopt;
  }
  if (*duration >= least && *duration <= most) return duration;
  reject(shown() + " is out of range; use " + show_duration(least) + " to " + show_duration(most));
  return std::nullopt;
}

std::optional<std::chrono::seconds> Value::seconds(std::chrono::seconds least,
                                                   std::chrono::seconds most) const {
  const auto exact = duration(least, most);
  if (!exact) return std::nullopt;
  const auto whole = std::chrono::floor<std::chrono::seconds>(*exact);
  if (whole == *exact) return whole;
  reject(shown() + " is too fine; use whole seconds");
  return std::nullopt;
}

std::optional<Secret> Value::secret_in_file() const {
  const auto name = text();
  if (!name) return std::nullopt;
  // Far more than any token, and little enough to read whatever it is that was named.
  constexpr std::size_t kMaxSecretBytes = std::size_t{64} * 1024;
  auto content = read_regular_file(std::filesystem::path(home_) / *name, kMaxSecretBytes);
  if (!content) {
    reject("cannot read " + shown() + ": " + content.error().message() +
           "; name a file that holds the secret and nothing else");
    return std::nullopt;
  }
  // Editors and `echo` end a file with a line break that is no part of the secret.
  while (!content->empty() && (content->back() == '\n' || content->back() == '\r')) {
    content->pop_back();
  }
  return Secret(*std::move(content));
}

}  // namespace flowstore::config
