// What the entries of an archive are called, and what their names say.
//
//   flowstore.json                       what this is; the first entry
//   files/TEAM/PROJECT/dir/file          a file, byte for byte
//   context/PROJECT/SCOPE.json           a scope, as it is stored
//   SHA256SUMS                           of all of them, in the form of sha256sum; the last entry

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "context/context_store.h"
#include "files/file_key.h"

namespace flowstore::tools {

inline constexpr std::string_view kManifestName = "flowstore.json";
inline constexpr std::string_view kSumsName = "SHA256SUMS";

std::string name_of(const files::FileKey& key);
// '/', '%' and control characters of the ids are written as %XX, and so are "." and "..".
std::string name_of(const context::RowKey& key);

// A place in the stores. Only what name_of() could have made is one: a name that leads elsewhere,
// or says the same in another way, is an error.
using Place = std::variant<files::FileKey, context::RowKey>;
Result<Place> place_of(const std::string& name);

// A line of SHA256SUMS, with its line feed; '\' and line feeds in names as sha256sum writes them.
std::string sum_line(const std::string& digest, const std::string& name);
// The other way round; nothing if it is none.
struct Sum {
  std::string digest;
  std::string name;
};
std::optional<Sum> parse_sum_line(std::string_view line);  // without the line feed

}  // namespace flowstore::tools
