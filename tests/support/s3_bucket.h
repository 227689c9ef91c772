// A bucket of its own on a real S3 engine, for one test.

#pragma once

#include <atomic>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <unistd.h>

#include "aws/credentials.h"
#include "base/clock.h"
#include "base/log.h"
#include "files/s3/listing.h"
#include "files/s3/s3_store.h"
#include "http/connector.h"
#include "metrics/registry.h"
#include "support/run.h"

namespace flowstore::files::s3 {

// The URL of the engine that script/test starts (tests/s3/engine.py), or null. Its key is testkey
// and its secret testsecret.
inline const char* engine_url() { return std::getenv("FLOWSTORE_S3"); }

inline aws::Credentials engine_credentials() {
  aws::Credentials credentials;
  credentials.access_key_id = "testkey";
  credentials.secret_access_key = Secret("testsecret");
  return credentials;
}

// Made empty, and removed with everything in it. Several stores may work on it.
class Bucket {
 public:
  Bucket() : Bucket(engine_url()) {}
  // Reached by another URL, such as a proxy's; the bucket itself is made by the engine's own.
  explicit Bucket(std::string url) : url_(std::move(url)) {
    static std::atomic<int> count = 0;
    name_ = "test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
    if (!tell("PUT")) throw std::runtime_error("no bucket could be made");
  }
  ~Bucket() {
    static_cast<void>(run(empty()));
    static_cast<void>(tell("DELETE"));
  }
  Bucket(const Bucket&) = delete;
  Bucket& operator=(const Bucket&) = delete;

  Options options() const { return options_at(url_); }

  std::unique_ptr<Store> store(KeyLocks* locks = nullptr) { return store(options(), locks); }
  std::unique_ptr<Store> store(const Options& options, KeyLocks* locks = nullptr) {
    const Surroundings with{connector, *credentials, locks, clock, log, registry};
    return *Store::make(options, with);
  }

  // For tests that look at the bucket itself.
  Client client() {
    const Options at = options_at(engine_url());
    return Client(*address_of(at), at, connector, *credentials, clock, log, registry);
  }
  const std::string& name() const noexcept { return name_; }

  const SystemClock clock{};
  Log log{LogLevel::silent, LogFormat::json, clock};
  metrics::Registry registry;
  http::Trust trust{nullptr};
  http::Connector connector{trust};
  std::unique_ptr<aws::CredentialsProvider> credentials =
      aws::fixed_credentials(engine_credentials());

 private:
  Options options_at(const std::string& url) const {
    Options options;
    options.bucket = name_;
    options.endpoint = url;
    options.force_path_style = true;
    return options;
  }

  bool tell(const std::string& method) { return run(is_good(method)); }

  Task<bool> is_good(std::string method) {
    Client teller = client();
    const Call call(std::move(method), "");
    const auto answer = co_await teller.call(call);
    co_return answer && answer->is_good();
  }

  Task<Status> empty() {
    Client teller = client();
    Objects objects(teller);
    const ListQuery all;
    auto remove = [&objects](const ObjectPage& page) -> Task<Status> {
      co_return co_await remove_objects(objects, page.objects);
    };
    const OnPage on_page = remove;
    co_return co_await for_each_page(objects, all, on_page);
  }

  std::string url_;
  std::string name_;
};

}  // namespace flowstore::files::s3
