// Registry: the counters of the program and their Prometheus text.

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/shards.h"

namespace flowstore::metrics {

// Only ever grows. Safe to use from any thread; one atomic addition that no other core waits for.
class Counter {
 public:
  void add(std::uint64_t amount = 1) noexcept {
    cells_[current_shard()].value.fetch_add(amount, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept;

 private:
  std::array<Cell<std::uint64_t>, kShards> cells_;
};

// Goes up and down. Safe to use from any thread. A gauge is either set or added to, never both.
class Gauge {
 public:
  void set(std::int64_t value) noexcept {
    cells_.front().value.store(value, std::memory_order_relaxed);
  }
  void add(std::int64_t amount) noexcept {
    cells_[current_shard()].value.fetch_add(amount, std::memory_order_relaxed);
  }
  std::int64_t value() const noexcept;

 private:
  std::array<Cell<std::int64_t>, kShards> cells_;
};

// Counts values in buckets with the given upper bounds. Safe to use from any thread.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);  // ascending; +Inf is implied

  void observe(double value) noexcept;

  const std::vector<double>& bounds() const noexcept { return bounds_; }
  // One count per bound and one for +Inf, not cumulated.
  std::vector<std::uint64_t> counts() const;
  double sum() const noexcept;

 private:
  struct Shard {
    std::unique_ptr<std::atomic<std::uint64_t>[]> counts;
    Cell<double> sum;
  };

  std::vector<double> bounds_;
  std::array<Shard, kShards> shards_;
};

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Owns every metric; the references it hands out live as long as it does. Asking twice for the same
// name and labels gives the same metric. Safe to use from any thread; meant for start-up, not for
// the request path: keep the reference.
class Registry {
 public:
  Registry();
  ~Registry();

  // `name` with its unit and, for counters, the suffix _total; `help` is one sentence. The first
  // caller's help and bounds count. One name as two types is a bug: throws std::logic_error.
  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                       Labels labels = {});

  // A part of the text that is made when it is asked for: `collect` appends whole families. Called
  // by text() on its thread; must work as long as somebody may call it.
  void add_collector(std::function<void(std::string&)> collect);

  // Prometheus text format 0.0.4, families in alphabetical order, then the collectors.
  std::string text() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace flowstore::metrics
