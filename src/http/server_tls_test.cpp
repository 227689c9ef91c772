// The certificate of a listener: reading its files, and loading them anew.

#include "http/server_tls.h"

#include <fstream>
#include <future>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/scripted_server.h"
#include "support/secure_client.h"

namespace flowstore::http {
namespace {

using std::chrono::milliseconds;

class ServerTlsFiles : public testing::Test {
 protected:
  // What is said about the two files; empty if they can be used.
  std::string said() const {
    const auto loaded = ServerTls::load(files_.certificate(), files_.key());
    return loaded ? "" : loaded.error().message();
  }
  static void write(const std::string& file, const std::string& text) {
    std::ofstream(file) << text;
  }

  const TestAuthority authority_;
  const IdentityFiles files_{authority_.certify("DNS:localhost")};
};

TEST_F(ServerTlsFiles, AreTwoThatBelongTogether) {
  EXPECT_EQ(said(), "");
  files_.write_certificate(authority_.certify("DNS:localhost"));
  EXPECT_EQ(said(), "the key in " + files_.key() + " is not that of the certificate in " +
                        files_.certificate());
}

TEST_F(ServerTlsFiles, AreNamedWhenTheyCannotBeRead) {
  std::filesystem::remove(files_.key());
  EXPECT_EQ(said(), "cannot read the key " + files_.key() + ": No such file or directory");
  ::mkfifo(files_.key().c_str(), 0600);
  EXPECT_EQ(said(), "cannot read the key " + files_.key() + ": it is no file");
  std::filesystem::remove(files_.certificate());
  EXPECT_EQ(said(),
            "cannot read the certificate " + files_.certificate() + ": No such file or directory");
}

TEST_F(ServerTlsFiles, AreNamedWhenTheyHoldSomethingElse) {
  write(files_.key(), "-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\n");
  EXPECT_EQ(said().find(files_.key() + " holds no key in PEM"), 0u) << said();
  EXPECT_EQ(said().find("planted"), std::string::npos);
  write(files_.certificate(), "");
  EXPECT_EQ(said().find(files_.certificate() + " holds no certificate in PEM"), 0u) << said();
}

// The waiting is for the thread that looks at the files; each look is told of.
class ServerTlsReload : public testing::Test {
 protected:
  ServerTlsReload() {
    tls_ = *ServerTls::load(files_.certificate(), files_.key());
    tls_->watch(milliseconds(5), [this](const Status& status) {
      const std::lock_guard lock(mutex_);
      told_.push_back(status ? "loaded" : status.error().message());
    });
    ServerOptions options;
    options.tls = tls_.get();
    server_ = std::make_unique<ScriptedServer>(options);
  }

  std::vector<std::string> told(std::size_t count) {
    for (int i = 0; i < 5000; ++i) {
      {
        const std::lock_guard lock(mutex_);
        if (told_.size() >= count) return told_;
      }
      std::this_thread::sleep_for(milliseconds(2));
    }
    return {};
  }

  std::unique_ptr<SecureClient> connect() {
    SecureOptions options;
    options.authority = authority_.file_of_certificate();
    return std::make_unique<SecureClient>(server_->port(), options);
  }

  const TestAuthority authority_;
  const IdentityFiles files_{authority_.certify("DNS:localhost")};
  std::mutex mutex_;
  std::vector<std::string> told_;  // guarded by mutex_
  std::unique_ptr<ServerTls> tls_;
  std::unique_ptr<ScriptedServer> server_;
};

const std::string kGet = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(ServerTlsReload, IsForNewConnections) {
  const auto old = connect();
  files_.write(authority_.certify("DNS:localhost"));
  ASSERT_EQ(told(1), std::vector<std::string>{"loaded"});
  const auto fresh = connect();
  EXPECT_GT(fresh->serial(), old->serial());
  for (SecureClient* const client : {old.get(), fresh.get()}) {
    ASSERT_TRUE(client->send(kGet));
    EXPECT_EQ(client->read().body, "GET /next");
  }
}

TEST_F(ServerTlsReload, LeavesWhatWasWhereTheNewFilesCannotBeUsed) {
  const long serial = connect()->serial();
  files_.write_certificate(authority_.certify("DNS:localhost"));
  const auto first = told(1);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].find("the key in "), 0u) << first[0];
  EXPECT_EQ(connect()->serial(), serial);
  std::filesystem::remove(files_.certificate());
  ASSERT_EQ(told(2).size(), 2u);
  EXPECT_EQ(connect()->serial(), serial);
  files_.write(authority_.certify("DNS:localhost"));
  ASSERT_EQ(told(3).size(), 3u);
  EXPECT_EQ(told(3)[2], "loaded");
  EXPECT_GT(connect()->serial(), serial);
}

TEST_F(ServerTlsReload, CostsNoConnection) {
  std::atomic<bool> is_over = false;
  const auto ask_again_and_again = [&] {
    int answers = 0;
    while (!is_over) {
      const auto client = connect();
      if (!client->send(kGet) || client->read().status != 200) return -1;
      ++answers;
    }
    return answers;
  };
  std::vector<std::future<int>> askers;
  for (int i = 0; i < 4; ++i) askers.push_back(std::async(std::launch::async, ask_again_and_again));
  for (std::size_t i = 1; i <= 10; ++i) {
    files_.write(authority_.certify("DNS:localhost"));
    EXPECT_GE(told(i).size(), i);  // more where the two files came with a pause between them
  }
  is_over = true;
  for (auto& asker : askers) EXPECT_GT(asker.get(), 0);
}

}  // namespace
}  // namespace flowstore::http
