// Whether a handler learns that its client has left.

#include <future>
#include <string>

#include <gtest/gtest.h>

#include "support/raw_client.h"
#include "support/scripted_server.h"

namespace flowstore::http {
namespace {

const std::string kWait = "GET /until-left HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kPost = "POST /until-left HTTP/1.1\r\nHost: x\r\n";

TEST(ServerCaller, LeavesWhenTheClientClosesWhileItsAnswerIsMade) {
  ScriptedServer server;
  {
    RawClient client(server.port());
    ASSERT_TRUE(client.send(kWait));
    server.wait_for_gate(1);
  }
  // The gate stays closed: only the leaving ends the handler.
  EXPECT_EQ(server.observer.finished(1).size(), 1u);
}

TEST(ServerCaller, LeavesWhenTheClientWillSendNoMore) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(kWait));
  client.finish_sending();
  EXPECT_EQ(client.read().body, "left");
}

TEST(ServerCaller, LeavesAfterABodyInPieces) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(kPost + "Content-Length: 5\r\n\r\n"));
  ASSERT_TRUE(client.send("hello"));
  server.wait_for_gate(1);
  client.finish_sending();
  EXPECT_EQ(client.read().body, "left");
}

TEST(ServerCaller, StaysWhileTheClientWaits) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(kWait));
  server.wait_for_gate(1);
  // Longer than the sweep takes to come around.
  EXPECT_FALSE(client.is_readable(std::chrono::milliseconds(1500)));
  server.handler.is_open = true;
  EXPECT_EQ(client.read().body, "there");
}

TEST(ServerCaller, StaysWhileTheNextRequestIsAlreadyThere) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(kWait));
  server.wait_for_gate(1);
  ASSERT_TRUE(client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_FALSE(client.is_readable(std::chrono::milliseconds(1500)));
  server.handler.is_open = true;
  EXPECT_EQ(client.read().body, "there");
  EXPECT_EQ(client.read().body, "GET /next");
}

// The bytes on the way belong to the body: who closes after a half is found by reading on.
TEST(ServerCaller, IsNotLookedForWhileABodyIsOnItsWay) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(kPost + "Content-Length: 10\r\n\r\nhello"));
  server.wait_for_gate(1);
  client.finish_sending();
  EXPECT_FALSE(client.is_readable(std::chrono::milliseconds(1500)));
  server.handler.is_open = true;
  EXPECT_EQ(client.read().body, "there");
}

TEST(ServerCaller, LeavesWhenTheServerBreaksOff) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(kWait));
  server.wait_for_gate(1);
  EXPECT_FALSE(server.server.stop(std::chrono::milliseconds(0)));
  EXPECT_EQ(server.observer.finished(1).size(), 1u);
}

}  // namespace
}  // namespace flowstore::http
