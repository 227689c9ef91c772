#include "json/members.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <numeric>

namespace flowstore::json {
namespace {

constexpr std::uint64_t kLastIndex = 4294967294;  // 2^32 - 2; the one above is no array index

// Up to this many members comparing each with each is the fastest.
constexpr std::size_t kFew = 8;
// Names that share a hash are a coincidence or an attack; the sort behind has no worst case.
constexpr std::size_t kMostProbes = 32;

std::uint32_t hash(std::string_view name) noexcept {
  std::uint32_t value = 2166136261U;  // FNV-1a
  for (const char c : name) value = (value ^ static_cast<unsigned char>(c)) * 16777619U;
  return value;
}

// Of each name the last member, in the order in which the names came first, index names before.
std::vector<MemberSpan> javascript_order(std::string_view text,
                                         std::span<const MemberSpan> members) {
  std::vector<std::uint32_t> by_name(members.size());
  std::iota(by_name.begin(), by_name.end(), 0U);
  const auto name = [&](std::uint32_t i) { return members[i].name(text); };
  std::sort(by_name.begin(), by_name.end(), [&](std::uint32_t a, std::uint32_t b) {
    const int order = name(a).compare(name(b));
    return order != 0 ? order < 0 : a < b;
  });
  struct Kept {
    std::uint64_t index;  // kNoIndex sorts behind every index
    std::uint32_t first;
    std::uint32_t last;
  };
  std::vector<Kept> kept;
  kept.reserve(members.size());
  for (const std::uint32_t i : by_name) {
    if (!kept.empty() && name(kept.back().last) == name(i)) {
      kept.back().last = i;
    } else {
      kept.push_back({index_of(name(i)), i, i});
    }
  }
  std::sort(kept.begin(), kept.end(), [](const Kept& a, const Kept& b) {
    return a.index != b.index ? a.index < b.index : a.first < b.first;
  });
  std::vector<MemberSpan> ordered;
  ordered.reserve(kept.size());
  for (const Kept& one : kept) ordered.push_back(members[one.last]);
  return ordered;
}

// Whether index names come first, each larger than the one before.
bool is_ordered(std::string_view text, std::span<const MemberSpan> members) {
  bool may_be_index = true;
  std::uint64_t next = 0;
  for (const MemberSpan& one : members) {
    const std::uint64_t index = index_of(one.name(text));
    if (index == kNoIndex) {
      may_be_index = false;
    } else if (!may_be_index || index < next) {
      return false;
    } else {
      next = index + 1;
    }
  }
  return true;
}

}  // namespace

std::uint64_t index_of(std::string_view name) noexcept {
  if (name.empty() || name.size() > 10 || name.front() < '0' || name.front() > '9') return kNoIndex;
  if (name.front() == '0' && name.size() > 1) return kNoIndex;
  std::uint64_t value = 0;
  const char* const end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data(), end, value);
  return parsed.ptr == end && value <= kLastIndex ? value : kNoIndex;
}

// True also when it gave up; then the sort finds out.
bool MemberOrder::has_duplicates(std::string_view text, std::span<const MemberSpan> members) {
  if (members.size() <= kFew) {
    for (std::size_t i = 1; i < members.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (members[i].name(text) == members[j].name(text)) return true;
      }
    }
    return false;
  }
  const std::size_t size = std::bit_ceil(members.size() * 2);
  slots_.assign(size, 0);  // 0: free, else one more than the member's number
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    const std::string_view name = members[i].name(text);
    std::size_t slot = hash(name) & (size - 1);
    for (std::size_t probes = 0; slots_[slot] != 0; ++probes) {
      if (probes == kMostProbes || members[slots_[slot] - 1].name(text) == name) return true;
      slot = (slot + 1) & (size - 1);
    }
    slots_[slot] = i + 1;
  }
  return false;
}

void MemberOrder::add(std::string_view text, std::uint32_t begin, std::uint32_t end,
                      std::span<const MemberSpan> members) {
  if (members.size() < 2) return;
  if (is_ordered(text, members) && !has_duplicates(text, members)) return;
  objects_.push_back({begin, end, javascript_order(text, members)});
}

std::size_t MemberOrder::first_within(std::uint32_t begin) const {
  const auto found =
      std::lower_bound(objects_.begin(), objects_.end(), begin,
                       [](const Object& object, std::uint32_t at) { return object.begin < at; });
  return static_cast<std::size_t>(found - objects_.begin());
}

std::string MemberOrder::apply(std::string_view text) {
  std::sort(objects_.begin(), objects_.end(),
            [](const Object& a, const Object& b) { return a.begin < b.begin; });
  // A stretch of the text that is being written, and the object within whose members it lies.
  struct Stretch {
    std::uint32_t at;
    std::uint32_t end;
    const Object* object;  // whose members come next when the stretch is through; null at the top
    std::size_t member;
  };
  std::string out;
  out.reserve(text.size());
  std::vector<Stretch> stack;
  stack.push_back({0, static_cast<std::uint32_t>(text.size()), nullptr, 0});
  while (!stack.empty()) {
    Stretch& top = stack.back();
    const std::size_t inner = first_within(top.at);
    if (inner < objects_.size() && objects_[inner].begin < top.end) {
      const Object& object = objects_[inner];
      out.append(text.substr(top.at, object.begin - top.at)).push_back('{');
      top.at = object.end;  // goes on there
      const MemberSpan& first = object.members.front();
      stack.push_back({first.begin, first.end, &object, 1});
      continue;
    }
    out.append(text.substr(top.at, top.end - top.at));
    const Object* const object = top.object;
    if (object != nullptr && top.member < object->members.size()) {
      const MemberSpan& next = object->members[top.member];
      out.push_back(',');
      top = {next.begin, next.end, object, top.member + 1};
      continue;
    }
    if (object != nullptr) out.push_back('}');
    stack.pop_back();
  }
  return out;
}

}  // namespace flowstore::json
