// YAML text as a tree that remembers lines. The only place that knows the YAML library.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"

namespace flowstore::config {

struct YamlNode;
using YamlNodePtr = std::shared_ptr<const YamlNode>;

// A value of the file. An alias is the node it names, shared.
struct YamlNode {
  enum class Kind { null, scalar, sequence, map };
  struct Entry {
    std::string key;
    int line;  // of the key, from 1
    YamlNodePtr value;
  };

  Kind kind = Kind::null;
  int line = 0;      // from 1
  std::string text;  // scalar: as written, without quotes; what it means is the reader's
  std::vector<YamlNodePtr> items;  // sequence
  std::vector<Entry> entries;      // map, in the order of the file

  // The value under `key`, or null.
  const YamlNode* find(std::string_view key) const;
};

// A file larger than this is no configuration.
inline constexpr std::size_t kMaxFileBytes = 1 << 20;

// The one document in `text`, a map. Null if the text cannot be read; the reason, with its line, is
// in `problems`. A key written twice is a problem too, and the first one counts. Takes bounded time
// and memory whatever the text: nesting, aliases and size have limits. Throws nothing.
YamlNodePtr parse_yaml(const std::string& text, Problems& problems);

}  // namespace flowstore::config
