// The console: a page for people, made of a few files that are part of the program.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/handler.h"

namespace flowstore::api {

// Serves the page and what it consists of. It needs no token: what can be seen here is the same for
// everybody, and whatever the page asks for later is asked for with the token of its user. Safe to
// use from any thread.
class ConsoleRoutes {
 public:
  ConsoleRoutes();

  // `path` is what follows "/console". Browsers ask each time whether their copy is still good, so
  // the page and its parts are always of the same version.
  http::Response serve(const http::Request& request, std::string_view path) const;

 private:
  struct Asset {
    std::string_view path;
    std::string_view content_type;
    std::string_view bytes;
    std::string etag;
  };

  std::vector<Asset> assets_;
};

}  // namespace flowstore::api
