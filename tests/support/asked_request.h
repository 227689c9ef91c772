// A request made of a method and headers, for what looks at nothing else of it.

#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "http/handler.h"

namespace flowstore::http {

using Headers = std::vector<Header>;

class AskedRequest {
 public:
  explicit AskedRequest(Headers headers, std::string_view method = "GET")
      : headers_(std::move(headers)),
        body_(""),
        request_(method, "/", headers_, peer_, body_, caller_) {}

  const Request& operator*() const { return request_; }

 private:
  Headers headers_;
  Peer peer_;
  StringSource body_;
  Caller caller_;
  Request request_;
};

}  // namespace flowstore::http
