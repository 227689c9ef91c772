#include "context/scope.h"

#include "json/text.h"

namespace flowstore::context {
namespace {

constexpr std::string_view kGlobal = "global";
constexpr std::string_view kFlow = ".flow";
constexpr std::string_view kNodes = ".nodes.";

// The first two pieces of `text` as JavaScript's split() gives them.
struct Halves {
  std::string_view first;
  std::string_view second;
};

Halves split(std::string_view text, std::string_view separator) {
  const std::size_t at = text.find(separator);
  std::string_view rest = text.substr(at + separator.size());
  return Halves{text.substr(0, at), rest.substr(0, rest.find(separator))};
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string joined(std::string_view first, std::string_view separator, std::string_view last) {
  return std::string(first).append(separator).append(last);
}

}  // namespace

// In the order of the old server's tests; what holds both marks depends on it.
std::string stored_scope(std::string_view requested) {
  if (requested == kGlobal) return std::string(kGlobal);
  if (contains(requested, kNodes)) {
    const Halves parts = split(requested, kNodes);
    return joined(parts.second, ":", parts.first);
  }
  if (requested.ends_with(kFlow)) return std::string(requested);
  if (contains(requested, ":")) {
    const Halves parts = split(requested, ":");
    return joined(parts.second, kNodes, parts.first);
  }
  return joined(requested, kFlow, "");
}

std::string shown_scope(std::string_view stored) {
  if (stored == kGlobal) return std::string(kGlobal);
  if (contains(stored, kNodes)) {
    const Halves parts = split(stored, kNodes);
    return joined(parts.second, ":", parts.first);
  }
  if (!stored.ends_with(kFlow)) return std::string(stored);
  const std::size_t at = stored.find(kFlow);
  return joined(stored.substr(0, at), "", stored.substr(at + kFlow.size()));
}

bool ActiveIds::keeps(std::string_view stored) const {
  if (stored == kGlobal) return true;
  const std::string scope = json::encode(json::utf16(stored));
  for (std::size_t at = scope.find(kFlow); at != std::string::npos;
       at = scope.find(kFlow, at + 1)) {
    if (ids_.contains(scope.substr(0, at))) return true;
  }
  for (std::size_t at = scope.find(kNodes); at != std::string::npos;
       at = scope.find(kNodes, at + 1)) {
    if (ids_.contains(scope.substr(at + kNodes.size()))) return true;
  }
  return false;
}

}  // namespace flowstore::context
