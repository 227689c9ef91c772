#include <atomic>
#include <string>

#include <gtest/gtest.h>

#include "http/connector.h"
#include "support/outgoing.h"

namespace flowstore::http {
namespace {

// Reads what the head says is coming, and answers.
void take_uploads(PeerEnd& end, std::size_t size, std::atomic<std::size_t>& received) {
  while (!end.read_head().empty()) {
    received += end.skip_body(size);
    end.send(ok("stored"));
  }
}

class ConnectorTls : public testing::Test {
 protected:
  static Origin origin_of(const ScriptedPeer& peer, std::string host = "localhost") {
    return {std::move(host), peer.port(), true};
  }
  Outcome fetch_from(const ScriptedPeer& peer, OutgoingRequest request) {
    return fetch_now(connector_, origin_of(peer), std::move(request));
  }

  const TestAuthority authority_;
  const TestIdentity identity_ = authority_.certify("DNS:localhost,IP:127.0.0.1");
  const Trust trust_{authority_.file_of_certificate().c_str()};
  Connector connector_{trust_};
};

// With TLS 1.3 a server says something as soon as hands are shaken: the tickets of the session.
TEST_F(ConnectorTls, TakesTheTicketsOfASessionForNoAnswer) {
  constexpr std::size_t kSize = 24U << 20U;
  std::atomic<std::size_t> received = 0;
  const ScriptedPeer peer(identity_, [&](PeerEnd& end) { take_uploads(end, kSize, received); });
  const std::string body(kSize, 'b');
  OutgoingRequest request = request_for("PUT");
  request.body = body;
  const Outcome outcome = fetch_from(peer, std::move(request));
  EXPECT_EQ(outcome.status, 200) << outcome.message;
  EXPECT_EQ(received, kSize);
}

TEST_F(ConnectorTls, StreamsASource) {
  constexpr std::size_t kSize = 24U << 20U;
  std::atomic<std::size_t> received = 0;
  const ScriptedPeer peer(identity_, [&](PeerEnd& end) { take_uploads(end, kSize, received); });
  EndlessSource source(kSize);
  OutgoingRequest request = request_for("PUT");
  request.source = &source;
  const Outcome outcome = fetch_from(peer, std::move(request));
  EXPECT_EQ(outcome.status, 200) << outcome.message;
  EXPECT_EQ(received, kSize);
}

TEST_F(ConnectorTls, BelievesTheRightCertificateOnly) {
  const ScriptedPeer peer(identity_, always(ok("hello")));
  for (const char* name : {"localhost", "127.0.0.1"}) {
    const Outcome outcome = fetch_now(connector_, origin_of(peer, name), request_for("GET"));
    EXPECT_EQ(outcome.body, "hello") << name << " " << outcome.message;
  }
  const ScriptedPeer other(authority_.certify("DNS:other.example"), always(ok("hello")));
  const Outcome misnamed = fetch_from(other, request_for("GET"));
  EXPECT_EQ(misnamed.code, kNotSent);
  EXPECT_NE(misnamed.message.find(kNotAccepted), std::string::npos) << misnamed.message;
  const Trust system(nullptr);
  Connector ignorant(system);
  const Outcome unknown = fetch_now(ignorant, origin_of(peer), request_for("GET"));
  EXPECT_NE(unknown.message.find(kNotAccepted), std::string::npos) << unknown.message;
}

}  // namespace
}  // namespace flowstore::http
