// IdleLines: the connections that wait for their next request.

#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

#include "http/dialler.h"
#include "http/wire.h"

namespace flowstore::http {

// Safe to use from any thread. What has been idle for too long is closed when somebody next looks
// for a connection or brings one: there is no timer, which would belong to one event loop.
class IdleLines {
 public:
  IdleLines(std::size_t most, std::chrono::seconds timeout) : most_(most), timeout_(timeout) {}

  // The one used last, as the warmest, among those that the peer seems to keep; nothing if there is
  // none.
  std::optional<Line> take(const Origin& origin);
  // In the place of the one that was used first if there are too many.
  void keep(const Origin& origin, Line line);

  // Closes all to this peer: they may have gone where another one has.
  void drop(const Origin& origin);

  std::size_t count() const;

 private:
  struct Idle {
    Idle(Origin where, Line what, Instant when)
        : origin(std::move(where)), line(std::move(what)), since(when) {}

    Origin origin;
    Line line;
    Instant since;
  };

  std::optional<Line> take_latest(const Origin& origin);
  std::vector<Idle> take_old(Instant now);

  const std::size_t most_;
  const std::chrono::seconds timeout_;
  mutable std::mutex mutex_;
  std::vector<Idle> idle_;  // guarded by mutex_; the one used last is last
};

}  // namespace flowstore::http
