#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/blocking_pool.h"
#include "http/ask.h"
#include "http/date.h"
#include "metrics/registry.h"
#include "server/check_places.h"
#include "server/context_stores.h"
#include "server/file_stores.h"
#include "server/listeners.h"
#include "server/privileges.h"
#include "server/serve.h"

namespace flowstore::server {
namespace {

CheckResult result(std::string name, const Status& status, std::string good) {
  CheckResult check;
  check.name = std::move(name);
  check.is_ok = status.has_value();
  if (!check.is_ok) good = status.error().message();
  check.detail = std::move(good);
  return check;
}

// Runs one task to its end on this thread.
Status wait_for(Task<Status> task) {
  boost::asio::io_context loop;
  std::optional<Status> outcome;
  auto body = [&]() -> Task<> { outcome.emplace(co_await std::move(task)); };
  spawn(loop.get_executor(), "check", body());
  loop.run();
  return *std::move(outcome);
}

// Writes, syncs and removes a small file; asks a store on a network.
Task<Status> try_store(const config::DriverConfig& config, BlockingPool& io, const Clock& clock,
                       Log& log) {
  metrics::Registry registry;
  const Executor here = co_await boost::asio::this_coro::executor;
  const FileSurroundings with{io, here, nullptr, clock, log, registry};
  FLOWSTORE_CO_TRY(const auto backend, make_file_backend(config, with));
  co_return co_await backend->store().probe();
}

// Asks the database.
Task<Status> try_context(const config::ContextConfig& config, BlockingPool& io, const Clock& clock,
                         Log& log) {
  metrics::Registry registry;
  FLOWSTORE_CO_TRY(const auto store, make_context_store(config, io, clock, log, registry));
  const Status answer = co_await store->probe();
  store->stop();
  co_return answer;
}

std::string advice_about(const std::string& failure) {
  if (failure.find(http::kNotAccepted) == std::string::npos) {
    return "; check base_url and the network to it";
  }
  return "; if its certificate is of an authority of your own, name that in NODE_EXTRA_CA_CERTS";
}

// Any answer of the platform shows that base_url leads somewhere; a 401 is the right one for a
// request without a token.
// `date` is what it says of the time.
Task<Status> try_platform(const std::string& base_url, std::string& date) {
  const http::Trust trust = http::Trust::of_environment();
  http::Connector connector(trust);
  http::Question question("GET", base_url + "/account/check/project/flowstore-check");
  question.follows_redirects = true;
  const auto response = co_await http::ask(connector, std::move(question));
  if (!response) {
    co_return Error(ErrorKind::unavailable, "platform",
                    response.error().message() + advice_about(response.error().message()));
  }
  date = response->date;
  if (response->status == 401 || response->status == 403) co_return Status();
  co_return Error(ErrorKind::unavailable, "platform",
                  "answered " + std::to_string(response->status) +
                      " where a FlowFuse platform answers 401; check base_url");
}

void add_port(std::vector<CheckResult>& checks, const char* name,
              const http::ServerOptions& options) {
  const auto bound = http::bind_sockets(options);
  const std::string place = options.host + ":" + std::to_string(options.port);
  checks.push_back(result(name, bound ? Status() : Status(bound.error()), place + " is free"));
}

// What the service does before it serves, in the same order: the rest is tried as the user that it
// becomes.
bool begin(std::vector<CheckResult>& checks, const config::Config& config) {
  add_port(checks, "port", main_listener(config));
  if (config.admin.port) add_port(checks, "admin port", admin_listener(config));
  const Status given_up = give_up_privileges(config);
  if (config.account.is_set()) {
    checks.push_back(result("user", given_up, "runs as " + config.account.user));
  }
  return given_up.has_value();
}

void add_platform(std::vector<CheckResult>& checks, const std::string& base_url,
                  const Clock& clock) {
  std::string date;
  checks.push_back(
      result("platform", wait_for(try_platform(base_url, date)), base_url + " answers"));
  auto skew = check_clock(http::parse_date(date), clock.wall());
  if (skew) checks.push_back(*std::move(skew));
}

}  // namespace

std::vector<CheckResult> check_dependencies(const config::Config& config) {
  std::vector<CheckResult> checks;
  if (!begin(checks, config)) return checks;
  auto authorities = check_authorities(http::Trust::of_environment());
  if (authorities) checks.push_back(*std::move(authorities));
  const SystemClock clock;
  Log log(LogLevel::silent, LogFormat::json, clock);
  BlockingPool io(1);
  const bool is_local = config.driver.type == config::DriverType::localfs;
  checks.push_back(
      result("driver " + std::string(file_driver(config.driver)),
             wait_for(try_store(config.driver, io, clock, log)),
             file_place(config.driver) + (is_local ? " can be written" : " is ready")));
  if (config.context.is_on) {
    checks.push_back(result("context " + std::string(context_driver(config.context)),
                            wait_for(try_context(config.context, io, clock, log)),
                            context_place(config.context) + " answers"));
  }
  for (CheckResult& lost : check_places(config)) checks.push_back(std::move(lost));
  if (config.auth.type == config::AuthType::flowfuse) {
    add_platform(checks, config.base_url, clock);
  }
  if (config.tls.is_on()) {
    const auto tls = listener_tls(config);
    checks.push_back(result("tls", tls ? Status() : Status(tls.error()),
                            config.tls.cert_file + " and its key can be used"));
  }
  return checks;
}

}  // namespace flowstore::server
