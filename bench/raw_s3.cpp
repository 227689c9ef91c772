// A plain client in a loop, one libcurl multi handle on one thread: of an S3 store, which is what
// flowstore is measured against, and of flowstore and the old server, so that what differs is what
// stands between this program and the store.
//
//   raw_s3 put|get|append URL BYTES CONNECTIONS SECONDS [COUNT]
//
// In URL, {n} is the number of a file and {p} that of its project. Environment: S3_KEY and
// S3_SECRET: URL is in a store, requests are signed (the key of the day once, bodies not at all);
// else TOKEN, which may hold {p}: a file server's. NAMES files (256) in PROJECTS projects (1), in
// turn. Ends after SECONDS or COUNT requests. Prints requests per second, the median and the 99th
// percentile of their times in milliseconds, and how many there were. Any answer but 200 ends it.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace {

using Clock = std::chrono::steady_clock;

// Longer bodies are made as they are sent.
constexpr std::size_t kMostInMemory = 64U << 20;
// libcurl's own are small; what it gains is the store's, not ours.
constexpr long kBuffer = 512L << 10;
constexpr long kLongestRequest = 300;  // seconds

std::string variable(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

void replace_all(std::string& text, std::string_view what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::string sha256(std::string_view text) {
  std::array<unsigned char, 32> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, 32> digest{};
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), nullptr);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Signature Version 4 of requests without a query, whose body is not signed.
class Signer {
 public:
  Signer(std::string key, std::string secret) : key_(std::move(key)), secret_(std::move(secret)) {}

  // The headers that prove who asks.
  std::vector<std::string> headers(std::string_view method, std::string_view host,
                                   std::string_view path) {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, 20> text{};
    std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
    const std::string date = text.data();
    const std::string day = date.substr(0, 8);
    if (day != day_) make_key_of(day);
    const std::string names = "host;x-amz-content-sha256;x-amz-date";
    std::string request(method);
    request.append("\n").append(path).append("\n\nhost:").append(host);
    request.append("\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:").append(date);
    request.append("\n\n").append(names).append("\nUNSIGNED-PAYLOAD");
    const std::string scope = day + "/us-east-1/s3/aws4_request";
    const std::string to_sign =
        "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + hex(sha256(request));
    return {"x-amz-content-sha256: UNSIGNED-PAYLOAD", "x-amz-date: " + date,
            "Authorization: AWS4-HMAC-SHA256 Credential=" + key_ + "/" + scope +
                ", SignedHeaders=" + names + ", Signature=" + hex(hmac(key_of_day_, to_sign))};
  }

 private:
  void make_key_of(const std::string& day) {
    key_of_day_ = hmac("AWS4" + secret_, day);
    for (const char* word : {"us-east-1", "s3", "aws4_request"}) {
      key_of_day_ = hmac(key_of_day_, word);
    }
    day_ = day;
  }

  std::string key_;
  std::string secret_;
  std::string day_;
  std::string key_of_day_;
};

struct Work {
  std::string kind;
  std::string url;
  std::string token;
  bool is_s3 = false;
  std::size_t bytes = 0;
  int connections = 1;
  double seconds = 1;
  long count = 0;  // 0: no limit
  long names = 256;
  long projects = 1;
};

// One request after the other, of one connection. An append to a store is two: what is there is
// read, and written with more at its end.
class Requests {
 public:
  Requests(const Work& work, Signer& signer)
      : work_(work), signer_(signer), easy_(curl_easy_init()) {
    set(CURLOPT_PRIVATE, this);
    set(CURLOPT_WRITEFUNCTION, &Requests::receive);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_BUFFERSIZE, kBuffer);
    set(CURLOPT_UPLOAD_BUFFERSIZE, kBuffer);
    set(CURLOPT_TIMEOUT, kLongestRequest);
    set(CURLOPT_TCP_NODELAY, 1L);
    body_ = std::string(std::min(work.bytes, kMostInMemory), 'x');
  }
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;
  ~Requests() {
    curl_slist_free_all(headers_);
    curl_easy_cleanup(easy_);
  }

  CURL* easy() const { return easy_; }
  Clock::time_point begun() const { return begun_; }

  void begin(long number) {
    begun_ = Clock::now();
    url_ = filled(work_.url, number);
    if (!work_.is_s3) {
      ask_server(number);
    } else if (work_.kind == "put") {
      write(body_, work_.bytes);
    } else {
      ask_store("GET");
    }
  }

  // Whether the work is done; else the next part of it has been made ready.
  bool finish(CURLcode code) {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    const bool is_new = work_.kind == "append" && status == 404;
    if (code != CURLE_OK || (status != 200 && !is_new)) {
      throw std::runtime_error(url_ + ": " + std::to_string(status) + " " +
                               curl_easy_strerror(code) + " " + content_.substr(0, 300));
    }
    if (work_.kind == "get" && received_ != work_.bytes) {
      throw std::runtime_error(url_ + ": " + std::to_string(received_) + " bytes");
    }
    if (work_.kind != "append" || !work_.is_s3 || is_writing_) return true;
    changed_ = is_new ? body_ : content_ + body_;
    write(changed_, changed_.size());
    return false;
  }

 private:
  template <typename Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(easy_, option, value);
  }

  std::string filled(std::string text, long number) const {
    replace_all(text, "{n}", std::to_string(number % work_.names));
    replace_all(text, "{p}", std::to_string(number % work_.projects));
    return text;
  }

  void ask_server(long number) {
    std::vector<std::string> headers = {"Authorization: Bearer " + filled(work_.token, number)};
    if (work_.kind == "append") headers.emplace_back("FF_MODE: append");
    send(work_.kind == "get" ? "GET" : "POST", headers);
    if (work_.kind != "get") give(body_, work_.bytes);
  }

  void ask_store(const char* method) {
    const std::size_t host = url_.find("//") + 2;
    const std::size_t path = url_.find('/', host);
    send(method, signer_.headers(method, url_.substr(host, path - host), url_.substr(path)));
  }

  void write(const std::string& body, std::size_t size) {
    ask_store("PUT");
    give(body, size);
  }

  void send(const char* method, const std::vector<std::string>& headers) {
    curl_slist_free_all(headers_);
    headers_ = nullptr;
    for (const std::string& header : headers) add(header);
    add("Expect:");
    content_.clear();
    received_ = 0;
    is_writing_ = std::string_view(method) != "GET";
    set(CURLOPT_URL, url_.c_str());
    set(CURLOPT_HTTPHEADER, headers_);
    set(is_writing_ ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
    set(CURLOPT_CUSTOMREQUEST, method);
  }

  void give(const std::string& body, std::size_t size) {
    add("Content-Type: application/octet-stream");
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(size));
    set(CURLOPT_POSTFIELDS, size == body.size() ? body.data() : nullptr);
    set(CURLOPT_READFUNCTION, &Requests::make_more);
    set(CURLOPT_READDATA, this);
  }

  void add(const std::string& header) { headers_ = curl_slist_append(headers_, header.c_str()); }

  static std::size_t receive(char* bytes, std::size_t one, std::size_t count, void* self) {
    auto& requests = *static_cast<Requests*>(self);
    requests.received_ += one * count;
    const bool is_wanted = requests.work_.kind == "append" || requests.received_ < 1000;
    if (is_wanted) requests.content_.append(bytes, one * count);
    return one * count;
  }

  static std::size_t make_more(char* buffer, std::size_t one, std::size_t count, void*) {
    std::fill_n(buffer, one * count, 'x');
    return one * count;
  }

  const Work& work_;
  Signer& signer_;
  CURL* easy_;
  curl_slist* headers_ = nullptr;
  Clock::time_point begun_;
  std::string url_;
  std::string body_;
  std::string content_;
  std::string changed_;
  std::size_t received_ = 0;
  bool is_writing_ = false;
};

// Keeps all connections busy until the time is over.
class Loop {
 public:
  explicit Loop(const Work& work)
      : work_(work),
        signer_(variable("S3_KEY", ""), variable("S3_SECRET", "")),
        multi_(curl_multi_init()) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() { curl_multi_cleanup(multi_); }

  void run() {
    const auto start = Clock::now();
    end_ = start + std::chrono::duration_cast<Clock::duration>(
                       std::chrono::duration<double>(work_.seconds));
    std::vector<std::unique_ptr<Requests>> all;
    for (int i = 0; i < work_.connections && may_begin(); ++i) {
      all.push_back(std::make_unique<Requests>(work_, signer_));
      begin(*all.back());
    }
    while (under_way_ > 0) {
      int running = 0;
      curl_multi_perform(multi_, &running);
      const bool has_ended = take_ended();
      if (!has_ended) curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
    report(std::chrono::duration<double>(Clock::now() - start).count());
    for (const auto& requests : all) curl_multi_remove_handle(multi_, requests->easy());
  }

 private:
  bool may_begin() const {
    return work_.count > 0 ? next_ < work_.count && Clock::now() < end_ : Clock::now() < end_;
  }

  void begin(Requests& requests) {
    requests.begin(next_++);
    curl_multi_add_handle(multi_, requests.easy());
    ++under_way_;
  }

  bool take_ended() {
    bool has_ended = false;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      has_ended = true;
      const CURLcode code = message->data.result;
      void* self = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
      go_on(*static_cast<Requests*>(self), code);
    }
    return has_ended;
  }

  void go_on(Requests& requests, CURLcode code) {
    curl_multi_remove_handle(multi_, requests.easy());
    if (!requests.finish(code)) {
      curl_multi_add_handle(multi_, requests.easy());
      return;
    }
    const std::chrono::duration<double, std::milli> time = Clock::now() - requests.begun();
    times_.push_back(time.count());
    --under_way_;
    if (may_begin()) begin(requests);
  }

  void report(double seconds) {
    if (times_.empty()) throw std::runtime_error("no answer");
    std::sort(times_.begin(), times_.end());
    const std::size_t count = times_.size();
    std::cout << static_cast<double>(count) / seconds << ' ' << times_[count / 2] << ' '
              << times_[std::min(count - 1, count * 99 / 100)] << ' ' << count << '\n';
  }

  const Work& work_;
  Signer signer_;
  CURLM* multi_;
  Clock::time_point end_;
  long next_ = 0;
  int under_way_ = 0;
  std::vector<double> times_;
};

Work work_of(int argc, char** argv) {
  if (argc < 6) throw std::runtime_error("put|get|append URL BYTES CONNECTIONS SECONDS [COUNT]");
  Work work;
  work.kind = argv[1];
  work.url = argv[2];
  work.bytes = std::stoul(argv[3]);
  work.connections = std::stoi(argv[4]);
  work.seconds = std::stod(argv[5]);
  if (argc > 6) work.count = std::stol(argv[6]);
  work.token = variable("TOKEN", "");
  work.is_s3 = !variable("S3_KEY", "").empty();
  work.names = std::stol(variable("NAMES", "256"));
  work.projects = std::stol(variable("PROJECTS", "1"));
  return work;
}

}  // namespace

int main(int argc, char** argv) try {
  const Work work = work_of(argc, argv);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  Loop(work).run();
  return 0;
} catch (const std::exception& error) {
  std::cerr << "raw_s3: " << error.what() << '\n';
  return 1;
}
