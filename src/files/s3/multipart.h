// Multipart: a body on its way into the bucket in parts, which nobody sees before the end.

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "files/s3/objects.h"

namespace flowstore::files::s3 {

// The least that S3 takes for a part that is not the last; more would only be more memory for each
// upload. 10,000 of them are 48 GiB.
inline constexpr std::size_t kPartBytes = 5U << 20;

// A few parts are on their way at a time, each in a task of its own. Used on one executor, by one
// task at a time. An upload that was begun and not completed is given up when this goes: by a task
// that stays behind, for a store that is away takes its time to come back.
class Multipart {
 public:
  // `objects` must outlive it and what runs on its executor.
  Multipart(Objects& objects, std::string key);
  ~Multipart();
  Multipart(const Multipart&) = delete;
  Multipart& operator=(const Multipart&) = delete;

  Task<Status> begin(const History& history);

  // Takes the bytes over; returns when there is room for the next ones, and with the first failure
  // of any part before. Numbers are given by the caller.
  Task<Status> add(int number, std::string bytes);
  // Waits for all parts; they are then in the order of their numbers.
  Task<Result<std::vector<Part>>> finish();

  // Copies the object as it was found into parts of this upload, from `first` on, and returns them.
  Task<Result<std::vector<Part>>> copy(const FileStat& found, int first);
  // One part, here and now.
  Task<Result<Part>> put(int number, std::string_view bytes);

  Task<Result<Change>> complete(const std::vector<Part>& parts, const Condition& condition);

  bool is_begun() const noexcept { return state_ != nullptr; }

 private:
  struct State;

  static Task<> send(std::shared_ptr<State> state, int number, std::string bytes);
  static Task<> give_up(std::shared_ptr<State> state);

  Objects& objects_;
  std::string key_;
  std::shared_ptr<State> state_;  // none before begin()
};

}  // namespace flowstore::files::s3
