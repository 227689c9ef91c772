#include "http/connector.h"

#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "support/connector_test.h"

namespace flowstore::http {
namespace {

using std::chrono::milliseconds;

class FailingSource final : public ByteSource {
 public:
  Task<Result<std::string_view>> next() override {
    co_return Error(ErrorKind::aborted, "GONE", "the client went away");
  }
  std::optional<std::uint64_t> size() const override { return 10; }
};

TEST_F(ConnectorTest, SendsWhatItIsTold) {
  std::string head;
  ScriptedPeer server([&head](PeerEnd& end) {
    head = end.read_head();
    end.skip_body(4);
    end.send(hello());
  });
  OutgoingRequest request = request_for("PUT");
  request.headers.emplace_back("a", "b");
  request.body = "body";
  EXPECT_EQ(fetch_from(server, std::move(request)).status, 200);
  EXPECT_EQ(head, "PUT /x HTTP/1.1\r\nHost: peer\r\na: b\r\ncontent-length: 4\r\n\r\n");
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
    const ScriptedPeer server(once(answer));
    const Outcome outcome = fetch_from(server);
    EXPECT_EQ(outcome.body, body) << answer;
    EXPECT_EQ(outcome.code, "") << answer;
  }
}

TEST_F(ConnectorTest, AHeadRequestHasNoBody) {
  const ScriptedPeer server(always("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nNote: n\r\n\r\n"));
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = fetch_from(server, request_for("HEAD"));
    EXPECT_EQ(outcome.status, 200);
    EXPECT_EQ(outcome.note, "n");
    EXPECT_EQ(outcome.body, "");
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ConnectorTest, TellsWhatSurelyDidNothing) {
  std::uint16_t port = 0;
  {
    port = ScriptedPeer([](PeerEnd&) {}).port();
  }
  const Origin nobody("127.0.0.1", port, false);
  EXPECT_EQ(fetch_now(connector_, nobody, request_for("PUT")).code, kNotSent);
  const Origin nowhere("host.invalid", 80, false);
  EXPECT_EQ(fetch_now(connector_, nowhere, request_for("PUT")).code, kNotSent);
}

TEST_F(ConnectorTest, TellsWhatMayHaveBeenDone) {
  for (const std::string_view answer :
       {"", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\ncontent-le", "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"}) {
    const ScriptedPeer server(once(answer));
    EXPECT_EQ(fetch_from(server).code, kNoAnswer) << answer;
  }
  const ScriptedPeer resetting([](PeerEnd& end) {
    end.read_head();
    end.reset();
  });
  EXPECT_EQ(fetch_from(resetting).code, kNoAnswer);
}

TEST_F(ConnectorTest, TellsWhatBrokeOff) {
  for (const std::string_view answer :
       {"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345xx"}) {
    const ScriptedPeer server(once(answer));
    EXPECT_EQ(fetch_from(server).code, kCutShort) << answer;
  }
}

TEST_F(ConnectorTest, WaitsForNothingLongerThanItMay) {
  const ScriptedPeer silent([](PeerEnd& end) { end.wait_for_end(); });
  EXPECT_EQ(fetch_from(silent, impatient()).code, kNoAnswer);
  const ScriptedPeer stopping([](PeerEnd& end) {
    end.read_head();
    end.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345");
    end.wait_for_end();
  });
  EXPECT_EQ(fetch_from(stopping, impatient()).code, kCutShort);
  OutgoingRequest late = request_for("GET");
  late.deadline = std::chrono::steady_clock::now() + milliseconds(100);
  EXPECT_EQ(fetch_from(silent, std::move(late)).code, kNoAnswer);
}

TEST_F(ConnectorTest, WaitsForNoBodyBeyondItsEnd) {
  std::atomic<bool> has_ended = false;
  const ScriptedPeer crawling([&](PeerEnd& end) {
    end.read_head();
    end.send("HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n");
    while (!has_ended) {
      end.send("x");
      std::this_thread::sleep_for(milliseconds(1));
    }
  });
  const Origin origin = plain(crawling);
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

TEST_F(ConnectorTest, GivesUpOnAPeerThatTakesNothing) {
  std::atomic<bool> is_over = false;
  const ScriptedPeer full([&is_over](PeerEnd&) {
    while (!is_over) std::this_thread::sleep_for(milliseconds(1));
  });
  EndlessSource source(std::uint64_t{256} << 20U);
  OutgoingRequest request = impatient("PUT");
  request.source = &source;
  EXPECT_EQ(fetch_from(full, std::move(request)).code, kNoAnswer);
  EXPECT_LT(source.given(), std::uint64_t{64} << 20U);
  is_over = true;
}

TEST_F(ConnectorTest, StreamsWhatFitsNoMemory) {
  constexpr std::uint64_t kSize = std::uint64_t{64} << 20U;
  std::atomic<std::size_t> received = 0;
  const ScriptedPeer server([&](PeerEnd& end) {
    end.read_head();
    received = end.skip_body(kSize);
    end.send(hello());
  });
  EndlessSource source(kSize);
  OutgoingRequest request = request_for("PUT");
  request.source = &source;
  EXPECT_EQ(fetch_from(server, std::move(request)).status, 200);
  EXPECT_EQ(received, kSize);
}

TEST_F(ConnectorTest, TakesAnAnswerBeforeItHasSentEverything) {
  const ScriptedPeer server([](PeerEnd& end) {
    end.read_head();
    end.send("HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno");
    end.wait_for_end();
  });
  EndlessSource source(std::uint64_t{256} << 20U);
  OutgoingRequest request = request_for("PUT");
  request.source = &source;
  const Outcome outcome = fetch_from(server, std::move(request));
  EXPECT_EQ(outcome.status, 413);
  EXPECT_EQ(outcome.body, "no");
  EXPECT_LT(source.given(), std::uint64_t{64} << 20U);
  EXPECT_EQ(fetch_from(server).status, 413);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(ConnectorTest, PassesOnWhatASourceFailsWith) {
  const ScriptedPeer server([](PeerEnd& end) { end.wait_for_end(); });
  FailingSource source;
  OutgoingRequest request = request_for("PUT");
  request.source = &source;
  EXPECT_EQ(fetch_from(server, std::move(request)).code, "GONE");
}

TEST_F(ConnectorTest, RefusesWhatWouldBeAnotherHeader) {
  const ScriptedPeer server(always(hello()));
  OutgoingRequest header = request_for("GET");
  header.headers.emplace_back("a", "b\r\nc: d");
  EXPECT_EQ(fetch_from(server, std::move(header)).code, "control_character");
  OutgoingRequest target = request_for("GET");
  target.target = "/a HTTP/1.1\r\n";
  EXPECT_EQ(fetch_from(server, std::move(target)).code, "control_character");
  EXPECT_EQ(server.connections(), 0);
}

}  // namespace
}  // namespace flowstore::http
