// Starting, stopping and sharing out: what the operator sees of a server.

#include <future>
#include <string>
#include <thread>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "support/raw_client.h"
#include "support/scripted_server.h"

namespace flowstore::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kGet = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kGate = "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n";

// A server that is only started.
struct Started {
  explicit Started(const std::string& host, std::uint16_t port = 0)
      : server(options(host, port), handler, observer, disk, clock), status(server.start()) {}

  static ServerOptions options(const std::string& host, std::uint16_t port) {
    ServerOptions options;
    options.host = host;
    options.port = port;
    return options;
  }

  ManualClock clock;
  ScriptedHandler handler;
  RecordingObserver observer;
  BlockingPool disk{1};
  Server server;
  Status status;
};

TEST(ServerStart, SaysWhatItListensOn) {
  Started started("127.0.0.1");
  ASSERT_TRUE(started.status.has_value());
  EXPECT_EQ(started.server.addresses(),
            std::vector<std::string>{"127.0.0.1:" + std::to_string(started.server.port())});
}

TEST(ServerStart, ListensOnEveryAddressOfAName) {
  Started started("localhost");
  ASSERT_TRUE(started.status.has_value());
  for (const std::string& address : started.server.addresses()) {
    EXPECT_EQ(address.substr(address.rfind(':') + 1), std::to_string(started.server.port()));
  }
  RawClient client(started.server.port());
  ASSERT_TRUE(client.send(kGet));
  EXPECT_EQ(client.read().status, 200);
}

TEST(ServerStart, FailsInOneSentenceWhenThePortIsInUse) {
  Started first("127.0.0.1");
  const std::string port = std::to_string(first.server.port());
  Started second("127.0.0.1", first.server.port());
  ASSERT_FALSE(second.status.has_value());
  EXPECT_EQ(second.status.error().message(),
            "cannot listen on 127.0.0.1:" + port +
                ": Address already in use; stop what uses the port or set another one (port, or "
                "the variable PORT)");
}

TEST(ServerStart, FailsWhenOneOfTheAddressesOfANameIsInUse) {
  Started first("127.0.0.1");
  Started second("localhost", first.server.port());
  ASSERT_FALSE(second.status.has_value());
  EXPECT_NE(second.status.error().message().find("127.0.0.1"), std::string::npos);
}

TEST(ServerStart, FailsInOneSentenceWhenTheHostIsUnknown) {
  // Too long for a name, so that nobody is asked for it.
  const std::string host(300, 'h');
  Started started(host, 3001);
  ASSERT_FALSE(started.status.has_value());
  const std::string& message = started.status.error().message();
  EXPECT_EQ(message.find("cannot listen on " + host + ":3001: "), 0u) << message;
  EXPECT_NE(message.find("; set host to a name that this machine can resolve"), std::string::npos);
}

TEST(ServerStart, FailsInOneSentenceWhenTheAddressIsAnothersMachines) {
  Started started("192.0.2.1", 3001);
  ASSERT_FALSE(started.status.has_value());
  EXPECT_EQ(started.status.error().message(),
            "cannot listen on 192.0.2.1:3001: Cannot assign requested address; set host to an "
            "address of this machine");
}

TEST(ServerSockets, TurnClientsAwayUntilSomebodyListens) {
  ListenOptions options;
  options.host = "127.0.0.1";
  options.port = 0;
  auto sockets = bind_sockets(options);
  ASSERT_TRUE(sockets.has_value());
  ASSERT_EQ(sockets->size(), 1u);
  const std::string address = address_of(sockets->front());
  const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  EXPECT_THROW(RawClient client(port), std::runtime_error);
  ASSERT_TRUE(listen_on(*sockets, options).has_value());
  const RawClient client(port);
}

TEST(ServerLoops, GetConnectionsInEqualNumbers) {
  ServerOptions options;
  options.loops = 4;
  ScriptedServer server(std::move(options));
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    ASSERT_TRUE(clients.back()->send(kGet));
    EXPECT_EQ(clients.back()->read().status, 200);
  }
  const auto threads = server.handler.threads();
  EXPECT_EQ(threads.size(), 4u);
  for (const auto& [id, requests] : threads) EXPECT_EQ(requests, 10);
}

TEST(ServerLoops, RefuseConnectionsBeyondTheLimit) {
  ServerOptions options;
  options.limits.connections = 2;
  ScriptedServer server(std::move(options));
  auto first = std::make_unique<RawClient>(server.port());
  RawClient second(server.port());
  for (RawClient* const client : {first.get(), &second}) {
    ASSERT_TRUE(client->send(kGet));
    EXPECT_EQ(client->read().status, 200);
  }
  RawClient third(server.port());
  const Answer answer = third.read();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.header("retry-after"), "1");
  EXPECT_TRUE(third.is_closed());
  EXPECT_EQ(server.observer.rejected(), std::vector<int>{503});

  first.reset();
  while (server.observer.connections() > 1) std::this_thread::sleep_for(milliseconds(1));
  RawClient fourth(server.port());
  ASSERT_TRUE(fourth.send(kGet));
  EXPECT_EQ(fourth.read().status, 200);
}

TEST(ServerLoops, AreSilentWhileTheyHang) {
  ServerOptions options;
  options.loops = 2;
  ScriptedServer server(std::move(options));
  EXPECT_EQ(server.server.longest_silence(), seconds(0));
  std::promise<void> hanging;
  std::promise<void> release;
  boost::asio::post(server.server.executor(), [&] {
    hanging.set_value();
    release.get_future().wait();
  });
  hanging.get_future().wait();
  server.clock.advance(seconds(10));
  EXPECT_EQ(server.server.longest_silence(), seconds(10));
  release.set_value();
  while (server.server.longest_silence() > seconds(0)) std::this_thread::sleep_for(milliseconds(1));
}

TEST(ServerLoops, ServeManyConnectionsAtOnce) {
  ServerOptions options;
  options.loops = 2;
  ScriptedServer server(std::move(options));
  std::vector<std::thread> threads;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j) {
        RawClient client(server.port());
        for (int k = 0; k < 5; ++k) {
          client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
          if (client.read().body == "hello") ++answered;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, 800);
  EXPECT_EQ(server.observer.finished(800).size(), 800u);
  EXPECT_EQ(server.observer.started().size(), 800u);
}

TEST(ServerStop, ClosesIdleConnectionsAtOnce) {
  ScriptedServer server;
  RawClient fresh(server.port());
  RawClient used(server.port());
  ASSERT_TRUE(used.send(kGet));
  EXPECT_EQ(used.read().status, 200);
  const auto started = std::chrono::steady_clock::now();
  EXPECT_TRUE(server.server.stop(seconds(60)));
  EXPECT_LT(std::chrono::steady_clock::now() - started, seconds(5));
  EXPECT_TRUE(fresh.is_closed());
  EXPECT_TRUE(used.is_closed());
  EXPECT_EQ(server.observer.connections(), 0);
}

TEST(ServerStop, LetsARunningRequestFinish) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(kGate + kGet));
  server.wait_for_gate(1);
  auto stopped = std::async(std::launch::async, [&] { return server.server.stop(seconds(60)); });
  // New connections are refused before the running request is through.
  EXPECT_THROW(
      for (int i = 0; i < 5000; ++i) {
        RawClient late(server.port());
        std::this_thread::sleep_for(milliseconds(1));
      },
      std::runtime_error);
  server.handler.is_open = true;
  const Answer answer = client.read();
  EXPECT_EQ(answer.body, "passed");
  EXPECT_EQ(answer.header("connection"), "close");
  client.finish_sending();
  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(stopped.get());
}

TEST(ServerStop, CutsOffWhatOutlivesTheGrace) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(kGate));
  server.wait_for_gate(1);
  EXPECT_FALSE(server.server.stop(milliseconds(20)));
  EXPECT_TRUE(client.is_closed());
}

TEST(ServerStop, BreaksOffAnAnswerThatIsNotTaken) {
  ScriptedServer server;
  RawClient client(server.port(), 4096);
  ASSERT_TRUE(client.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(client.read_head().status, 200);
  EXPECT_FALSE(server.server.stop(milliseconds(20)));
  EXPECT_EQ(server.observer.connections(), 0);
  EXPECT_FALSE(server.observer.finished(1).at(0).is_complete);
}

TEST(ServerStop, MayBeCalledTwiceAndWithoutAStart) {
  ScriptedServer server;
  EXPECT_TRUE(server.server.stop(seconds(1)));
  EXPECT_TRUE(server.server.stop(seconds(1)));
  ManualClock clock;
  ScriptedHandler handler;
  RecordingObserver observer;
  BlockingPool disk(1);
  Server never(ServerOptions(), handler, observer, disk, clock);
  EXPECT_TRUE(never.stop(seconds(1)));
}

}  // namespace
}  // namespace flowstore::http
