#include "server/program.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/thread_pool.hpp>
#include <unistd.h>

#include "api/admin_dispatch.h"
#include "api/dispatch.h"
#include "api/open_routes.h"
#include "auth/service_tokens.h"
#include "base/blocking_pool.h"
#include "base/clock.h"
#include "context/context_service.h"
#include "files/file_service.h"
#include "files/local_ledger.h"
#include "files/shared/shared_state.h"
#include "http/server.h"
#include "metrics/process_metrics.h"
#include "metrics/registry.h"
#include "metrics/text.h"
#include "server/admin_observer.h"
#include "server/context_stores.h"
#include "server/dependencies.h"
#include "server/file_stores.h"
#include "server/request_observer.h"
#include "server/verifiers.h"

namespace flowstore::server {
namespace {

// Threads for calls that block. More than cores, because they wait for disks, and a disk commits
// many waiting fsyncs at once: 32 writers get about the most out of ext4 (docs/decisions/0005).
constexpr std::size_t kBlockingThreads = 32;

// How often the files of the certificate are looked at.
constexpr std::chrono::seconds kCertificatePause{1};

api::ApiOptions api_options(const config::Config& config) {
  api::ApiOptions options;
  options.files.default_quota = config.driver.quota;
  options.files.max_file_size = config.limits.file;
  options.has_metrics = config.has_metrics && !config.admin.port;
  options.has_console = config.has_console;
  options.project.under_way = config.limits.per_project;
  return options;
}

std::optional<std::string_view> opentelemetry_scheme(const config::Config& config) {
  if (!config.has_opentelemetry_names) return std::nullopt;
  return config.tls.is_on() ? "https" : "http";
}

// Members are in the order in which they need each other; they go in the reverse order.
class BuiltProgram final : public Program {
 public:
  explicit BuiltProgram(const config::Config& config)
      : config_(config),
        log_(config.logging.level, config.logging.is_pretty ? LogFormat::pretty : LogFormat::json,
             clock_, STDOUT_FILENO,
             config.logging.http <= LogLevel::info ? Log::kQueuedRequests : Log::kQueuedEvents),
        io_(kBlockingThreads),
        background_(1) {}

  // What still waits for others goes first, while the loops that it would be resumed on exist. The
  // stores only end their threads: sessions that were cut off hold rows of them until the server
  // dies, as they hold connections of the verifiers.
  ~BuiltProgram() override {
    if (server_) server_->stop(std::chrono::milliseconds(0));
    if (admin_) admin_->stop(std::chrono::milliseconds(0));
    if (context_store_) context_store_->stop();
    if (file_backend_) file_backend_->store().stop();
    if (shared_) shared_->stop();
    background_.join();
    io_.join();
  }

  Status assemble() {
    metrics::add_process_metrics(registry_);
    registry_.add_collector([this](std::string& out) { add_log_metrics(out); });
    FLOWSTORE_TRY_STATUS(assemble_files());
    FLOWSTORE_TRY_STATUS(assemble_context());
    verifiers_.emplace(config_, clock_, log_, registry_);
    service_tokens_.emplace(config_.auth.service_tokens);
    observer_.emplace(log_, config_.logging.http, registry_, opentelemetry_scheme(config_));
    watch_dependencies();
    dispatch_.emplace(verifiers_->first(), *service_tokens_, *files_,
                      context_ ? &*context_ : nullptr, io_, readiness_, registry_,
                      api_options(config_));
    FLOWSTORE_TRY(tls_, listener_tls(config_));
    http::ServerOptions listener = main_listener(config_);
    listener.tls = tls_.get();
    server_ = std::make_unique<http::Server>(listener, *dispatch_, *observer_, io_, clock_);
    if (config_.admin.port) assemble_admin();
    return {};
  }

  Status start(Ports ports) override {
    if (tls_) watch_certificate();
    if (admin_) FLOWSTORE_TRY_STATUS(admin_->start(std::move(ports.admin)));
    file_backend_->start();
    return server_->start(std::move(ports.main));
  }
  Clock::Duration longest_silence() const override {
    const Clock::Duration silence = server_->longest_silence();
    return admin_ ? std::max(silence, admin_->longest_silence()) : silence;
  }
  // Metrics can be read to the end.
  bool stop() override { return server_->stop(config_.shutdown_grace); }
  Log& log() override { return log_; }
  std::vector<std::string> urls() const override { return urls_of(*server_); }
  std::vector<std::string> admin_urls() const override {
    return admin_ ? urls_of(*admin_) : std::vector<std::string>();
  }

 private:
  Status assemble_files() {
    const Executor background = background_.get_executor();
    if (shares_files()) {
      FLOWSTORE_TRY(shared_, files::shared::SharedState::make(postgres_options(config_.context),
                                                              config_.driver.s3.bucket, background,
                                                              clock_, log_, registry_));
    }
    files::KeyLocks* locks = shared_ ? &shared_->locks() : nullptr;
    const FileSurroundings with{io_, background, locks, clock_, log_, registry_};
    FLOWSTORE_TRY(file_backend_, make_file_backend(config_.driver, with));
    files::FileStore& store = file_backend_->store();
    ledger_ = shared_ ? shared_->ledger(store, registry_)
                      : std::make_unique<files::LocalLedger>(store, clock_, registry_, background);
    files_.emplace(store, *ledger_, clock_, registry_);
    return {};
  }

  // Processes that share a bucket and a database come to terms through it.
  bool shares_files() const {
    return config_.driver.type == config::DriverType::s3 && config_.context.is_on &&
           config_.context.database == config::DatabaseType::postgres;
  }

  Status assemble_context() {
    const config::ContextConfig& context = config_.context;
    if (!context.is_on) return {};
    FLOWSTORE_TRY(context_store_, make_context_store(context, io_, clock_, log_, registry_));
    context_.emplace(*context_store_, context_driver(context), context.quota, io_, clock_, log_,
                     registry_);
    return {};
  }

  void watch_dependencies() {
    if (auth::PlatformVerifier* const platform = verifiers_->platform()) {
      readiness_.add(dependency_on(*platform));
    }
    readiness_.add(dependency_on(file_backend_->store()));
    if (context_store_) {
      readiness_.add(dependency_on(*context_store_, context_driver(config_.context)));
    }
    registry_.add_collector(
        [this](std::string& out) { api::append_readiness(out, readiness_.known()); });
  }

  void assemble_admin() {
    std::vector<config::FixedToken> tokens;
    if (config_.admin.has_token()) tokens.push_back(config_.admin.token);
    admin_tokens_.emplace(tokens);
    admin_observer_.emplace(log_, clock_);
    admin_dispatch_.emplace(*admin_tokens_, readiness_, registry_);
    http::ServerOptions listener = admin_listener(config_);
    listener.tls = tls_.get();
    admin_ =
        std::make_unique<http::Server>(listener, *admin_dispatch_, *admin_observer_, io_, clock_);
  }

  std::vector<std::string> urls_of(const http::Server& server) const {
    std::vector<std::string> urls = server.addresses();
    for (std::string& url : urls) url.insert(0, tls_ ? "https://" : "http://");
    return urls;
  }

  void watch_certificate() {
    tls_->watch(kCertificatePause, [this](const Status& reloaded) {
      if (reloaded) {
        log_.info("certificate loaded anew");
      } else {
        log_.error("the certificate in use stays: " + reloaded.error().message());
      }
    });
  }

  void add_log_metrics(std::string& out) const {
    constexpr std::string_view kName = "flowstore_log_dropped_lines_total";
    metrics::append_header(out, kName, "Log lines lost because standard output was too slow.",
                           "counter");
    metrics::append_sample(out, kName, {}, static_cast<double>(log_.dropped()));
  }

  const config::Config& config_;
  SystemClock clock_;
  Log log_;
  metrics::Registry registry_;
  BlockingPool io_;
  boost::asio::thread_pool background_;
  std::unique_ptr<files::shared::SharedState> shared_;  // null: this process keeps its own counts
  std::unique_ptr<FileBackend> file_backend_;
  std::unique_ptr<context::ContextStore> context_store_;  // null without context
  std::optional<context::ContextService> context_;
  std::unique_ptr<files::UsageLedger> ledger_;
  std::optional<files::FileService> files_;
  std::optional<Verifiers> verifiers_;
  std::optional<auth::ServiceTokens> service_tokens_;
  api::Readiness readiness_{clock_};
  std::optional<RequestObserver> observer_;
  std::optional<api::Dispatch> dispatch_;
  std::unique_ptr<http::ServerTls> tls_;  // null: HTTP in the clear
  std::unique_ptr<http::Server> server_;
  // Without admin.port there are none of these.
  std::optional<auth::ServiceTokens> admin_tokens_;
  std::optional<AdminObserver> admin_observer_;
  std::optional<api::AdminDispatch> admin_dispatch_;
  std::unique_ptr<http::Server> admin_;
};

}  // namespace

Result<std::unique_ptr<Program>> Program::build(const config::Config& config) {
  auto program = std::make_unique<BuiltProgram>(config);
  FLOWSTORE_TRY_STATUS(program->assemble());
  return std::unique_ptr<Program>(std::move(program));
}

}  // namespace flowstore::server
