#include "metrics/registry.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <stdexcept>
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

std::uint64_t Counter::value() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& cell : cells_) sum += cell.value.load(std::memory_order_relaxed);
  return sum;
}

std::int64_t Gauge::value() const noexcept {
  std::int64_t sum = 0;
  for (const auto& cell : cells_) sum += cell.value.load(std::memory_order_relaxed);
  return sum;
}

Histogram::Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)) {
  for (Shard& shard : shards_) {
    shard.counts = std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1);
  }
}

void Histogram::observe(double value) noexcept {
  // A value on a bound belongs to its bucket: "le" is less or equal.
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  const auto bucket = static_cast<std::size_t>(bound - bounds_.begin());
  Shard& shard = shards_[current_shard()];
  shard.counts[bucket].fetch_add(1, std::memory_order_relaxed);
  shard.sum.value.fetch_add(value, std::memory_order_relaxed);
}

std::vector<std::uint64_t> Histogram::counts() const {
  std::vector<std::uint64_t> counts(bounds_.size() + 1);
  for (const Shard& shard : shards_) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
      counts[i] += shard.counts[i].load(std::memory_order_relaxed);
    }
  }
  return counts;
}

double Histogram::sum() const noexcept {
  double sum = 0;
  for (const Shard& shard : shards_) sum += shard.sum.value.load(std::memory_order_relaxed);
  return sum;
}

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
    if (family.type != type) throw std::logic_error("two types of metric: " + std::string(name));
    auto [metric, is_new] = family.metrics.try_emplace(label_text(labels));
    if (is_new) metric->second = std::make_unique<T>(std::forward<Arguments>(arguments)...);
    return *std::get<std::unique_ptr<T>>(metric->second);
  }

  std::string text() const {
    std::string out;
    const std::lock_guard lock(mutex);
    for (const auto& [name, family] : families) {
      append_header(out, name, family.help, family.type);
      for (const auto& [labels_of, metric] : family.metrics) {
        std::visit(Samples{out, name, labels_of}, metric);
      }
    }
    return out;
  }

  // Copied, so that they run without the lock: they may take their time, and use the registry.
  std::vector<std::function<void(std::string&)>> all_collectors() const {
    const std::lock_guard lock(mutex);
    return collectors;
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
  std::string out = families_->text();
  for (const auto& collect : families_->all_collectors()) collect(out);
  return out;
}

}  // namespace flowstore::metrics
