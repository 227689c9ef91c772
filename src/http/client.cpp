#include "http/client.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <thread>
#include <unordered_map>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <curl/curl.h>
#include <pthread.h>

#include "http/client_transfer.h"
#include "http/client_trust.h"

namespace flowstore::http {
namespace {

using TransferPtr = std::unique_ptr<Transfer>;

// Before any other use of libcurl, once in the life of the process.
void start_libcurl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw std::runtime_error("libcurl cannot be started");
}

// The thread of a library shall not receive the signals that the program waits for.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

// The thread and what it works on. Everything but the inbox belongs to the thread.
class Client::Engine {
 public:
  explicit Engine(std::size_t max_requests)
      : trust_(std::getenv("NODE_EXTRA_CA_CERTS")), max_requests_(max_requests) {
    start_libcurl();
    multi_.reset(curl_multi_init());
    if (!multi_) throw std::bad_alloc();
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(max_requests));
    thread_ = std::thread([this] { run(); });
  }

  ~Engine() {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    curl_multi_wakeup(multi_.get());
    thread_.join();
  }

  const std::string& warning() const noexcept { return trust_.warning(); }

  // From any thread.
  void submit(TransferPtr transfer) {
    {
      const std::lock_guard lock(mutex_);
      inbox_.push_back(std::move(transfer));
    }
    curl_multi_wakeup(multi_.get());
  }

 private:
  struct CloseMulti {
    void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
  };

  void run() {
    block_signals();
    while (empty_inbox()) {
      drop_expired();
      start_waiting();
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      answer_finished();
      curl_multi_poll(multi_.get(), nullptr, 0, patience_ms(), nullptr);
    }
    answer_all();
  }

  // False when the engine shall stop.
  bool empty_inbox() {
    const std::lock_guard lock(mutex_);
    std::move(inbox_.begin(), inbox_.end(), std::back_inserter(waiting_));
    inbox_.clear();
    return !is_stopping_;
  }

  // libcurl watches the deadlines of those it knows; these it does not know yet.
  void drop_expired() {
    const auto now = std::chrono::steady_clock::now();
    const auto is_expired = [now](const TransferPtr& transfer) {
      if (transfer->deadline() > now) return false;
      transfer->fail("timed out in the line, before it could be sent");
      return true;
    };
    std::erase_if(waiting_, is_expired);
  }

  void start_waiting() {
    while (!waiting_.empty() && running_.size() < max_requests_) {
      TransferPtr transfer = std::move(waiting_.front());
      waiting_.pop_front();
      if (const Status status = transfer->prepare(trust_); !status) {
        transfer->fail(status.error().message());
        continue;
      }
      CURL* handle = transfer->handle();
      curl_multi_add_handle(multi_.get(), handle);
      running_.emplace(handle, std::move(transfer));
    }
  }

  void answer_finished() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      // Copied: the message dies with the handle's place in the multi.
      CURL* handle = message->easy_handle;
      const CURLcode code = message->data.result;
      curl_multi_remove_handle(multi_.get(), handle);
      const TransferPtr transfer = std::move(running_.extract(handle).mapped());
      transfer->finish(code);
    }
  }

  // How long to sleep if nothing happens: until the first deadline in the line; libcurl shortens it
  // to its own next deadline.
  int patience_ms() const {
    // A place became free after the line was looked at.
    if (!waiting_.empty() && running_.size() < max_requests_) return 0;
    constexpr std::chrono::milliseconds kIdle = std::chrono::minutes(1);
    const auto now = std::chrono::steady_clock::now();
    auto patience = kIdle;
    for (const TransferPtr& transfer : waiting_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(transfer->deadline() - now);
      patience = std::clamp(left, std::chrono::milliseconds(0), patience);
    }
    return static_cast<int>(patience.count());
  }

  void answer_all() {
    for (const auto& [handle, transfer] : running_) {
      curl_multi_remove_handle(multi_.get(), handle);
      transfer->fail("the server is shutting down");
    }
    running_.clear();
    for (const TransferPtr& transfer : waiting_) transfer->fail("the server is shutting down");
    waiting_.clear();
  }

  const Trust trust_;
  const std::size_t max_requests_;
  std::unique_ptr<CURLM, CloseMulti> multi_;
  std::unordered_map<CURL*, TransferPtr> running_;
  std::deque<TransferPtr> waiting_;

  std::mutex mutex_;
  std::vector<TransferPtr> inbox_;  // guarded by mutex_
  bool is_stopping_ = false;        // guarded by mutex_

  std::thread thread_;
};

Client::Client(std::size_t max_requests) : engine_(std::make_unique<Engine>(max_requests)) {}

Client::~Client() = default;

const std::string& Client::warning() const noexcept { return engine_->warning(); }

Task<Result<ClientResponse>> Client::get(ClientRequest request) {
  std::optional<Result<ClientResponse>> answer;
  auto initiate = [this, &answer, &request](auto handler) {
    auto loop = boost::asio::prefer(boost::asio::get_associated_executor(handler),
                                    boost::asio::execution::outstanding_work.tracked);
    // std::function wants to copy; the handler only moves.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto resume = [&answer, shared, loop = std::move(loop)](Result<ClientResponse> result) {
      answer.emplace(std::move(result));
      boost::asio::post(loop, std::move(*shared));
    };
    engine_->submit(std::make_unique<Transfer>(std::move(request), std::move(resume)));
  };
  const boost::asio::use_awaitable_t<> token;
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
      std::move(initiate), token);
  co_return *std::move(answer);
}

}  // namespace flowstore::http
