// What a client sees of a whole server: the protocol. Bodies, deadlines, and starting and stopping
// have tests of their own beside this one.

#include "http/server.h"

#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "support/raw_client.h"
#include "support/scripted_server.h"

namespace flowstore::http {
namespace {

std::string get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

TEST(Server, AnswersRequestAfterRequestOnOneConnection) {
  ScriptedServer server;
  RawClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send(get("/a?b=c")));
    const Answer answer = client.read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "GET /a?b=c");
    EXPECT_EQ(answer.header("connection"), "keep-alive");
    EXPECT_EQ(answer.header("keep-alive"), "timeout=72");
    EXPECT_EQ(answer.header("content-type"), "text/plain");
    EXPECT_EQ(answer.header("x-frame-options"), "DENY");
    EXPECT_EQ(answer.header("date").size(), 29u);
  }
  EXPECT_EQ(server.observer.connections(), 1);
}

TEST(Server, TellsTheObserverOfEveryRequestOnce) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(
      client.send("POST /echo HTTP/1.1\r\nHost: files:3001\r\nX-Forwarded-For: 10.0.0.1\r\n"
                  "Content-Length: 5\r\n\r\nhello"));
  client.read();
  ASSERT_TRUE(client.send(get("/nothing")));
  client.read();

  const auto finished = server.observer.finished(2);
  ASSERT_EQ(finished.size(), 2u);
  ASSERT_EQ(server.observer.started().size(), 2u);
  const Seen& first = finished[0];
  EXPECT_EQ(first.id, 1u);
  EXPECT_EQ(first.method, "POST");
  EXPECT_EQ(first.target, "/echo");
  EXPECT_EQ(first.host, "files:3001");
  EXPECT_EQ(first.peer, "127.0.0.1");
  EXPECT_EQ(first.forwarded_for, "10.0.0.1");
  EXPECT_EQ(first.route, "/route");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.bytes_in, 5u);
  EXPECT_EQ(first.bytes_out, 5u);
  EXPECT_TRUE(first.is_complete);
  EXPECT_EQ(finished[1].id, 2u);
  EXPECT_EQ(finished[1].forwarded_for, "");
  EXPECT_EQ(server.observer.started()[0].target, "/echo");
  EXPECT_TRUE(server.observer.rejected().empty());
}

TEST(Server, AnswersAThousandPipelinedRequestsInOrder) {
  ScriptedServer server;
  RawClient client(server.port());
  std::string requests;
  for (int i = 0; i < 1000; ++i) {
    const std::string body = std::to_string(i);
    requests += "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body;
  }
  std::thread sender([&] { client.send(requests); });
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(client.read().body, std::to_string(i));
  sender.join();
}

TEST(Server, ReadsAHeadThatComesByteByByte) {
  ScriptedServer server;
  RawClient client(server.port());
  for (const char c : get("/slow-typist")) ASSERT_TRUE(client.send(std::string_view(&c, 1)));
  EXPECT_EQ(client.read().body, "GET /slow-typist");
}

TEST(Server, ClosesWhenTheClientAsksForIt) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  const Answer answer = client.read();
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_EQ(answer.headers.count("keep-alive"), 0u);
  EXPECT_TRUE(client.is_closed());
}

TEST(Server, ClosesWhenTheHandlerAsksForIt) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(get("/close") + get("/never-answered")));
  EXPECT_EQ(client.read().header("connection"), "close");
  EXPECT_TRUE(client.is_closed());
}

TEST(Server, SpeaksHttp10) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_EQ(client.read().header("connection"), "keep-alive");
  ASSERT_TRUE(client.send("GET /b HTTP/1.0\r\n\r\n"));
  const Answer answer = client.read();
  EXPECT_EQ(answer.body, "GET /b");
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(client.is_closed());
}

TEST(Server, EndsAnAnswerOfUnknownLengthToHttp10ByClosing) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send("GET /unsized HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  const Answer answer = client.read();
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_EQ(answer.headers.count("transfer-encoding"), 0u);
  EXPECT_EQ(answer.body, "onetwothree");
}

TEST(Server, AnswersHeadWithoutContent) {
  ScriptedServer server;
  RawClient client(server.port());
  for (const char* const target : {"/big", "/sized", "/unsized"}) {
    ASSERT_TRUE(client.send("HEAD " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    const Answer answer = client.read(true);
    EXPECT_EQ(answer.status, 200);
    if (target == std::string_view("/big")) {
      EXPECT_EQ(answer.header("content-length"), "8388608");
    }
    ASSERT_TRUE(client.send(get("/next")));
    EXPECT_EQ(client.read().body, "GET /next") << "after HEAD " << target;
  }
  EXPECT_EQ(server.observer.finished(6).at(0).bytes_out, 0u);
}

TEST(Server, SendsNoContentWhereNoneMayFollow) {
  ScriptedServer server;
  RawClient client(server.port());
  for (const char* const target : {"/204", "/304"}) {
    ASSERT_TRUE(client.send(get(target)));
    const Answer answer = client.read();
    EXPECT_EQ(answer.headers.count("content-length"), 0u);
    ASSERT_TRUE(client.send(get("/next")));
    EXPECT_EQ(client.read().body, "GET /next") << "after " << target;
  }
}

TEST(Server, HandsTheAbsoluteFormOnAsItIs) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(get("http://host/health")));
  EXPECT_EQ(client.read().body, "GET http://host/health");
}

TEST(Server, ClosesOnConnectWithoutAWord) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send("CONNECT host:80 HTTP/1.1\r\nHost: host:80\r\n\r\n"));
  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(server.observer.started().empty());
}

TEST(Server, RefusesHttp11WithoutHost) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\n\r\n"));
  const std::string answer = client.read_to_end();
  EXPECT_EQ(answer.find("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nDate: "), 0u);
  EXPECT_NE(answer.find("\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), std::string::npos);
  EXPECT_EQ(server.observer.rejected(), std::vector<int>{400});
  EXPECT_TRUE(server.observer.started().empty());
}

TEST(Server, RefusesWhatIsNoRequest) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send("get / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(client.read_to_end(),
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 65\r\nContent-Type: application/json\r\n"
            "Connection: close\r\n\r\n"
            R"({"error":"Bad Request","message":"Client Error","statusCode":400})");
  EXPECT_EQ(server.observer.rejected(), std::vector<int>{400});
  EXPECT_TRUE(server.observer.started().empty());
}

TEST(Server, RefusesAHeadThatIsTooLarge) {
  ScriptedServer server;
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(20'000, 'a') + "\r\n\r\n");
  const Answer answer = client.read();
  EXPECT_EQ(answer.status, 431);
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_EQ(answer.body,
            R"({"error":"Request Header Fields Too Large",)"
            R"("message":"Exceeded maximum allowed HTTP header size","statusCode":431})");
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(server.observer.rejected(), std::vector<int>{431});
}

TEST(Server, AnswersAPipelinedRequestBeforeItRefusesTheNext) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(get("/good") + "nonsense\r\n\r\n"));
  EXPECT_EQ(client.read().body, "GET /good");
  EXPECT_EQ(client.read().status, 400);
  EXPECT_TRUE(client.is_closed());
}

TEST(Server, AnswersForAHandlerThatThrows) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(get("/throw")));
  const Answer answer = client.read();
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_EQ(answer.body, R"({"statusCode":500,"error":"Internal Server Error",)"
                         R"("message":"Internal Server Error"})");
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(server.observer.threw(), std::vector<std::string>{"thrown by a handler"});
  EXPECT_EQ(server.observer.finished(1).at(0).status, 500);
}

TEST(Server, SendsStreamsOfKnownAndUnknownLength) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(get("/sized") + get("/unsized") + get("/next")));
  const Answer sized = client.read();
  EXPECT_EQ(sized.header("content-length"), "11");
  EXPECT_EQ(sized.body, "onetwothree");
  const Answer unsized = client.read();
  EXPECT_EQ(unsized.header("transfer-encoding"), "chunked");
  EXPECT_EQ(unsized.body, "onetwothree");
  EXPECT_EQ(client.read().body, "GET /next");
  EXPECT_EQ(server.observer.finished(3).at(1).bytes_out, 11u);
}

TEST(Server, CutsOffAnAnswerThatDoesNotKeepItsPromise) {
  ScriptedServer server;
  std::size_t count = 0;
  for (const char* const target : {"/too-short", "/too-long", "/breaks", "/throws-late"}) {
    RawClient client(server.port());
    ASSERT_TRUE(client.send(get(target) + get("/next")));
    EXPECT_EQ(client.read_head().status, 200);
    const std::string rest = client.read_to_end();
    EXPECT_NE(rest.find("one"), std::string::npos) << target;
    EXPECT_EQ(rest.find("HTTP"), std::string::npos) << target;
    EXPECT_EQ(rest.find("0\r\n\r\n"), std::string::npos) << target;
    const auto finished = server.observer.finished(++count);
    ASSERT_EQ(finished.size(), count);
    EXPECT_FALSE(finished.back().is_complete) << target;
    EXPECT_EQ(finished.back().bytes_out, 3u) << target;
  }
  EXPECT_EQ(server.observer.threw(), std::vector<std::string>{"thrown by a source"});
}

TEST(Server, SurvivesAClientThatLeavesInTheMiddleOfAnAnswer) {
  ScriptedServer server;
  {
    RawClient client(server.port(), 4096);
    ASSERT_TRUE(client.send(get("/big")));
    EXPECT_EQ(client.read_head().status, 200);
  }
  const auto finished = server.observer.finished(1);
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_FALSE(finished[0].is_complete);
  EXPECT_EQ(finished[0].status, 200);
  RawClient next(server.port());
  ASSERT_TRUE(next.send(get("/next")));
  EXPECT_EQ(next.read().body, "GET /next");
}

TEST(Server, SendsABigAnswerWhole) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(get("/big")));
  EXPECT_EQ(client.read().body, std::string(8 << 20, 'b'));
  EXPECT_EQ(server.observer.finished(1).at(0).bytes_out, 8u << 20);
}

}  // namespace
}  // namespace flowstore::http
