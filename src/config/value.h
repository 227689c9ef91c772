// Value: one value of the file, read as what the option wants, with the complaint if it is not
// that.

#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/secret.h"
#include "config/problem.h"
#include "config/yaml_tree.h"

namespace flowstore::config {

// "a, b or c".
std::string list_of(const std::vector<std::string_view>& names);

// A value that is there (not null) and the option it stands for. The readers return nothing after
// they have reported a problem. References what it was made from.
class Value {
 public:
  // `key` is the full name with indexes; `home` is where relative file names start.
  Value(const YamlNode& node, std::string key, bool is_secret, const std::string& home,
        Problems& problems)
      : node_(node),
        key_(std::move(key)),
        is_secret_(is_secret),
        home_(home),
        problems_(problems) {}

  // Not empty, without control characters.
  std::optional<std::string> text() const;
  // May be empty or hold anything: a name or password of somebody else's making.
  std::optional<std::string> optional_text() const { return scalar(); }
  // The name of a file, absolute: relative ones start at `home`. The file is not looked at.
  std::optional<std::string> file_name() const;
  std::optional<bool> flag() const;
  // From `least` to `most`, both allowed.
  std::optional<std::uint64_t> whole(std::uint64_t least, std::uint64_t most) const;
  // Bytes, or with a unit such as 512MiB.
  std::optional<std::uint64_t> bytes(std::uint64_t least = 0) const;
  // Seconds, or with a unit such as 500ms.
  std::optional<std::chrono::milliseconds> duration(std::chrono::milliseconds least,
                                                    std::chrono::milliseconds most) const;
  // The same where the server counts in seconds.
  std::optional<std::chrono::seconds> seconds(std::chrono::seconds least,
                                              std::chrono::seconds most) const;
  // The first line of the file that the text names, for secrets kept in files of their own.
  std::optional<Secret> secret_in_file() const;

  // One of the names; `what` completes "is no ...".
  template <class T>
  std::optional<T> choice(std::string_view what,
                          std::initializer_list<std::pair<std::string_view, T>> names) const {
    const auto given = scalar();
    if (!given) return std::nullopt;
    std::vector<std::string_view> known;
    for (const auto& [name, value] : names) {
      if (name == *given) return value;
      known.push_back(name);
    }
    reject(shown() + " is no " + std::string(what) + "; use " + list_of(known));
    return std::nullopt;
  }

  // What JavaScript takes for false, and the old server for an option that is not set: false, 0 or
  // an empty text.
  bool is_falsy() const;

  // Says what the operator should know of it; it is used all the same.
  void warn(std::string message) const;
  // Reports what is wrong with it. `message` may quote shown(), never the text itself.
  void reject(std::string message) const;
  // The value in quotes; "it" for secrets.
  std::string shown() const;

 private:
  std::optional<std::string> scalar() const;

  const YamlNode& node_;
  std::string key_;
  bool is_secret_;
  const std::string& home_;
  Problems& problems_;
};

}  // namespace flowstore::config
