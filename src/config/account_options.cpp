#include "config/account_options.h"

#include <utility>

#include "config/option_readers.h"

namespace flowstore::config {
namespace {

void read_user(const Value& value, Config& config) {
  const auto user = value.text();
  if (!user) return;
  auto account = find_user(*user);
  if (!account) {
    value.reject(value.shown() +
                 " is no user of this machine; make it (useradd --system), or name another");
    return;
  }
  account->group_name = std::move(config.account.group_name);
  account->group = config.account.group;
  config.account = *std::move(account);
}

void read_group(const Value& value, Config& config) {
  const auto group = value.text();
  if (!group) return;
  config.account.group = find_group(*group);
  if (config.account.group) {
    config.account.group_name = *group;
  } else {
    value.reject(value.shown() +
                 " is no group of this machine; make it (groupadd --system), or name another");
  }
}

}  // namespace

std::vector<Option> account_options() {
  return {
      {"user", read_user, [](const Config& c) { return show_text(c.account.user); }},
      {"group", read_group, [](const Config& c) { return show_text(c.account.group_name); }},
  };
}

}  // namespace flowstore::config
