// A whole server over TLS, with OpenSSL's own client.

#include <fstream>
#include <future>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "http/server_tls.h"
#include "support/scripted_server.h"
#include "support/secure_client.h"

namespace flowstore::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kGet = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

std::string get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

std::string post(const std::string& target, const std::string& body) {
  return "POST " + target +
         " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 % 251);
  return bytes;
}

class ServerSecure : public testing::Test {
 protected:
  static ServerOptions options_with(ServerTls& tls) {
    ServerOptions options;
    options.tls = &tls;
    return options;
  }

  SecureOptions trusting() const {
    SecureOptions options;
    options.authority = authority_.file_of_certificate();
    return options;
  }

  // Why a client with these options cannot connect; empty if it can.
  std::string refusal(const SecureOptions& options) const {
    try {
      SecureClient client(server_.port(), options);
      if (client.send(kGet) && client.read().status == 200) return "";
      return "no answer";
    } catch (const std::exception& error) {
      return error.what();
    }
  }

  // Waits until the server has no connection.
  bool is_deserted() {
    for (int i = 0; i < 5000 && server_.observer.connections() > 0; ++i) {
      std::this_thread::sleep_for(milliseconds(2));
    }
    return server_.observer.connections() == 0;
  }

  bool has_failures(int count) {
    for (int i = 0; i < 5000 && server_.observer.failed_handshakes() < count; ++i) {
      std::this_thread::sleep_for(milliseconds(2));
    }
    return server_.observer.failed_handshakes() == count;
  }

  const TestAuthority authority_;
  const IdentityFiles files_{authority_.certify("DNS:localhost,IP:127.0.0.1")};
  const std::unique_ptr<ServerTls> tls_ = *ServerTls::load(files_.certificate(), files_.key());
  ScriptedServer server_{options_with(*tls_)};
};

TEST_F(ServerSecure, SpeaksTls12And13AndNothingOlder) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SecureOptions options = trusting();
    options.version = version;
    EXPECT_EQ(refusal(options), "");
  }
  SecureOptions options = trusting();
  options.version = TLS1_1_VERSION;
  EXPECT_NE(refusal(options), "");
  EXPECT_TRUE(has_failures(1));
}

TEST_F(ServerSecure, IsOnlyWhoItsCertificateSays) {
  SecureOptions options = trusting();
  options.host = "elsewhere";
  EXPECT_EQ(refusal(options), "certificate verify failed");
  const TestAuthority stranger;
  options.host = "localhost";
  options.authority = stranger.file_of_certificate();
  EXPECT_EQ(refusal(options), "certificate verify failed");
}

TEST_F(ServerSecure, AnswersRequestAfterRequestOnOneConnection) {
  SecureClient client(server_.port(), trusting());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send(get("/a?b=c")));
    EXPECT_EQ(client.read().body, "GET /a?b=c");
  }
  ASSERT_TRUE(client.send(kGet + kGet + get("/close")));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.read().status, 200);
  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(client.was_orderly());
  EXPECT_EQ(server_.observer.finished(6).size(), 6u);
}

TEST_F(ServerSecure, TakesAndGivesBodiesOfEverySize) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SecureOptions options = trusting();
    options.version = version;
    SecureClient client(server_.port(), options);
    for (const std::size_t size : {0u, 1u, 16'000u, 16'384u, 70'000u, 300'000u, 20'000'000u}) {
      const std::string body = pattern(size);
      ASSERT_TRUE(client.send(post("/echo", body)));
      EXPECT_TRUE(client.read().body == body) << size;
    }
  }
}

TEST_F(ServerSecure, SendsFiles) {
  const std::string path = files_.key() + ".content";
  server_.handler.file_path = path;
  SecureClient client(server_.port(), trusting());
  for (const std::size_t size : {0u, 1u, 16'000u, 17'000u, 1'048'576u, 5'000'000u}) {
    const std::string content = pattern(size);
    std::ofstream(path) << content;
    ASSERT_TRUE(client.send(get("/file")));
    EXPECT_TRUE(client.read().body == content) << size;
  }
}

TEST_F(ServerSecure, SendsStreams) {
  SecureClient client(server_.port(), trusting());
  for (const char* const target : {"/sized", "/unsized"}) {
    ASSERT_TRUE(client.send(get(target)));
    EXPECT_EQ(client.read().body, "onetwothree") << target;
  }
}

TEST_F(ServerSecure, LetsTheClientTellAnAnswerThatWasCutShort) {
  for (const char* const target : {"/breaks", "/throws-late"}) {
    SecureClient client(server_.port(), trusting());
    ASSERT_TRUE(client.send("GET " + std::string(target) + " HTTP/1.0\r\n\r\n"));
    client.read_to_end();
    EXPECT_FALSE(client.was_orderly()) << target;
  }
  SecureClient client(server_.port(), trusting());
  ASSERT_TRUE(client.send("GET /unsized HTTP/1.0\r\n\r\n"));
  client.read_to_end();
  EXPECT_TRUE(client.was_orderly());
}

TEST_F(ServerSecure, TakesSessionsUpAgain) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SecureOptions options = trusting();
    options.version = version;
    SSL_SESSION* session = nullptr;
    {
      SecureClient client(server_.port(), options);
      ASSERT_TRUE(client.send(kGet));
      EXPECT_EQ(client.read().status, 200);
      EXPECT_FALSE(client.is_resumed());
      session = client.session();
      client.close();
    }
    options.session = session;
    SecureClient again(server_.port(), options);
    EXPECT_TRUE(again.is_resumed());
    SSL_SESSION_free(session);
  }
}

TEST_F(ServerSecure, ChangesKeysWhenTheClientWants) {
  SecureOptions options = trusting();
  options.version = TLS1_3_VERSION;
  SecureClient client(server_.port(), options);
  const std::string body = pattern(100'000);
  for (int i = 0; i < 20; ++i) {
    client.renew_keys();
    ASSERT_TRUE(client.send(post("/echo", body)));
    EXPECT_TRUE(client.read().body == body);
  }
}

TEST_F(ServerSecure, TellsAClientWithoutTlsWhatToDo) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.send(kGet));
  const Answer answer = client.read();
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("https"), std::string::npos);
  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(has_failures(1));
  EXPECT_TRUE(server_.observer.started().empty());
}

TEST_F(ServerSecure, EndsWhatIsNoTls) {
  for (const std::string& noise : {std::string(100, '\0'), std::string("\x16\x03\x01\xff\xff"),
                                   std::string("\x80\x2e\x01"), pattern(3000)}) {
    RawClient client(server_.port());
    client.send(noise);
    client.finish_sending();
    client.read_to_end();
  }
  EXPECT_TRUE(has_failures(4));
  EXPECT_TRUE(is_deserted());
  EXPECT_EQ(refusal(trusting()), "");
}

// The beginning of a real one; without the rest there is nothing to answer.
const std::string kHalfHello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);

TEST_F(ServerSecure, WaitsForHandshakesAWhileAndServesTheOthers) {
  RawClient silent(server_.port());
  RawClient half(server_.port());
  ASSERT_TRUE(half.send(kHalfHello));
  EXPECT_EQ(refusal(trusting()), "");
  for (int i = 0; i < 50 && !silent.is_readable(milliseconds(100)); ++i) {
    server_.clock.advance(seconds(4));
  }
  EXPECT_TRUE(silent.is_closed());
  EXPECT_TRUE(half.is_closed());
  EXPECT_TRUE(has_failures(2));
  EXPECT_EQ(refusal(trusting()), "");
}

TEST_F(ServerSecure, DoesNotRenewTheTimeOfAHandshakeWithEveryByte) {
  RawClient client(server_.port());
  ASSERT_TRUE(client.send(kHalfHello));
  for (int i = 0; i < 100 && !client.is_readable(milliseconds(50)); ++i) {
    server_.clock.advance(seconds(2));
    client.send("x");
  }
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerSecure, DoesNotRenewTheTimeBetweenRequestsWithPiecesOfARecord) {
  SecureClient client(server_.port(), trusting());
  ASSERT_TRUE(client.send(kGet));
  EXPECT_EQ(client.read().status, 200);
  ASSERT_TRUE(client.send_raw(std::string("\x17\x03\x03\x40\x00", 5)));
  for (int i = 0; i < 100 && !client.is_readable(milliseconds(50)); ++i) {
    server_.clock.advance(seconds(10));
    client.send_raw("x");
  }
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerSecure, StopsWithoutWaitingForHandshakes) {
  RawClient silent(server_.port());
  RawClient half(server_.port());
  ASSERT_TRUE(half.send(kHalfHello));
  SecureClient idle(server_.port(), trusting());
  ASSERT_TRUE(idle.send(kGet));
  EXPECT_EQ(idle.read().status, 200);
  EXPECT_TRUE(server_.server.stop(seconds(30)));
  EXPECT_TRUE(idle.is_closed());
  EXPECT_TRUE(idle.was_orderly());
}

TEST_F(ServerSecure, WaitsForASlowReader) {
  SecureOptions options = trusting();
  options.receive_buffer = 16 << 10;
  SecureClient slow(server_.port(), options);
  ASSERT_TRUE(slow.send(get("/big") + kGet));
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(refusal(trusting()), "");
  EXPECT_TRUE(slow.read().body == std::string(8 << 20, 'b'));
  EXPECT_EQ(slow.read().body, "GET /next");
}

TEST_F(ServerSecure, GivesUpOnAReaderThatTakesNothing) {
  SecureOptions options = trusting();
  options.receive_buffer = 16 << 10;
  SecureClient client(server_.port(), options);
  ASSERT_TRUE(client.send(get("/big")));
  while (server_.observer.started().empty()) std::this_thread::sleep_for(milliseconds(1));
  for (int i = 0; i < 100 && server_.observer.connections() > 0; ++i) {
    server_.clock.advance(seconds(20));
    std::this_thread::sleep_for(milliseconds(100));
  }
  EXPECT_EQ(server_.observer.connections(), 0);
  EXPECT_FALSE(server_.observer.finished(1).at(0).is_complete);
}

TEST_F(ServerSecure, SurvivesClientsThatLeaveAtAnyPoint) {
  const std::string big = post("/echo", pattern(500'000));
  for (const std::size_t sent : {1u, 30u, 200u, 20'000u, 400'000u}) {
    SecureClient client(server_.port(), trusting());
    client.send(std::string_view(big).substr(0, sent));
  }
  for (const bool is_orderly : {true, false}) {
    SecureClient client(server_.port(), trusting());
    client.send(get("/big"));
    client.take(100'000);
    if (is_orderly) client.close();
  }
  EXPECT_TRUE(is_deserted());
  EXPECT_EQ(refusal(trusting()), "");
  EXPECT_TRUE(server_.observer.threw().empty());
}

TEST_F(ServerSecure, NoticesThatTheCallerHasLeft) {
  for (const bool is_orderly : {true, false}) {
    const int before = server_.handler.waiting;
    auto client = std::make_unique<SecureClient>(server_.port(), trusting());
    ASSERT_TRUE(client->send(get("/until-left")));
    server_.wait_for_gate(before + 1);
    if (is_orderly) client->close();
    client.reset();
    EXPECT_TRUE(is_deserted());
  }
}

TEST_F(ServerSecure, ServesManyAtOnce) {
  const auto talk = [this] {
    for (int i = 0; i < 5; ++i) {
      SecureClient client(server_.port(), trusting());
      for (const std::size_t size : {10u, 100'000u, 1'000'000u}) {
        const std::string body = pattern(size);
        if (!client.send(post("/echo", body)) || client.read().body != body) return false;
      }
      if (i % 2 == 0) client.close();
    }
    return true;
  };
  std::vector<std::future<bool>> talks;
  for (int i = 0; i < 8; ++i) talks.push_back(std::async(std::launch::async, talk));
  for (auto& each : talks) EXPECT_TRUE(each.get());
  EXPECT_TRUE(is_deserted());
}

}  // namespace
}  // namespace flowstore::http
