// Survey: an archive read to its end, and checked, before anything of it is used.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "tools/archive_names.h"
#include "tools/session.h"

namespace flowstore::tools {

struct Surveyed {
  Surveyed(Place where, std::string name_in_archive, std::string sha256, std::uint64_t bytes)
      : place(std::move(where)),
        name(std::move(name_in_archive)),
        digest(std::move(sha256)),
        size(bytes) {}

  Place place;
  std::string name;
  std::string digest;
  std::uint64_t size;
};

// Values longer than any that a server takes are no context. The longest row is read into memory.
inline constexpr std::uint64_t kLongestValues = std::uint64_t{256} << 20U;

// Reads the whole archive, whoever made it, with memory for the names of its entries only. Every
// entry must be a regular file with a name that names one place (folders are passed over), once,
// and have the digest that SHA256SUMS has for it; nothing may be missing. The error says which
// entry it is about. Blocks.
Result<std::vector<Surveyed>> survey(const std::string& archive, Session session);

}  // namespace flowstore::tools
