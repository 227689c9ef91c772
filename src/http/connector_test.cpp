#include "http/connector.h"

#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/raw_server.h"
#include "support/run.h"
#include "support/tls_server.h"

namespace flowstore::http {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

// What came of a request, its body pulled to the end.
struct Outcome {
  Outcome() = default;

  int status = 0;
  std::string body;
  std::string code;  // of the error
  std::string note;  // the header of that name
};

Task<Outcome> ask(Connector& connector, Origin origin, OutgoingRequest request) {
  Outcome outcome;
  const auto reply = co_await connector.send(origin, std::move(request));
  if (!reply) {
    outcome.code = reply.error().code();
    co_return outcome;
  }
  outcome.status = (*reply)->status();
  outcome.note = (*reply)->header("note");
  while (true) {
    const auto piece = co_await (*reply)->next();
    if (!piece) outcome.code = piece.error().code();
    if (!piece || piece->empty()) co_return outcome;
    outcome.body.append(*piece);
  }
}

OutgoingRequest request_for(std::string method) {
  OutgoingRequest request;
  request.method = std::move(method);
  request.target = "/x";
  request.headers.emplace_back("host", "h");
  return request;
}

// Answers every request without a body with the same text.
std::function<void(RawPeer&)> always(std::string_view answer) {
  return [answer](RawPeer& peer) {
    while (!peer.read_head().empty()) peer.send(answer);
  };
}

// Says this and ends the connection.
std::function<void(RawPeer&)> once(std::string_view answer) {
  return [answer](RawPeer& peer) {
    peer.read_head();
    peer.send(answer);
  };
}

// Counts what it is asked for.
class CountingSource final : public ByteSource {
 public:
  explicit CountingSource(std::uint64_t size) : size_(size), piece_(65536, 'x') {}

  std::uint64_t given() const noexcept { return given_; }

  Task<Result<std::string_view>> next() override {
    const auto size = std::min<std::uint64_t>(piece_.size(), size_ - given_);
    given_ += size;
    co_return std::string_view(piece_).substr(0, size);
  }
  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  std::uint64_t size_;
  std::string piece_;
  std::atomic<std::uint64_t> given_ = 0;
};

class FailingSource final : public ByteSource {
 public:
  Task<Result<std::string_view>> next() override {
    co_return Error(ErrorKind::aborted, "GONE", "the client went away");
  }
  std::optional<std::uint64_t> size() const override { return 10; }
};

class ConnectorTest : public testing::Test {
 protected:
  // Each on an event loop of its own.
  Outcome ask_on_a_loop(const RawServer& server, OutgoingRequest request = request_for("GET")) {
    return run(ask(connector_, origin_of(server), std::move(request)));
  }
  static Origin origin_of(const RawServer& server) { return {"127.0.0.1", server.port(), false}; }

  static OutgoingRequest impatient(std::string method = "GET") {
    OutgoingRequest request = request_for(std::move(method));
    request.timeout = milliseconds(100);
    request.connect_timeout = milliseconds(100);
    return request;
  }

  const Trust trust_{nullptr};
  Connector connector_{trust_};
};

TEST_F(ConnectorTest, KeepsConnectionsAcrossLoops) {
  const RawServer server(always(kHello));
  for (int i = 0; i < 5; ++i) {
    const Outcome outcome = ask_on_a_loop(server);
    EXPECT_EQ(outcome.status, 200);
    EXPECT_EQ(outcome.body, "hello");
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ConnectorTest, SendsWhatItIsTold) {
  std::string head;
  RawServer server([&head](RawPeer& peer) {
    head = peer.read_head();
    peer.read_body(4);
    peer.send(kHello);
  });
  OutgoingRequest request = request_for("PUT");
  request.headers.emplace_back("a", "b");
  request.body = "body";
  EXPECT_EQ(ask_on_a_loop(server, std::move(request)).status, 200);
  EXPECT_EQ(head, "PUT /x HTTP/1.1\r\nhost: h\r\na: b\r\ncontent-length: 4\r\n\r\n");
}

TEST_F(ConnectorTest, ReadsEveryKindOfBody) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
       "abcde"},
      {"HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end"},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "ok"},
      {"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", ""},
      {"HTTP/1.1 204 No Content\r\n\r\n", ""},
      {"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", ""},
      {"HTTP/1.0 200 OK\r\n\r\nold", "old"}};
  for (const auto& [answer, body] : cases) {
    const RawServer server(once(answer));
    const Outcome outcome = ask_on_a_loop(server);
    EXPECT_EQ(outcome.body, body) << answer;
    EXPECT_EQ(outcome.code, "") << answer;
  }
}

TEST_F(ConnectorTest, AHeadRequestHasNoBody) {
  const RawServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nNote: n\r\n\r\n"));
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = ask_on_a_loop(server, request_for("HEAD"));
    EXPECT_EQ(outcome.status, 200);
    EXPECT_EQ(outcome.note, "n");
    EXPECT_EQ(outcome.body, "");
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ConnectorTest, UsesNoConnectionThatItWasToldToClose) {
  const RawServer server(
      always("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"));
  EXPECT_EQ(ask_on_a_loop(server).body, "ok");
  EXPECT_EQ(ask_on_a_loop(server).body, "ok");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(ConnectorTest, UsesNoConnectionThatSaidTooMuch) {
  const RawServer server(
      always("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(ask_on_a_loop(server).body, "ok");
  EXPECT_EQ(ask_on_a_loop(server).body, "ok");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(ConnectorTest, NoticesThatAKeptConnectionHasBeenClosed) {
  RawServer server(once(kHello));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ask_on_a_loop(server).body, "hello");
    while (server.open_connections() > 0) std::this_thread::yield();
  }
  EXPECT_EQ(server.connections(), 20);
}

TEST_F(ConnectorTest, TellsWhatSurelyDidNothing) {
  std::uint16_t port = 0;
  {
    port = RawServer([](RawPeer&) {}).port();
  }
  const Origin nobody("127.0.0.1", port, false);
  EXPECT_EQ(run(ask(connector_, nobody, request_for("PUT"))).code, kNotSent);
  const Origin nowhere("host.invalid", 80, false);
  EXPECT_EQ(run(ask(connector_, nowhere, request_for("PUT"))).code, kNotSent);
}

TEST_F(ConnectorTest, TellsWhatMayHaveBeenDone) {
  for (const std::string_view answer :
       {"", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\ncontent-le", "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"}) {
    const RawServer server(once(answer));
    EXPECT_EQ(ask_on_a_loop(server).code, kNoAnswer) << answer;
  }
  const RawServer resetting([](RawPeer& peer) {
    peer.read_head();
    peer.reset();
  });
  EXPECT_EQ(ask_on_a_loop(resetting).code, kNoAnswer);
}

TEST_F(ConnectorTest, TellsWhatBrokeOff) {
  for (const std::string_view answer :
       {"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345xx"}) {
    const RawServer server(once(answer));
    EXPECT_EQ(ask_on_a_loop(server).code, kCutShort) << answer;
  }
}

TEST_F(ConnectorTest, WaitsForNothingLongerThanItMay) {
  const RawServer silent([](RawPeer& peer) { peer.wait_for_end(); });
  EXPECT_EQ(ask_on_a_loop(silent, impatient()).code, kNoAnswer);
  const RawServer stopping([](RawPeer& peer) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345");
    peer.wait_for_end();
  });
  EXPECT_EQ(ask_on_a_loop(stopping, impatient()).code, kCutShort);
  OutgoingRequest late = request_for("GET");
  late.deadline = std::chrono::steady_clock::now() + milliseconds(100);
  EXPECT_EQ(ask_on_a_loop(silent, std::move(late)).code, kNoAnswer);
}

TEST_F(ConnectorTest, WaitsForNoBodyBeyondItsEnd) {
  std::atomic<bool> has_ended = false;
  const RawServer crawling([&](RawPeer& peer) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n");
    while (!has_ended) {
      peer.send("x");
      std::this_thread::sleep_for(milliseconds(1));
    }
  });
  const Origin origin = origin_of(crawling);
  auto pull = [&]() -> Task<std::string> {
    const auto reply = co_await connector_.send(origin, request_for("GET"));
    (*reply)->end_by(std::chrono::steady_clock::now() + milliseconds(100));
    while (true) {
      const auto piece = co_await (*reply)->next();
      if (!piece) co_return piece.error().code();
    }
  };
  EXPECT_EQ(run(pull()), kCutShort);
  has_ended = true;
}

TEST_F(ConnectorTest, UsesNoneOfTheKeptConnectionsAfterOneWasSilent) {
  constexpr int kKept = 3;
  std::latch all_are_here(kKept);
  std::atomic<int> count = 0;
  const RawServer server([&](RawPeer& peer) {
    const bool falls_silent = ++count <= kKept;
    peer.read_head();
    if (falls_silent) all_are_here.arrive_and_wait();
    peer.send(kHello);
    if (falls_silent) peer.wait_for_end();
    while (!peer.read_head().empty()) peer.send(kHello);
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < kKept; ++i) {
    threads.emplace_back([&] { EXPECT_EQ(ask_on_a_loop(server).status, 200); });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_EQ(connector_.counts().idle, 3U);
  EXPECT_EQ(ask_on_a_loop(server, impatient()).code, kNoAnswer);
  EXPECT_EQ(ask_on_a_loop(server).status, 200);
  EXPECT_EQ(connector_.counts().opened, 4U);
}

TEST_F(ConnectorTest, GivesUpOnAPeerThatTakesNothing) {
  std::atomic<bool> is_over = false;
  const RawServer full([&is_over](RawPeer&) {
    while (!is_over) std::this_thread::sleep_for(milliseconds(1));
  });
  CountingSource source(std::uint64_t{256} << 20U);
  OutgoingRequest request = impatient("PUT");
  request.source = &source;
  EXPECT_EQ(ask_on_a_loop(full, std::move(request)).code, kNoAnswer);
  EXPECT_LT(source.given(), std::uint64_t{64} << 20U);
  is_over = true;
}

TEST_F(ConnectorTest, StreamsWhatFitsNoMemory) {
  constexpr std::uint64_t kSize = std::uint64_t{64} << 20U;
  std::atomic<std::size_t> received = 0;
  const RawServer server([&](RawPeer& peer) {
    peer.read_head();
    received = peer.read_body(kSize);
    peer.send(kHello);
  });
  CountingSource source(kSize);
  OutgoingRequest request = request_for("PUT");
  request.source = &source;
  EXPECT_EQ(ask_on_a_loop(server, std::move(request)).status, 200);
  EXPECT_EQ(received, kSize);
}

TEST_F(ConnectorTest, TakesAnAnswerBeforeItHasSentEverything) {
  const RawServer server([](RawPeer& peer) {
    peer.read_head();
    peer.send("HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno");
    peer.wait_for_end();
  });
  CountingSource source(std::uint64_t{256} << 20U);
  OutgoingRequest request = request_for("PUT");
  request.source = &source;
  const Outcome outcome = ask_on_a_loop(server, std::move(request));
  EXPECT_EQ(outcome.status, 413);
  EXPECT_EQ(outcome.body, "no");
  EXPECT_LT(source.given(), std::uint64_t{64} << 20U);
  EXPECT_EQ(ask_on_a_loop(server).status, 413);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(ConnectorTest, PassesOnWhatASourceFailsWith) {
  const RawServer server([](RawPeer& peer) { peer.wait_for_end(); });
  FailingSource source;
  OutgoingRequest request = request_for("PUT");
  request.source = &source;
  EXPECT_EQ(ask_on_a_loop(server, std::move(request)).code, "GONE");
}

TEST_F(ConnectorTest, RefusesWhatWouldBeAnotherHeader) {
  const RawServer server(always(kHello));
  OutgoingRequest header = request_for("GET");
  header.headers.emplace_back("a", "b\r\nc: d");
  EXPECT_EQ(ask_on_a_loop(server, std::move(header)).code, "control_character");
  OutgoingRequest target = request_for("GET");
  target.target = "/a HTTP/1.1\r\n";
  EXPECT_EQ(ask_on_a_loop(server, std::move(target)).code, "control_character");
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(ConnectorTest, ClosesWhatNobodyReadsToTheEnd) {
  std::atomic<bool> has_ended = false;
  const RawServer server([&](RawPeer& peer) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345");
    peer.wait_for_end();
    has_ended = true;
  });
  const Origin origin = origin_of(server);
  auto drop = [&]() -> Task<bool> {
    const auto reply = co_await connector_.send(origin, request_for("GET"));
    co_return reply.has_value();
  };
  EXPECT_TRUE(run(drop()));
  while (!has_ended) std::this_thread::yield();
}

TEST_F(ConnectorTest, WaitsForAPlaceInTheLine) {
  std::atomic<int> at_once = 0;
  std::atomic<int> most = 0;
  const RawServer server([&](RawPeer& peer) {
    while (!peer.read_head().empty()) {
      int before = most;
      const int now = ++at_once;
      while (now > before && !most.compare_exchange_weak(before, now)) {
      }
      std::this_thread::sleep_for(milliseconds(2));
      --at_once;
      peer.send(kHello);
    }
  });
  ConnectorOptions options;
  options.max_connections = 2;
  Connector narrow(trust_, options);
  std::vector<std::thread> threads;
  for (int id = 0; id < 6; ++id) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        OutgoingRequest request = request_for("GET");
        request.connect_timeout = std::chrono::seconds(30);
        EXPECT_EQ(run(ask(narrow, origin_of(server), std::move(request))).status, 200);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 2);
  EXPECT_LE(server.connections(), 2);
}

TEST_F(ConnectorTest, LeavesTheLineWhenItTakesTooLong) {
  const RawServer silent([](RawPeer& peer) { peer.wait_for_end(); });
  ConnectorOptions options;
  options.max_connections = 1;
  Connector narrow(trust_, options);
  std::thread first([&] {
    OutgoingRequest request = request_for("GET");
    request.timeout = milliseconds(500);
    EXPECT_EQ(run(ask(narrow, origin_of(silent), std::move(request))).code, kNoAnswer);
  });
  while (silent.connections() == 0) std::this_thread::yield();
  EXPECT_EQ(run(ask(narrow, origin_of(silent), impatient())).code, kNotSent);
  first.join();
}

TEST_F(ConnectorTest, ServesManyThreads) {
  const RawServer server(always(kHello));
  std::vector<std::thread> threads;
  for (int id = 0; id < 8; ++id) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) EXPECT_EQ(ask_on_a_loop(server).body, "hello");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(server.connections(), 8);
}

TEST(ConnectorTrust, BelievesTheRightCertificateOnly) {
  const Certificates certificates;
  const TlsServer server(certificates);
  const auto port = static_cast<std::uint16_t>(server.port());
  OutgoingRequest request = request_for("GET");
  request.target = "/";
  const Trust extra(certificates.path("ca.pem").c_str());
  Connector knowing(extra);
  for (const char* name : {"localhost", "127.0.0.1"}) {
    const Origin origin(name, port, true);
    const Outcome outcome = run(ask(knowing, origin, request));
    EXPECT_EQ(outcome.status, 200) << name << " " << outcome.code;
    EXPECT_NE(outcome.body.find("s_server"), std::string::npos);
  }
  const Origin other("127.0.0.2", port, true);
  EXPECT_EQ(run(ask(knowing, other, request)).code, kNotSent);
  const Trust system(nullptr);
  Connector ignorant(system);
  const Origin origin("localhost", port, true);
  auto reason = [&]() -> Task<std::string> {
    const auto reply = co_await ignorant.send(origin, request);
    co_return reply ? "" : reply.error().message();
  };
  EXPECT_NE(run(reason()).find("the certificate is not accepted: "), std::string::npos);
}

}  // namespace
}  // namespace flowstore::http
