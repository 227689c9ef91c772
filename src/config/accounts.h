// The users and groups of this machine.

#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

namespace flowstore::config {

// user, group: whom the process becomes once it has opened what only root may open.
struct Account {
  std::string user;  // as the file has it; empty: nobody else
  std::string name;  // in the list of users; empty for a bare number
  uid_t uid = 0;
  std::optional<gid_t> primary_group;  // of the user in that list
  std::string group_name;              // group, as the file has it
  std::optional<gid_t> group;          // the same as a number
  std::string home = "/";              // for the variable HOME

  bool is_set() const noexcept { return !user.empty(); }
  // Precondition: the configuration was accepted.
  gid_t gid() const noexcept { return group ? *group : primary_group.value_or(0); }
};

// By name, or by number, which need not be in the list. Nothing if there is no such user. Reads
// files, and may ask a directory service.
std::optional<Account> find_user(const std::string& user);
std::optional<gid_t> find_group(const std::string& group);

}  // namespace flowstore::config
