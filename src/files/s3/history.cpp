#include "files/s3/history.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <span>

#include "base/digest.h"

namespace flowstore::files::s3 {
namespace {

constexpr std::string_view kCut = "?";

}  // namespace

History::History(std::string_view header) {
  while (!header.empty()) {
    const std::size_t comma = std::min(header.find(','), header.size());
    const std::string_view name = header.substr(0, comma);
    if (name == kCut)
      is_cut_ = true;
    else if (!name.empty())
      names_.emplace_back(name);
    header.remove_prefix(std::min(header.size(), comma + 1));
  }
}

std::string History::new_name() {
  thread_local std::mt19937_64 random{std::random_device()() ^ std::uint64_t{std::random_device()()}
                                                                   << 32U};
  const std::uint64_t number = random();
  std::array<std::uint8_t, 6> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return hex(bytes);
}

History History::with(const std::string& name) const {
  History longer = *this;
  longer.names_.insert(longer.names_.begin(), name);
  if (longer.names_.size() > kMost) {
    longer.names_.resize(kMost);
    longer.is_cut_ = true;
  }
  return longer;
}

History History::with_gap() const {
  History gap = *this;
  gap.is_cut_ = true;
  return gap;
}

bool History::contains(std::string_view name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

bool History::reaches_back_to(const History& before) const {
  return !is_cut_ || (!before.names_.empty() && contains(before.names_.front()));
}

std::string History::header() const {
  std::string text;
  for (const std::string& name : names_) text.append(text.empty() ? "" : ",").append(name);
  if (is_cut_) text.append(",").append(kCut);
  return text;
}

}  // namespace flowstore::files::s3
