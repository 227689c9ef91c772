#include "server/service_manager.h"

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace flowstore::server {
namespace {

namespace fs = std::filesystem;

// The other end: a socket in a folder of its own, and the variables that name it.
class Manager : public ::testing::Test {
 protected:
  Manager() {
    std::string name = (fs::temp_directory_path() / "flowstore-notify-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    variables_["NOTIFY_SOCKET"] = (folder_ / "socket").string();
    listen_at(variables_["NOTIFY_SOCKET"]);
  }
  ~Manager() override { fs::remove_all(folder_); }

  void listen_at(std::string name) {
    socket_ = FileDescriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(&address.sun_path[0], sizeof address.sun_path - 1);
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    ASSERT_EQ(::bind(socket_.get(), generic, length), 0);
  }

  ServiceManager manager() const {
    return ServiceManager([this](std::string_view name) -> std::optional<std::string> {
      const auto found = variables_.find(std::string(name));
      if (found == variables_.end()) return std::nullopt;
      return found->second;
    });
  }

  // The next message; empty if there is none.
  std::string heard() const {
    char text[256];
    const ssize_t size = ::recv(socket_.get(), text, sizeof text, 0);
    return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
  }

  fs::path folder_;
  FileDescriptor socket_;
  std::map<std::string, std::string> variables_;
};

TEST_F(Manager, HearsWhatTheServiceDoes) {
  const ServiceManager told = manager();
  told.ready();
  EXPECT_EQ(heard(), "READY=1");
  told.is_well();
  EXPECT_EQ(heard(), "WATCHDOG=1");
  told.stopping(std::chrono::seconds(2));
  EXPECT_EQ(heard(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=2000000");
}

TEST_F(Manager, MayHaveAnAbstractName) {
  variables_["NOTIFY_SOCKET"] = "@flowstore-test-" + std::to_string(::getpid());
  listen_at(variables_["NOTIFY_SOCKET"]);
  manager().ready();
  EXPECT_EQ(heard(), "READY=1");
}

TEST_F(Manager, NeedNotBeThere) {
  variables_.clear();
  manager().ready();
  EXPECT_FALSE(manager().watchdog());
  for (const char* const name : {"", "relative", "/no/such/socket"}) {
    variables_["NOTIFY_SOCKET"] = name;
    manager().ready();
  }
  variables_["NOTIFY_SOCKET"] = "/" + std::string(200, 'x');
  manager().ready();
  EXPECT_EQ(heard(), "");
}

TEST_F(Manager, SaysHowOftenItWantsToHear) {
  EXPECT_FALSE(manager().watchdog());
  variables_["WATCHDOG_USEC"] = "30000000";
  EXPECT_EQ(manager().watchdog(), std::chrono::seconds(30));
  variables_["WATCHDOG_PID"] = std::to_string(::getpid());
  EXPECT_EQ(manager().watchdog(), std::chrono::seconds(30));
  variables_["WATCHDOG_PID"] = "1";
  EXPECT_FALSE(manager().watchdog());
  variables_.erase("WATCHDOG_PID");
  for (const char* const nonsense : {"0", "-1", "soon", "18446744073709551615"}) {
    variables_["WATCHDOG_USEC"] = nonsense;
    EXPECT_FALSE(manager().watchdog()) << nonsense;
  }
}

}  // namespace
}  // namespace flowstore::server
