// A Connector, and how tests use it.

#pragma once

#include <chrono>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "http/connector.h"
#include "support/outgoing.h"

namespace flowstore::http {

class ConnectorTest : public testing::Test {
 protected:
  // Each on an event loop of its own.
  Outcome fetch_from(const ScriptedPeer& peer, OutgoingRequest request = request_for("GET")) {
    return fetch_now(connector_, plain(peer), std::move(request));
  }

  static std::string hello() { return ok("hello"); }

  static OutgoingRequest impatient(std::string method = "GET") {
    OutgoingRequest request = request_for(std::move(method));
    request.timeout = std::chrono::milliseconds(100);
    request.connect_timeout = std::chrono::milliseconds(100);
    return request;
  }

  const Trust trust_{nullptr};
  Connector connector_{trust_};
};

}  // namespace flowstore::http
