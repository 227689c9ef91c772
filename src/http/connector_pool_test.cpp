// Connections that are kept, and the line before them.

#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/connector_test.h"

namespace flowstore::http {
namespace {

using std::chrono::milliseconds;

TEST_F(ConnectorTest, KeepsConnectionsAcrossLoops) {
  const ScriptedPeer server(always(hello()));
  for (int i = 0; i < 5; ++i) {
    const Outcome outcome = fetch_from(server);
    EXPECT_EQ(outcome.status, 200);
    EXPECT_EQ(outcome.body, "hello");
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ConnectorTest, UsesNoConnectionThatItWasToldToClose) {
  const ScriptedPeer server(
      always("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"));
  EXPECT_EQ(fetch_from(server).body, "ok");
  EXPECT_EQ(fetch_from(server).body, "ok");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(ConnectorTest, UsesNoConnectionThatSaidTooMuch) {
  const ScriptedPeer server(
      always("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(fetch_from(server).body, "ok");
  EXPECT_EQ(fetch_from(server).body, "ok");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(ConnectorTest, NoticesThatAKeptConnectionHasBeenClosed) {
  ScriptedPeer server(once(hello()));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(fetch_from(server).body, "hello");
    while (server.open_connections() > 0) std::this_thread::yield();
  }
  EXPECT_EQ(server.connections(), 20);
}

// Answers the first connection's first request only, and closes it when the second one comes.
void close_late(PeerEnd& end) {
  while (!end.read_head().empty()) {
    end.send(ok("hello"));
    if (end.index() > 0) continue;
    end.read_head();
    return;
  }
}

TEST_F(ConnectorTest, SendsAGetOnceMoreThatFoundItsKeptConnectionClosed) {
  const ScriptedPeer server(close_late);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(fetch_from(server).body, "hello");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(ConnectorTest, SendsNothingElseAgain) {
  const ScriptedPeer server(close_late);
  EXPECT_EQ(fetch_from(server).body, "hello");
  EXPECT_EQ(fetch_from(server, request_for("PUT")).code, kNoAnswer);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ConnectorTest, UsesNoKeptConnectionIfToldSo) {
  const ScriptedPeer server(always(hello()));
  for (int i = 0; i < 2; ++i) {
    OutgoingRequest request = request_for("GET");
    request.on_new_connection = true;
    EXPECT_EQ(fetch_from(server, std::move(request)).body, "hello");
  }
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(ConnectorTest, UsesNoneOfTheKeptConnectionsAfterOneWasSilent) {
  constexpr int kKept = 3;
  std::latch all_are_here(kKept);
  std::atomic<int> count = 0;
  const ScriptedPeer server([&](PeerEnd& end) {
    const bool falls_silent = ++count <= kKept;
    end.read_head();
    if (falls_silent) all_are_here.arrive_and_wait();
    end.send(hello());
    if (falls_silent) end.wait_for_end();
    while (!end.read_head().empty()) end.send(hello());
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < kKept; ++i) {
    threads.emplace_back([&] { EXPECT_EQ(fetch_from(server).status, 200); });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_EQ(connector_.counts().idle, 3U);
  EXPECT_EQ(fetch_from(server, impatient()).code, kNoAnswer);
  EXPECT_EQ(fetch_from(server).status, 200);
  EXPECT_EQ(connector_.counts().opened, 4U);
}

TEST_F(ConnectorTest, ClosesWhatNobodyReadsToTheEnd) {
  std::atomic<bool> has_ended = false;
  const ScriptedPeer server([&](PeerEnd& end) {
    end.read_head();
    end.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345");
    end.wait_for_end();
    has_ended = true;
  });
  const Origin origin = plain(server);
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
  const ScriptedPeer server([&](PeerEnd& end) {
    while (!end.read_head().empty()) {
      int before = most;
      const int now = ++at_once;
      while (now > before && !most.compare_exchange_weak(before, now)) {
      }
      std::this_thread::sleep_for(milliseconds(2));
      --at_once;
      end.send(hello());
    }
  });
  ConnectorOptions options;
  options.max_connections = 2;
  Connector narrow(trust_, options);
  std::vector<std::thread> threads;
  for (int id = 0; id < 6; ++id) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(fetch_now(narrow, plain(server), request_for("GET")).status, 200);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 2);
  EXPECT_LE(server.connections(), 2);
}

TEST_F(ConnectorTest, LeavesTheLineWhenItTakesTooLong) {
  const ScriptedPeer silent([](PeerEnd& end) { end.wait_for_end(); });
  ConnectorOptions options;
  options.max_connections = 1;
  Connector narrow(trust_, options);
  std::thread first([&] {
    OutgoingRequest request = request_for("GET");
    request.timeout = milliseconds(500);
    EXPECT_EQ(fetch_now(narrow, plain(silent), std::move(request)).code, kNoAnswer);
  });
  while (silent.connections() == 0) std::this_thread::yield();
  EXPECT_EQ(fetch_now(narrow, plain(silent), impatient()).code, kNotSent);
  first.join();
}

TEST_F(ConnectorTest, ServesManyThreads) {
  const ScriptedPeer server(always(hello()));
  std::vector<std::thread> threads;
  for (int id = 0; id < 8; ++id) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) EXPECT_EQ(fetch_from(server).body, "hello");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(server.connections(), 8);
}

}  // namespace
}  // namespace flowstore::http
