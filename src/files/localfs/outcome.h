// Outcome: what a call on files gives, or the errno that says why not.

#pragma once

#include <optional>
#include <utility>

namespace flowstore::files::localfs {

// A value, or the errno that says why not.
template <class T>
struct Outcome {
  Outcome(T good) : value(std::move(good)) {}
  static Outcome failed(int error) {
    Outcome outcome;
    outcome.error = error;
    return outcome;
  }

  std::optional<T> value;
  int error = 0;

 private:
  Outcome() = default;
};

}  // namespace flowstore::files::localfs
