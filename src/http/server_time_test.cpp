// Deadlines, over a whole server. Its clock stands still until a test moves it; the sweep that
// looks at the deadlines runs once a second.

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "http/date.h"
#include "support/raw_client.h"
#include "support/scripted_server.h"

namespace flowstore::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Moves the clock again and again until the client has something to read: how far the server has
// come when the clock jumps is not known.
void advance_until_readable(ScriptedServer& server, RawClient& client, seconds step) {
  for (int i = 0; i < 50 && !client.is_readable(milliseconds(100)); ++i) server.clock.advance(step);
}

const std::string kGet = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(ServerTime, RunsOutForAHeadThatDoesNotEnd) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost:"));
  advance_until_readable(server, client, seconds(61));
  EXPECT_EQ(client.read_to_end(), "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(server.observer.rejected(), std::vector<int>{408});
}

TEST(ServerTime, RunsOutForAPipelinedHeadThatDoesNotEnd) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(kGet + "GET / HTTP/1.1\r\nHost:"));
  EXPECT_EQ(client.read().body, "GET /next");
  advance_until_readable(server, client, seconds(61));
  EXPECT_EQ(client.read().status, 408);
}

TEST(ServerTime, IsNotRenewedByTheBytesOfAHead) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\n"));
  for (int i = 0; i < 100 && !client.is_readable(milliseconds(50)); ++i) {
    server.clock.advance(seconds(10));
    client.send("A: b\r\n");
  }
  EXPECT_EQ(client.read().status, 408);
}

TEST(ServerTime, OfAnAnswerIsNotBeforeThatOfItsContent) {
  ScriptedServer server;
  RawClient client(server.port());
  // Further than the sweep has been told of, most likely.
  server.clock.advance(seconds(1));
  const auto now = std::chrono::floor<seconds>(server.clock.wall());
  for (const auto& [modified, said] : {std::pair(now, now), std::pair(now + seconds(100), now),
                                       std::pair(now - seconds(9), now - seconds(9))}) {
    server.handler.modified = modified.time_since_epoch().count();
    ASSERT_TRUE(client.send("GET /modified HTTP/1.1\r\nHost: x\r\n\r\n"));
    const Answer answer = client.read();
    EXPECT_EQ(answer.header("last-modified"), format_date(said));
    EXPECT_EQ(answer.header("date"), format_date(now));
  }
}

TEST(ServerTime, RunsOutSilentlyBetweenRequests) {
  ScriptedServer server;
  RawClient fresh(server.port());
  RawClient used(server.port());
  ASSERT_TRUE(used.send(kGet));
  EXPECT_EQ(used.read().status, 200);
  advance_until_readable(server, used, seconds(30));
  EXPECT_TRUE(used.is_closed());
  EXPECT_TRUE(fresh.is_closed());
  EXPECT_TRUE(server.observer.rejected().empty());
}

TEST(ServerTime, BeginsAnewWithEveryRequestOfAConnection) {
  ScriptedServer server;
  RawClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    // That the head of the witness is timed out shows that the deadlines have been looked at since
    // the clock was moved: further than the time for a head, not as far as the one between
    // requests.
    RawClient witness(server.port());
    ASSERT_TRUE(witness.send(kGet + "GET"));
    EXPECT_EQ(witness.read().status, 200);
    ASSERT_TRUE(client.send(kGet));
    EXPECT_EQ(client.read().body, "GET /next");
    server.clock.advance(seconds(61));
    EXPECT_EQ(witness.read().status, 408);
  }
  ASSERT_TRUE(client.send(kGet));
  EXPECT_EQ(client.read().body, "GET /next");
}

TEST(ServerTime, RunsOutForABodyThatDoesNotCome) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc"));
  advance_until_readable(server, client, seconds(31));
  EXPECT_EQ(client.read_to_end(), "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n");
  const auto finished = server.observer.finished(1);
  EXPECT_EQ(finished[0].status, 408);
  EXPECT_EQ(finished[0].bytes_in, 3u);
  EXPECT_TRUE(server.observer.rejected().empty());
}

TEST(ServerTime, RunsOutForABodyThatDrips) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"));
  // Each byte would renew a deadline that looks only at the last one.
  for (int i = 0; i < 100 && !client.is_readable(milliseconds(50)); ++i) {
    server.clock.advance(seconds(1));
    client.send("x");
  }
  EXPECT_EQ(client.read().status, 408);
}

TEST(ServerTime, DoesNotRunForABodyWhereAnyRateWillDo) {
  ServerOptions options;
  options.limits.body_rate_bytes_per_second = 0;
  ScriptedServer server(options);
  RawClient client(server.port());
  ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab"));
  RawClient witness(server.port());
  ASSERT_TRUE(witness.send("GET"));
  advance_until_readable(server, witness, seconds(1000));
  EXPECT_EQ(witness.read().status, 408);
  ASSERT_TRUE(client.send("cd"));
  EXPECT_EQ(client.read().body, "abcd");
}

TEST(ServerTime, DoesNotRunWhileTheHandlerWorks) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send("GET /gate HTTP/1.1\r\nHost: x\r\n\r\n"));
  server.wait_for_gate(1);
  RawClient witness(server.port());
  ASSERT_TRUE(witness.send("GET"));
  advance_until_readable(server, witness, seconds(1000));
  EXPECT_EQ(witness.read().status, 408);
  server.handler.is_open = true;
  EXPECT_EQ(client.read().body, "passed");
}

TEST(ServerTime, RunsOutForAClientThatTakesNothing) {
  ScriptedServer server;
  RawClient client(server.port(), 4096);
  ASSERT_TRUE(client.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(client.read_head().status, 200);
  for (int i = 0; i < 50 && server.observer.connections() > 0; ++i) {
    server.clock.advance(seconds(61));
    std::this_thread::sleep_for(milliseconds(100));
  }
  EXPECT_EQ(server.observer.connections(), 0);
  EXPECT_LT(client.read_to_end().size(), 8u << 20);
  EXPECT_FALSE(server.observer.finished(1).at(0).is_complete);
}

}  // namespace
}  // namespace flowstore::http
