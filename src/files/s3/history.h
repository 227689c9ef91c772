// History: which writes an object's content consists of, kept in its metadata.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace flowstore::files::s3 {

// The metadata header that carries it.
inline constexpr std::string_view kHistoryHeader = "x-amz-meta-flowstore-writes";

// A change that gets no answer may have been made all the same. Doing it again blindly could append
// a line twice; not doing it could lose it. So every write leaves its name in the object, and an
// append those of the writes before it: then looking tells. Newest first, no more than kMost.
class History {
 public:
  // Of an object without one.
  History() = default;
  explicit History(std::string_view header);

  // A name that no other write has.
  static std::string new_name();

  // What an object has in which `name` has been added to the end of this one.
  History with(const std::string& name) const;
  // The same when names may be missing that belong in between.
  History with_gap() const;

  bool contains(std::string_view name) const;
  // `name` is not contained. False if it may have been dropped: the object has had more writes
  // since it was `before` than are kept.
  bool reaches_back_to(const History& before) const;

  std::string header() const;

 private:
  // A header of this length is accepted everywhere: AWS takes 2 KiB of metadata.
  static constexpr std::size_t kMost = 32;

  std::vector<std::string> names_;
  bool is_cut_ = false;  // older names are missing
};

}  // namespace flowstore::files::s3
