#include "aws/credentials_chain.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/thread_pool.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

#include "support/manual_clock.h"
#include "support/raw_server.h"
#include "support/run.h"

namespace flowstore::aws {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

std::string http_answer(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// "2013-05-24T00:10:00Z", as services write it.
std::string time_text(std::chrono::system_clock::time_point time) {
  const std::time_t at = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  ::gmtime_r(&at, &utc);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

std::string json_for(const std::string& key, std::chrono::system_clock::time_point expires) {
  return R"({"Code":"Success","AccessKeyId":")" + key +
         R"(","SecretAccessKey":"hidden","Token":"t","Expiration":")" + time_text(expires) + "\"}";
}

// Answers by path, and remembers what was asked.
class Service {
 public:
  void set(const std::string& path, std::string answer) {
    const std::lock_guard lock(mutex_);
    answers_[path] = std::move(answer);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }
  int requests() const { return requests_; }
  std::string last_head() {
    const std::lock_guard lock(mutex_);
    return head_;
  }

 private:
  void serve(RawPeer& peer) {
    for (std::string head = peer.read_head(); !head.empty(); head = peer.read_head()) {
      ++requests_;
      const std::size_t at = head.find("content-length: ");
      if (at != std::string::npos) peer.read_body(std::stoul(head.substr(at + 16)));
      const std::size_t path = head.find(' ') + 1;
      std::string answer;
      {
        const std::lock_guard lock(mutex_);
        head_ = head;
        const auto found = answers_.find(head.substr(path, head.find(' ', path) - path));
        answer = found == answers_.end() ? http_answer(404, "") : found->second;
      }
      peer.send(answer);
    }
  }

  std::mutex mutex_;
  std::map<std::string, std::string> answers_;  // guarded by mutex_
  std::string head_;                            // guarded by mutex_
  std::atomic<int> requests_ = 0;
  RawServer server_{[this](RawPeer& peer) { serve(peer); }};
};

class CredentialsChainTest : public testing::Test {
 protected:
  CredentialsChainTest() {
    char name[] = "/tmp/flowstore-aws-XXXXXX";
    folder_ = ::mkdtemp(name);
    variables_["HOME"] = folder_;
    variables_["AWS_EC2_METADATA_DISABLED"] = "true";
  }
  ~CredentialsChainTest() override {
    background_.join();
    std::filesystem::remove_all(folder_);
  }

  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(folder_ + "/" + name).parent_path());
    std::ofstream(folder_ + "/" + name) << text;
  }

  CredentialsChain& chain() {
    if (!chain_) {
      SourceOptions options;
      options.environment = [this](const char* name) -> std::optional<std::string> {
        const auto found = variables_.find(name);
        return found == variables_.end() ? std::nullopt : std::optional(found->second);
      };
      options.container_service = service_.url();
      options.metadata_service = service_.url();
      chain_ = std::make_unique<CredentialsChain>(options, connector_, background_.get_executor(),
                                                  clock_, log_);
    }
    return *chain_;
  }

  // The access key in force, or what is said of it.
  std::string key() {
    const auto found = run(chain().get());
    return found ? (*found)->access_key_id : found.error().message();
  }

  void use_metadata(const std::string& key, std::chrono::system_clock::time_point expires) {
    variables_.erase("AWS_EC2_METADATA_DISABLED");
    service_.set("/latest/api/token", http_answer(200, "session"));
    service_.set("/latest/meta-data/iam/security-credentials/", http_answer(200, "role"));
    service_.set("/latest/meta-data/iam/security-credentials/role",
                 http_answer(200, json_for(key, expires)));
  }

  std::string folder_;
  std::map<std::string, std::string> variables_;
  Service service_;
  ManualClock clock_;
  Log log_{LogLevel::silent, LogFormat::json, clock_};
  const http::Trust trust_{nullptr};
  http::Connector connector_{trust_};
  boost::asio::thread_pool background_{1};
  std::unique_ptr<CredentialsChain> chain_;
};

TEST_F(CredentialsChainTest, TakesThoseOfTheEnvironmentFirst) {
  variables_["AWS_ACCESS_KEY_ID"] = "ENV";
  variables_["AWS_SECRET_ACCESS_KEY"] = "hidden";
  variables_["AWS_SESSION_TOKEN"] = "t";
  write(".aws/credentials", "[default]\naws_access_key_id = FILE\naws_secret_access_key = x\n");
  EXPECT_EQ(key(), "ENV");
  EXPECT_EQ((*run(chain().get()))->session_token, "t");
  EXPECT_EQ(chain().source(), "environment");
}

TEST_F(CredentialsChainTest, ANamedProfileGoesBeforeTheEnvironment) {
  variables_["AWS_ACCESS_KEY_ID"] = "ENV";
  variables_["AWS_SECRET_ACCESS_KEY"] = "hidden";
  variables_["AWS_PROFILE"] = "work";
  write(".aws/credentials",
        "# c\n[default]\naws_access_key_id=D\n[work]\naws_access_key_id = WORK\n"
        "  nested = 1\naws_secret_access_key=x\n");
  write(".aws/config", "[profile work]\nregion = eu-west-3\naws_access_key_id = LATER\n");
  EXPECT_EQ(key(), "WORK");
  EXPECT_EQ(*region_of([this](const char* name) -> std::optional<std::string> {
    const auto found = variables_.find(name);
    return found == variables_.end() ? std::nullopt : std::optional(found->second);
  }),
            "eu-west-3");
}

TEST_F(CredentialsChainTest, AssumesTheRoleOfAWebIdentity) {
  write("token", "web-token\n");
  variables_["AWS_WEB_IDENTITY_TOKEN_FILE"] = folder_ + "/token";
  variables_["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/r";
  variables_["AWS_ENDPOINT_URL_STS"] = service_.url();
  service_.set("/", http_answer(200,
                                "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts/\">"
                                "<AssumeRoleWithWebIdentityResult><Credentials>"
                                "<AccessKeyId>STS</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                                "<SessionToken>t</SessionToken><Expiration>" +
                                    time_text(clock_.wall() + minutes(60)) +
                                    "</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
                                    "</AssumeRoleWithWebIdentityResponse>"));
  EXPECT_EQ(key(), "STS");
  EXPECT_EQ(chain().source(), "web identity");
  EXPECT_TRUE(service_.last_head().starts_with("POST / HTTP/1.1\r\n"));
}

TEST_F(CredentialsChainTest, AsksTheContainersService) {
  variables_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/x";
  variables_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "let-me-in";
  service_.set("/v2/x", http_answer(200, json_for("ECS", clock_.wall() + minutes(60))));
  EXPECT_EQ(key(), "ECS");
  EXPECT_NE(service_.last_head().find("authorization: let-me-in\r\n"), std::string::npos);
}

TEST_F(CredentialsChainTest, HandsNoAuthorizationToStrangersInTheClear) {
  variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://example.invalid/x";
  variables_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "let-me-in";
  const std::string said = key();
  EXPECT_NE(said.find("must be https"), std::string::npos) << said;
  EXPECT_EQ(said.find("let-me-in"), std::string::npos);
}

TEST_F(CredentialsChainTest, AsksTheMetadataServiceLast) {
  use_metadata("EC2", clock_.wall() + minutes(60));
  EXPECT_EQ(key(), "EC2");
  EXPECT_EQ(chain().source(), "instance metadata");
  EXPECT_NE(service_.last_head().find("x-aws-ec2-metadata-token: session\r\n"), std::string::npos);
}

TEST_F(CredentialsChainTest, SaysWhereItLookedAndWhatWasNotThere) {
  const std::string said = key();
  for (const char* part :
       {"environment: AWS_ACCESS_KEY_ID is not set", "profile: there is no profile default in ",
        "/.aws/credentials", "web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set",
        "container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set",
        "instance metadata: AWS_EC2_METADATA_DISABLED is true"}) {
    EXPECT_NE(said.find(part), std::string::npos) << part << " in " << said;
  }
}

TEST_F(CredentialsChainTest, ASourceThatFailsIsNotReplacedByAnother) {
  variables_["AWS_WEB_IDENTITY_TOKEN_FILE"] = folder_ + "/missing";
  variables_["AWS_ROLE_ARN"] = "r";
  use_metadata("SOMEBODY-ELSE", clock_.wall() + minutes(60));
  EXPECT_NE(key().find("missing cannot be read"), std::string::npos);
  EXPECT_EQ(service_.requests(), 0);
}

TEST_F(CredentialsChainTest, NamesWhatAProfileHasThatIsNotServed) {
  write(".aws/config", "[default]\ncredential_process = /bin/true\n");
  EXPECT_NE(key().find("credential_process is not supported"), std::string::npos);
}

TEST_F(CredentialsChainTest, ManyWhoAskAtOnceAreOneQuestion) {
  use_metadata("EC2", clock_.wall() + minutes(60));
  chain();
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([this] { EXPECT_EQ(key(), "EC2"); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(service_.requests(), 3);
}

TEST_F(CredentialsChainTest, FetchesNewOnesBeforeTheOldOnesEnd) {
  use_metadata("OLD", clock_.wall() + minutes(10));
  EXPECT_EQ(key(), "OLD");
  use_metadata("NEW", clock_.wall() + minutes(60));
  clock_.advance(minutes(4));
  EXPECT_EQ(key(), "OLD");
  clock_.advance(seconds(90));
  EXPECT_EQ(key(), "OLD");  // and looks for new ones in the background
  while (key() != "NEW") std::this_thread::yield();
}

TEST_F(CredentialsChainTest, OldOnesAreUsedToTheirEndWhileNoNewOnesCanBeHad) {
  use_metadata("OLD", clock_.wall() + minutes(10));
  EXPECT_EQ(key(), "OLD");
  service_.set("/latest/api/token", http_answer(500, ""));
  clock_.advance(minutes(9) + seconds(30));
  EXPECT_EQ(key(), "OLD");
  clock_.advance(minutes(1));
  EXPECT_NE(key().find("there are no AWS credentials"), std::string::npos);
}

TEST_F(CredentialsChainTest, AFailureIsNotRepeatedByEveryRequest) {
  use_metadata("EC2", clock_.wall() + minutes(60));
  service_.set("/latest/api/token", http_answer(500, ""));
  for (int i = 0; i < 10; ++i) EXPECT_NE(key(), "EC2");
  EXPECT_EQ(service_.requests(), 1);
  service_.set("/latest/api/token", http_answer(200, "session"));
  clock_.advance(seconds(1));
  EXPECT_EQ(key(), "EC2");
}

TEST_F(CredentialsChainTest, WhatIsRefusedIsFetchedAnew) {
  use_metadata("OLD", clock_.wall() + minutes(60));
  EXPECT_EQ(key(), "OLD");
  use_metadata("NEW", clock_.wall() + minutes(60));
  const auto old = run(chain().get());
  chain().refused(**old);
  EXPECT_EQ(key(), "NEW");
  chain().refused(**old);  // said late
  EXPECT_EQ(service_.requests(), 6);
  EXPECT_EQ(key(), "NEW");
}

TEST_F(CredentialsChainTest, MessagesHoldNoSecrets) {
  use_metadata("EC2", clock_.wall() + minutes(60));
  service_.set("/latest/meta-data/iam/security-credentials/role",
               http_answer(200, R"({"SecretAccessKey":"hidden"})"));
  EXPECT_EQ(key().find("hidden"), std::string::npos);
}

}  // namespace
}  // namespace flowstore::aws
