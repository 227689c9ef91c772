// The channel by itself: what one call takes.

#include "http/tls_channel.h"

#include <array>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/server_tls.h"
#include "support/secure_client.h"

namespace flowstore::http {
namespace {

using Handshake = TlsChannel::Handshake;
using Input = TlsChannel::Input;

// A client that says what it is told to, in one piece, to a channel at the other end.
class TlsChannelTest : public testing::Test {
 protected:
  TlsChannelTest() {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()), 0);
    SSL_set_connect_state(client_.get());
    SSL_set_bio(client_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    channel_ = std::make_unique<TlsChannel>(tls_->begin(), ends_[1]);
    auto outcome = Handshake::goes_on;
    while (outcome == Handshake::goes_on) {
      SSL_do_handshake(client_.get());
      say();
      outcome = channel_->shake_hands();
      hear();
    }
    EXPECT_EQ(outcome, Handshake::done);
  }
  ~TlsChannelTest() override {
    channel_.reset();
    for (const int end : ends_) ::close(end);
  }

  // Hands over what the client has written so far.
  void say() {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(client_.get()), &bytes);
    ASSERT_EQ(::send(ends_[0], bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL), size);
    (void)BIO_reset(SSL_get_wbio(client_.get()));
  }
  void hear() {
    std::array<char, 16384> bytes{};
    ssize_t got = 0;
    while ((got = ::recv(ends_[0], bytes.data(), bytes.size(), 0)) > 0) {
      BIO_write(SSL_get_rbio(client_.get()), bytes.data(), static_cast<int>(got));
    }
  }
  int unread() const {
    int bytes = 0;
    EXPECT_EQ(::ioctl(ends_[1], FIONREAD, &bytes), 0);
    return bytes;
  }

  const TestAuthority authority_;
  const IdentityFiles files_{authority_.certify("DNS:localhost")};
  const std::unique_ptr<ServerTls> tls_ = *ServerTls::load(files_.certificate(), files_.key());
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{SSL_CTX_new(TLS_client_method()),
                                                                   &SSL_CTX_free};
  const std::unique_ptr<SSL, decltype(&SSL_free)> client_{SSL_new(context_.get()), &SSL_free};
  std::array<int, 2> ends_{};
  std::unique_ptr<TlsChannel> channel_;
};

TEST_F(TlsChannelTest, GivesTheNeighboursTheirTurnHoweverLongTheClientTalksAboutKeys) {
  for (int i = 0; i < 4000; ++i) {
    SSL_key_update(client_.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
    SSL_do_handshake(client_.get());
  }
  SSL_write(client_.get(), "hello", 5);
  say();
  const int all = unread();
  ASSERT_GT(all, 80'000);
  EXPECT_EQ(channel_->look(), Input::nothing);
  EXPECT_GE(unread(), all - 65'536);

  std::array<char, 16> into{};
  std::size_t size = 0;
  Input input = Input::nothing;
  for (int calls = 0; input == Input::nothing && calls < 10; ++calls) {
    input = channel_->receive(into, size);
  }
  EXPECT_EQ(std::string(into.data(), size), "hello");
}

}  // namespace
}  // namespace flowstore::http
