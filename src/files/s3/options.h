// Options: where the bucket is.

#pragma once

#include <chrono>
#include <string>

namespace flowstore::files::s3 {

struct Options {
  Options() = default;

  std::string bucket;
  std::string region = "us-east-1";
  std::string endpoint;  // a URL; empty: AWS in that region
  // The bucket is a part of the path and not of the host's name. So it is anyhow where the name
  // cannot hold it.
  bool force_path_style = false;
  // The whole time of one request to us, as far as the store is concerned, its repetitions
  // included; below the 3 s of the clients.
  std::chrono::milliseconds patience{2300};
};

}  // namespace flowstore::files::s3
