#include "config/accounts.h"

#include <array>

#include <grp.h>
#include <pwd.h>

#include "config/scalars.h"

namespace flowstore::config {
namespace {

// (uid_t)-1 means "leave it" to the calls that change it.
constexpr std::uint64_t kLargestId = 0xffff'fffe;

// A group may have thousands of members; more than fits is as good as not found.
using Room = std::array<char, 64 * 1024>;

std::optional<std::uint64_t> number_of(const std::string& text) {
  const auto number = parse_whole(text);
  return number && *number <= kLargestId ? number : std::nullopt;
}

}  // namespace

std::optional<Account> find_user(const std::string& user) {
  Room room;
  passwd entry{};
  passwd* found = nullptr;
  ::getpwnam_r(user.c_str(), &entry, room.data(), room.size(), &found);
  const auto number = number_of(user);
  if (found == nullptr && number) {
    ::getpwuid_r(static_cast<uid_t>(*number), &entry, room.data(), room.size(), &found);
  }
  Account account;
  account.user = user;
  if (found == nullptr) {
    if (!number) return std::nullopt;
    account.uid = static_cast<uid_t>(*number);
    return account;
  }
  account.name = entry.pw_name;
  account.uid = entry.pw_uid;
  account.primary_group = entry.pw_gid;
  account.home = entry.pw_dir;
  return account;
}

std::optional<gid_t> find_group(const std::string& group) {
  Room room;
  ::group entry{};
  ::group* found = nullptr;
  ::getgrnam_r(group.c_str(), &entry, room.data(), room.size(), &found);
  if (found != nullptr) return entry.gr_gid;
  const auto number = number_of(group);
  if (!number) return std::nullopt;
  return static_cast<gid_t>(*number);
}

}  // namespace flowstore::config
