#include "metrics/registry.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <variant>

#include "metrics/text.h"

namespace flowstore::metrics {
namespace {

using Metric =
    std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>>;

std::string label_text(Labels labels) {
  std::string text;
  for (const auto& [name, value] : labels) append_label(text, name, value);
  return text;
}

// Writes the samples of one metric.
struct Samples {
  std::string& out;
  std::string_view name;
  std::string_view labels;

  void operator()(const std::unique_ptr<Counter>& counter) const {
    append_sample(out, name, labels, static_cast<double>(counter->value()));
  }
  void operator()(const std::unique_ptr<Gauge>& gauge) const {
    append_sample(out, name, labels, static_cast<double>(gauge->value()));
  }
  void operator()(const std::unique_ptr<Histogram>& histogram) const {
    append_histogram(out, name, labels, histogram->bounds(), histogram->counts(), histogram->sum());
  }
};

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)),
      counts_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1)) {}

void Histogram::observe(double value) noexcept {
  // A value on a bound belongs to its bucket: "le" is less or equal.
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  const auto bucket = static_cast<std::size_t>(bound - bounds_.begin());
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<std::uint64_t> Histogram::counts() const {
  std::vector<std::uint64_t> counts;
  for (std::size_t i = 0; i <= bounds_.size(); ++i) {
    counts.push_back(counts_[i].load(std::memory_order_relaxed));
  }
  return counts;
}

double Histogram::sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

struct Registry::Families {
  struct Family {
    std::string help;
    std::string_view type;
    std::map<std::string, Metric> metrics;  // by label text
  };

  template <class T, class... Arguments>
  T& get(std::string_view name, std::string_view help, std::string_view type, Labels labels,
         Arguments&&... arguments) {
    const std::lock_guard lock(mutex);
    Family& family = families[std::string(name)];
    if (family.type.empty()) {
      family.help = help;
      family.type = type;
    }
    auto [metric, is_new] = family.metrics.try_emplace(label_text(labels));
    if (is_new) {
      metric->second = std::make_unique<T>(std::forward<Arguments>(arguments)...);
    }
    // Asking for one name as two types is a bug in this program; std::get says so at the start.
    return *std::get<std::unique_ptr<T>>(metric->second);
  }

  mutable std::mutex mutex;
  std::map<std::string, Family, std::less<>> families;        // guarded by mutex
  std::vector<std::function<void(std::string&)>> collectors;  // guarded by mutex
};

Registry::Registry() : families_(std::make_unique<Families>()) {}
Registry::~Registry() = default;

Counter& Registry::counter(std::string_view name, std::string_view help, Labels labels) {
  return families_->get<Counter>(name, help, "counter", labels);
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, Labels labels) {
  return families_->get<Gauge>(name, help, "gauge", labels);
}

Histogram& Registry::histogram(std::string_view name, std::string_view help,
                               std::vector<double> bounds, Labels labels) {
  return families_->get<Histogram>(name, help, "histogram", labels, std::move(bounds));
}

void Registry::add_collector(std::function<void(std::string&)> collect) {
  const std::lock_guard lock(families_->mutex);
  families_->collectors.push_back(std::move(collect));
}

std::string Registry::text() const {
  std::string out;
  const std::lock_guard lock(families_->mutex);
  for (const auto& [name, family] : families_->families) {
    append_header(out, name, family.help, family.type);
    for (const auto& [labels, metric] : family.metrics) {
      std::visit(Samples{out, name, labels}, metric);
    }
  }
  for (const auto& collect : families_->collectors) collect(out);
  return out;
}

}  // namespace flowstore::metrics
