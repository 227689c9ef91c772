#include "tools/progress.h"

#include <algorithm>
#include <utility>

#include "tools/quantity.h"

namespace flowstore::tools {

void Progress::begin(std::string what, std::optional<std::uint64_t> bytes) {
  what_ = std::move(what);
  total_ = bytes;
  items_ = 0;
  bytes_ = 0;
  draw();
}

void Progress::add_items(std::uint64_t items) {
  items_ += items;
  draw();
}

void Progress::add_bytes(std::uint64_t bytes) {
  bytes_ += bytes;
  draw();
}

void Progress::clear() {
  if (is_drawn_) *out_ << "\r\x1b[K" << std::flush;
  is_drawn_ = false;
}

void Progress::draw() {
  if (out_ == nullptr || clock_.now() < next_) return;
  next_ = clock_.now() + kPause;
  *out_ << "\r\x1b[K" << line() << std::flush;
  is_drawn_ = true;
}

std::string Progress::line() const {
  constexpr std::uint64_t kBar = 30;
  std::string text = what_ + "  " + grouped(items_) + "  " + human_bytes(bytes_);
  if (!total_ || *total_ == 0) return text;
  // What grew meanwhile must not make the bar longer than it is.
  const double part = std::min(1.0, static_cast<double>(bytes_) / static_cast<double>(*total_));
  const auto full = static_cast<std::size_t>(part * static_cast<double>(kBar));
  text += " of " + human_bytes(*total_) + "  [" + std::string(full, '#') +
          std::string(kBar - full, ' ') + "] ";
  return text + std::to_string(static_cast<int>(part * 100)) + "%";
}

}  // namespace flowstore::tools
