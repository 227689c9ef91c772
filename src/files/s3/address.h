// Address: how the bucket is reached.

#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "files/s3/options.h"
#include "http/connector.h"

namespace flowstore::files::s3 {

struct Address {
  Address() = default;

  http::Origin origin;
  std::string host;  // for the Host header: with the port unless it is the usual one
  std::string root;  // of the path, encoded, without a slash at its end: "" or "/bucket"

  // "/bucket/team/project/file" for a key; "/bucket/" for an empty one.
  std::string path_of(std::string_view key) const;
};

// Error: one sentence that says what is wrong with the endpoint or the bucket's name.
Result<Address> address_of(const Options& options);

}  // namespace flowstore::files::s3
