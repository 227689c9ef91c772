// A Dispatch on stores in memory, asked without sockets.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/thread_pool.hpp>
#include <gtest/gtest.h>

#include "api/dispatch.h"
#include "files/local_ledger.h"
#include "files/memory/memory_store.h"
#include "support/bodies.h"
#include "support/run.h"

namespace flowstore::api {

// Accepts "good" for projects p and pp, and for no project at all; "down" cannot be checked.
class ScriptedVerifier final : public auth::TokenVerifier {
 public:
  Task<Result<auth::Grant>> verify(std::string_view project, std::string_view token) override {
    ++questions;
    if (token == "down") co_return auth::token_unchecked();
    const bool is_known = project == "p" || project == "pp" || project.empty();
    if (token != "good" || !is_known) co_return auth::token_refused();
    co_return grant;
  }

  int questions = 0;
  auth::Grant grant;
};

// A body that says how often it was read. `is_announced`: its length is known beforehand.
class CountedSource final : public ByteSource {
 public:
  CountedSource(std::string bytes, bool is_announced)
      : bytes_(std::move(bytes)), is_announced_(is_announced) {}
  Task<Result<std::string_view>> next() override {
    ++reads;
    co_return reads == 1 ? std::string_view(bytes_) : std::string_view();
  }
  std::optional<std::uint64_t> size() const override {
    return is_announced_ ? std::optional<std::uint64_t>(bytes_.size()) : std::nullopt;
  }

  int reads = 0;

 private:
  std::string bytes_;
  bool is_announced_;
};

struct Answer {
  int status = 0;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string route;
  std::string policy;                 // in place of the usual one
  bool is_closed = false;             // the connection ends with it
  std::optional<std::uint64_t> size;  // nothing for a stream

  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return "";
  }
};

class DispatchTest : public testing::Test {
 protected:
  using Headers = std::vector<http::Header>;

  ~DispatchTest() override { background.join(); }

  Answer ask(std::string_view method, std::string_view target, std::string body = "",
             Headers headers = {}, std::string_view authorization = "Bearer good") {
    CountedSource source(std::move(body), announces_length);
    if (!authorization.empty()) headers.push_back({"Authorization", authorization});
    http::Request request(method, target, headers, peer, source, caller);
    http::Response response = run(dispatch().handle(request));
    body_reads = source.reads;
    Answer answer;
    answer.status = response.status;
    answer.content_type = response.content_type;
    answer.route = request.route();
    answer.policy = response.security_policy;
    answer.is_closed = response.close;
    answer.size = response.content.size();
    for (auto& [name, value] : response.headers) answer.headers.emplace_back(name, value);
    answer.body = bytes_of(response.content);
    return answer;
  }

  Dispatch& dispatch() {
    if (!dispatch_) {
      dispatch_ = std::make_unique<Dispatch>(verifier, service_tokens, service, context, pool,
                                             readiness, registry, options);
    }
    return *dispatch_;
  }

  static config::FixedToken service_token() {
    config::FixedToken token;
    token.token = Secret("service");
    return token;
  }

  SystemClock clock;
  metrics::Registry registry;
  boost::asio::thread_pool background{1};
  BlockingPool pool{1};
  files::memory::Store store{1 << 20, clock};
  files::LocalLedger ledger{store, clock, registry, background.get_executor()};
  files::FileService service{store, ledger, clock, registry};
  context::ContextService* context = nullptr;  // as it is when the first question is asked
  ScriptedVerifier verifier;
  auth::ServiceTokens service_tokens{{service_token()}};
  Readiness readiness{clock};
  ApiOptions options;
  http::Peer peer;
  Caller caller;
  bool announces_length = true;
  int body_reads = 0;

 private:
  std::unique_ptr<Dispatch> dispatch_;
};

}  // namespace flowstore::api
