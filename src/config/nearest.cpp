#include "config/nearest.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace flowstore::config {
namespace {

// Longer than every name there is; comparing more would only cost time.
constexpr std::size_t kLongest = 40;

// base_url, baseUrl and base-url are one word.
std::string plain(std::string_view word) {
  std::string letters;
  for (const char c : word) {
    if (c == '_' || c == '-') continue;
    letters += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return letters;
}

// Insertions, deletions, replacements and swaps of neighbours from one to the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last;
  std::vector<std::size_t> last;
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last = std::exchange(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swap) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

// "driver.options." of "driver.options.root"; empty at the top.
std::string_view group_of(std::string_view name) { return name.substr(0, name.rfind('.') + 1); }

std::string_view word_of(std::string_view name) { return name.substr(name.rfind('.') + 1); }

// What of `name` stands directly in `group`: "options" for group "driver.".
std::string_view member_of(std::string_view name, std::string_view group) {
  const std::string_view rest = name.substr(group.size());
  return rest.substr(0, rest.find_first_of(".["));
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string_view>& known) {
  const std::string_view group = group_of(name);
  const std::string word = plain(word_of(name));
  if (word.empty() || word.size() > kLongest) return "";

  // One slip in a short word, more in a long one.
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::string best;
  for (const std::string_view candidate : known) {
    if (!candidate.starts_with(group)) continue;
    const std::string_view member = member_of(candidate, group);
    const std::size_t distance = edit_distance(word, plain(member));
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = std::string(group) + std::string(member);
  }
  if (!best.empty()) return best;

  const auto elsewhere = std::find_if(known.begin(), known.end(), [&](std::string_view candidate) {
    return plain(word_of(candidate)) == word;
  });
  return elsewhere == known.end() ? "" : std::string(*elsewhere);
}

}  // namespace flowstore::config
