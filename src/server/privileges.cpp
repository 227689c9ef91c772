#include "server/privileges.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server/owned_folders.h"

namespace flowstore::server {
namespace {

using Capabilities = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

Error cannot_become(const config::Account& account, const std::string& why) {
  return Error(ErrorKind::unavailable, "EUSER", "user: cannot become " + account.user + ": " + why);
}

Error refused(const config::Account& account, std::string_view call) {
  return cannot_become(account, std::string(call) + ": " + std::system_category().message(errno) +
                                    "; let it start with CAP_SETUID and CAP_SETGID, or as that "
                                    "user");
}

// The kernel wants to be told which layout it is asked for.
__user_cap_header_struct this_thread() { return {_LINUX_CAPABILITY_VERSION_3, 0}; }

bool has_capabilities() {
  __user_cap_header_struct header = this_thread();
  Capabilities held{};
  if (::syscall(SYS_capget, &header, held.data()) != 0) return true;
  std::uint32_t any = 0;
  for (const auto& part : held) any |= part.effective | part.permitted | part.inheritable;
  return any != 0;
}

// What executed programs could get. Where giving it up is not allowed it means nothing either.
void empty_bounding_set() {
  for (unsigned long one = 0; ::prctl(PR_CAPBSET_READ, one, 0, 0, 0) >= 0; ++one) {
    ::prctl(PR_CAPBSET_DROP, one, 0, 0, 0);
  }
}

void give_up_capabilities() {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header = this_thread();
  const Capabilities none{};
  ::syscall(SYS_capset, &header, none.data());
}

bool takes_groups_of(const config::Account& account) {
  const gid_t gid = account.gid();
  if (account.name.empty()) return ::setgroups(1, &gid) == 0;
  return ::initgroups(account.name.c_str(), gid) == 0;
}

// Asks the kernel instead of believing what was done.
bool can_come_back(const config::Account& account) {
  std::array<uid_t, 3> users{};
  std::array<gid_t, 3> groups{};
  ::getresuid(&users[0], &users[1], &users[2]);
  ::getresgid(&groups[0], &groups[1], &groups[2]);
  for (const uid_t user : users) {
    if (user != account.uid) return true;
  }
  for (const gid_t group : groups) {
    if (group != account.gid()) return true;
  }
  if (has_capabilities()) return true;
  return ::setresuid(0, 0, 0) == 0 || ::seteuid(0) == 0;
}

bool is_already(const config::Account& account) {
  return ::geteuid() == account.uid && (!account.group || ::getegid() == *account.group);
}

// Files of root's home, such as keys for PostgreSQL, could not be read, and that is an error to
// libpq.
void move_home(const config::Account& account) {
  ::setenv("HOME", account.home.c_str(), 1);
  if (account.name.empty()) return;
  ::setenv("USER", account.name.c_str(), 1);
  ::setenv("LOGNAME", account.name.c_str(), 1);
}

Status make_folders(const config::Config& config) {
  const config::Account& owner = config.account;
  if (!owner.is_set() || is_already(owner) || ::geteuid() != 0) return {};
  if (config.driver.type == config::DriverType::localfs) {
    FLOWSTORE_TRY_STATUS(make_owned_folders(config.driver.root, owner));
  }
  const config::ContextConfig& context = config.context;
  const bool has_file = context.is_on && context.database == config::DatabaseType::sqlite &&
                        context.storage != config::kInMemory;
  if (!has_file) return {};
  return make_owned_folders(std::filesystem::path(context.storage).parent_path(), owner);
}

void keep_memory_private() {
  const char* const wanted = std::getenv("FLOWSTORE_CORE");
  const bool is_wanted = wanted != nullptr && std::string_view(wanted) == "1";
  constexpr rlimit kNone{0, 0};
  if (!is_wanted) ::setrlimit(RLIMIT_CORE, &kNone);
  // Said in either case: the kernel takes it back when the user changes.
  ::prctl(PR_SET_DUMPABLE, is_wanted ? 1 : 0, 0, 0, 0);
}

}  // namespace

Status become(const config::Account& account) {
  if (!account.is_set() || is_already(account)) return {};
  if (::geteuid() != 0) {
    return cannot_become(account, "it was not started as root; start it as root or as that user");
  }
  empty_bounding_set();  // while there is a capability to do so
  if (!takes_groups_of(account)) return refused(account, "its groups");
  const gid_t gid = account.gid();
  if (::setresgid(gid, gid, gid) != 0) return refused(account, "its group");
  if (::setresuid(account.uid, account.uid, account.uid) != 0) return refused(account, "its uid");
  if (account.uid == 0) return {};  // its group alone was asked for
  give_up_capabilities();
  if (can_come_back(account)) {
    return cannot_become(account, "the system lets the process take back what it gave up");
  }
  move_home(account);
  return {};
}

Status give_up_privileges(const config::Config& config) {
  ::umask(::umask(0) | S_IWOTH);
  FLOWSTORE_TRY_STATUS(make_folders(config));
  FLOWSTORE_TRY_STATUS(become(config.account));
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::geteuid() != 0 && has_capabilities()) {
    empty_bounding_set();
    give_up_capabilities();
  }
  keep_memory_private();  // last: to become somebody else undoes it
  return {};
}

}  // namespace flowstore::server
