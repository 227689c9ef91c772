// Privileges: what the process may do, and what it gives up. Linux keeps most of it per thread:
// call these while there is one, and with the ports bound.

#pragma once

#include "base/result.h"
#include "config/config.h"

namespace flowstore::server {

// Becomes the user of the configuration, for good: with that user's groups, without any capability,
// and with HOME as that user has it. Nothing happens if there is none, or if the process is that
// user already. Fails with one sentence, and then the process must end.
Status become(const config::Account& account);

// The same, after making what folders the stores lack and giving them to the user; and gives up
// what nobody needs, whoever runs it: gaining privileges by a program that is executed, making
// files that everybody may write, and, if it is not root, every capability. From then on memory,
// with the secrets in it, comes into no core file and is not shown to other processes of the user,
// unless FLOWSTORE_CORE=1 is in the environment, for those who look for a bug.
Status give_up_privileges(const config::Config& config);

}  // namespace flowstore::server
