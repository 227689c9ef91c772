// Bodies in and files out, over a whole server.

#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/raw_client.h"
#include "support/scripted_server.h"

namespace flowstore::http {
namespace {

using std::chrono::milliseconds;

std::string post(const std::string& target, const std::string& headers, const std::string& body) {
  return "POST " + target + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body;
}

std::string post_sized(const std::string& target, const std::string& body) {
  return post(target, "Content-Length: " + std::to_string(body.size()) + "\r\n", body);
}

const std::string kNext = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(ServerBody, IsHandedOnPieceByPieceWithoutLoss) {
  ScriptedServer server;
  RawClient client(server.port());
  for (const std::size_t size : {0u, 1u, 4000u, 5000u, 70'000u, 300'000u, 3'000'000u}) {
    std::string body(size, '\0');
    for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * 7 % 251);
    std::thread sender([&] { client.send(post_sized("/echo", body) + kNext); });
    EXPECT_TRUE(client.read().body == body) << size;
    EXPECT_EQ(client.read().body, "GET /next") << size;
    sender.join();
  }
}

TEST(ServerBody, MayBeChunked) {
  ScriptedServer server;
  RawClient client(server.port());
  std::string body;
  std::string chunks;
  for (std::size_t size = 1; size < 2000; size += 13) {
    const std::string piece(size, static_cast<char>('a' + size % 26));
    std::array<char, 16> line{};
    std::snprintf(line.data(), line.size(), "%zx\r\n", size);
    body += piece;
    chunks += line.data() + piece + "\r\n";
  }
  chunks += "0\r\nTrailer: x\r\n\r\n";
  std::thread sender(
      [&] { client.send(post("/echo", "Transfer-Encoding: chunked\r\n", chunks) + kNext); });
  EXPECT_EQ(client.read().body, body);
  EXPECT_EQ(client.read().body, "GET /next");
  sender.join();
  EXPECT_EQ(server.observer.finished(1).at(0).bytes_in, body.size());
}

TEST(ServerBody, IsAskedForWith100OnlyWhenTheHandlerReads) {
  ScriptedServer server;
  RawClient client(server.port());
  const std::string head = post("/echo", "Expect: 100-continue\r\nContent-Length: 5\r\n", "");
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(client.send(head));
    EXPECT_EQ(client.read().status, 100);
    ASSERT_TRUE(client.send("hello"));
    EXPECT_EQ(client.read().body, "hello");
  }
}

TEST(ServerBody, IsNotAskedForWith100ByAHandlerThatIgnoresIt) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(
      client.send(post("/ignore", "Expect: 100-continue\r\nContent-Length: 5000000\r\n", "")));
  const Answer answer = client.read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("connection"), "close");  // it cannot know whether the body will come
  client.finish_sending();
  EXPECT_TRUE(client.is_closed());
}

TEST(ServerBody, IsRefusedWithAnyOtherExpectation) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(post("/echo", "Expect: magic\r\nContent-Length: 5\r\n", "hello")));
  const Answer answer = client.read();
  EXPECT_EQ(answer.status, 417);
  EXPECT_EQ(answer.body, "");
  ASSERT_TRUE(client.send(kNext));
  EXPECT_EQ(client.read().body, "GET /next");
  EXPECT_EQ(server.observer.finished(2).at(0).status, 417);
}

TEST(ServerBody, OfHttp10IsNeverAskedFor) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send("POST /echo HTTP/1.0\r\nExpect: magic\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_FALSE(client.is_readable(milliseconds(50)));
  ASSERT_TRUE(client.send("hello"));
  EXPECT_EQ(client.read().body, "hello");
}

TEST(ServerBody, LeftUnreadIsForgottenWhenSmall) {
  ScriptedServer server;
  RawClient client(server.port());
  const std::string body(100'000, 'x');
  const std::string chunked =
      post("/ignore", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n");
  for (const std::string& request : {post_sized("/ignore", body), post_sized("/half", body),
                                     post_sized("/ignore", "tiny"), chunked}) {
    ASSERT_TRUE(client.send(request + kNext));
    const Answer answer = client.read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("connection"), "keep-alive");
    EXPECT_EQ(client.read().body, "GET /next");
  }
  EXPECT_EQ(server.observer.finished(8).at(0).bytes_in, body.size());
}

TEST(ServerBody, LeftUnreadWhenLargeEndsTheConnectionButNotTheAnswer) {
  ScriptedServer server;
  RawClient client(server.port());
  // The client reads only when it has sent everything, as simple ones do: the answer must wait.
  const std::string body(8 << 20, 'x');
  EXPECT_TRUE(client.send(post_sized("/ignore", body)));
  const Answer answer = client.read();
  EXPECT_EQ(answer.body, "ignored");
  EXPECT_EQ(answer.header("connection"), "close");
  client.finish_sending();
  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(server.observer.finished(1).at(0).is_complete);
}

TEST(ServerBody, LeftUnreadWithoutAnnouncedLengthEndsTheConnectionAndTheAnswerSaysSo) {
  ScriptedServer server;
  RawClient client(server.port());
  std::thread sender([&] {
    const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
    client.send(post("/ignore", "Transfer-Encoding: chunked\r\n", ""));
    for (int i = 0; i < 32; ++i) client.send(chunk);
    client.finish_sending();
  });
  const Answer answer = client.read();
  EXPECT_EQ(answer.body, "ignored");
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_EQ(answer.header("keep-alive"), "");
  EXPECT_TRUE(client.is_closed());
  sender.join();
}

TEST(ServerBody, ThatBreaksTheFramingIsAnsweredByTheParser) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(post("/echo", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n")));
  while (server.observer.started().empty()) std::this_thread::sleep_for(milliseconds(1));
  ASSERT_TRUE(client.send("zz\r\n" + kNext));
  const Answer answer = client.read();
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, R"({"error":"Bad Request","message":"Client Error","statusCode":400})");
  EXPECT_TRUE(client.is_closed());
  const auto finished = server.observer.finished(1);
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].status, 400);
  EXPECT_FALSE(finished[0].is_complete);
  EXPECT_TRUE(server.observer.rejected().empty());  // it was a request: counted once
}

TEST(ServerBody, ThatBreaksTheFramingBesideItsHeadIsNoRequest) {
  ScriptedServer server;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(post("/echo", "Transfer-Encoding: chunked\r\n", "zz\r\n") + kNext));
  EXPECT_EQ(client.read().status, 400);
  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(server.observer.started().empty());
  EXPECT_EQ(server.observer.rejected(), std::vector<int>{400});
}

TEST(ServerBody, CutShortByTheClientReachesTheHandlerAsAnError) {
  ScriptedServer server;
  {
    RawClient client(server.port());
    ASSERT_TRUE(client.send(post("/echo", "Content-Length: 1000\r\n", "only this")));
  }
  const auto finished = server.observer.finished(1);
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].status, 0);
  EXPECT_EQ(finished[0].bytes_in, 9u);
  EXPECT_FALSE(finished[0].is_complete);
}

TEST(ServerBody, IsReadNoFasterThanTheHandlerAsks) {
  ScriptedServer server;
  RawClient client(server.port());
  constexpr std::size_t kSize = 256 << 20;
  const std::string piece(1 << 20, 'x');
  ASSERT_TRUE(
      client.send(post("/gate-count", "Content-Length: " + std::to_string(kSize) + "\r\n", "")));
  server.wait_for_gate(1);
  std::size_t sent = 0;
  for (int idle = 0; idle < 20; ++idle) {
    while (const std::size_t now = client.send_now(piece)) {
      sent += now;
      idle = 0;
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_LT(sent, 32u << 20);  // the kernel's buffers, and nothing of ours

  server.handler.is_open = true;
  while (sent < kSize) {
    const std::size_t size = std::min(piece.size(), kSize - sent);
    ASSERT_TRUE(client.send(std::string_view(piece).substr(0, size)));
    sent += size;
  }
  EXPECT_EQ(client.read().body, std::to_string(kSize));
}

// A temporary file with a pattern in which every misplaced byte shows.
class ServerFile : public testing::Test {
 protected:
  void write_file(std::size_t size) {
    server.handler.file_path = path_;
    content.resize(size);
    for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>((i * i + i / 251) % 253);
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~ServerFile() override { ::unlink(path_.c_str()); }

  const std::string get = "GET /file HTTP/1.1\r\nHost: x\r\n\r\n";
  std::string content;
  std::string path_ = make_path();
  ScriptedServer server;

 private:
  static std::string make_path() {
    std::string path = testing::TempDir() + "flowstore_server_XXXXXX";
    ::close(::mkstemp(path.data()));
    return path;
  }
};

TEST_F(ServerFile, IsSentWholeWhateverItsSize) {
  RawClient client(server.port());
  for (const std::size_t size : {0u, 1u, 1024u, 16'384u, 16'385u, 1'048'577u, 5'000'000u}) {
    write_file(size);
    ASSERT_TRUE(client.send(get + kNext));
    const Answer answer = client.read();
    EXPECT_EQ(answer.header("content-length"), std::to_string(size));
    EXPECT_TRUE(answer.body == content) << size;
    EXPECT_EQ(client.read().body, "GET /next");
  }
  EXPECT_EQ(server.observer.finished(14).at(12).bytes_out, 5'000'000u);
}

TEST_F(ServerFile, IsAnsweredToHeadWithItsLength) {
  write_file(100'000);
  RawClient client(server.port());
  ASSERT_TRUE(client.send("HEAD /file HTTP/1.1\r\nHost: x\r\n\r\n" + kNext));
  EXPECT_EQ(client.read(true).header("content-length"), "100000");
  EXPECT_EQ(client.read().body, "GET /next");
}

TEST_F(ServerFile, ReadSlowlyDoesNotHoldUpTheOthersOfItsLoop) {
  write_file(64 << 20);
  RawClient slow(server.port(), 16 * 1024);
  ASSERT_TRUE(slow.send(get));
  EXPECT_EQ(slow.read_head().status, 200);
  RawClient other(server.port());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(other.send(kNext));
    EXPECT_EQ(other.read().body, "GET /next");
  }
  EXPECT_TRUE(slow.take(content.size()) == content);
}

TEST_F(ServerFile, ShortenedWhileItIsSentEndsTheConnection) {
  write_file(64 << 20);
  RawClient client(server.port(), 16 * 1024);
  ASSERT_TRUE(client.send(get + kNext));
  EXPECT_EQ(client.read_head().status, 200);
  ASSERT_EQ(::truncate(path_.c_str(), 1000), 0);
  EXPECT_LT(client.read_to_end().size(), content.size());
  EXPECT_FALSE(server.observer.finished(1).at(0).is_complete);
}

}  // namespace
}  // namespace flowstore::http
