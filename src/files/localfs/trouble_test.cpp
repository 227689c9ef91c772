#include "files/localfs/trouble.h"

#include <cerrno>
#include <chrono>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file_descriptor.h"
#include "support/manual_clock.h"

namespace flowstore::files::localfs {
namespace {

FileKey key() { return *FileKey::parse(*ProjectKey::parse("t", "p"), "dir//a"); }

// What is logged while `act` runs.
template <class Act>
std::string logged(Act act) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const FileDescriptor reading(ends[0]);
  FileDescriptor writing(ends[1]);
  ManualClock clock;
  {
    Log log(LogLevel::info, LogFormat::json, clock, writing.get());
    Trouble trouble(log, clock);
    act(trouble, clock);
  }
  writing = FileDescriptor();
  std::string text;
  char bytes[4096];
  for (ssize_t got = 0; (got = ::read(reading.get(), bytes, sizeof(bytes))) > 0;) {
    text.append(bytes, static_cast<std::size_t>(got));
  }
  return text;
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(Trouble, SaysWhatTheClientDidWrongInItsOwnWords) {
  struct Row {
    int error;
    ErrorKind kind;
    const char* message;
  };
  const std::string log = logged([](Trouble& trouble, ManualClock&) {
    for (const Row& row : {
             Row{ENOENT, ErrorKind::not_found, "ENOENT: no such file or directory, open 'dir//a'"},
             Row{EISDIR, ErrorKind::is_directory,
                 "EISDIR: illegal operation on a directory, open 'dir//a'"},
             Row{ENOTDIR, ErrorKind::invalid, "ENOTDIR: not a directory, open 'dir//a'"},
             Row{ENAMETOOLONG, ErrorKind::invalid, "ENAMETOOLONG: name too long, open 'dir//a'"},
             Row{ELOOP, ErrorKind::invalid, "Invalid Path"},
             Row{EXDEV, ErrorKind::invalid, "Invalid Path"},
             Row{ENXIO, ErrorKind::invalid, "Invalid Path"},
         }) {
      const Error error = trouble.translate(row.error, key(), "open");
      EXPECT_EQ(error.kind(), row.kind) << row.message;
      EXPECT_EQ(error.message(), row.message);
    }
  });
  EXPECT_EQ(log, "") << "none of it is the operator's trouble";
}

TEST(Trouble, KeepsThePlaceForTheLog) {
  for (const int error : {EIO, EROFS, EMFILE, ENFILE, ENOMEM, EACCES}) {
    const std::string log = logged([error](Trouble& trouble, ManualClock&) {
      const Error told = trouble.translate(error, key(), "open");
      EXPECT_EQ(told.kind(), ErrorKind::unavailable);
      EXPECT_EQ(told.message().find("t/p"), std::string::npos);
    });
    EXPECT_NE(log.find(R"("operation":"open","path":"t/p/dir/a")"), std::string::npos) << log;
  }
}

TEST(Trouble, KnowsAFullDisk) {
  const std::string log = logged([](Trouble& trouble, ManualClock&) {
    for (const int error : {ENOSPC, EDQUOT, EFBIG}) {
      EXPECT_EQ(trouble.translate(error, key(), "write").kind(), ErrorKind::no_space);
    }
  });
  EXPECT_NE(log.find("No space left on device"), std::string::npos) << log;
}

TEST(Trouble, LogsAFewLinesASecondHoweverMuchGoesWrong) {
  const std::string log = logged([](Trouble& trouble, ManualClock& clock) {
    for (int i = 0; i < 1000; ++i) {
      const Error error = trouble.translate(EIO, key(), "open");
      clock.advance(std::chrono::milliseconds(1));
    }
  });
  EXPECT_GE(lines_in(log), 2U);
  EXPECT_LE(lines_in(log), 6U);
}

}  // namespace
}  // namespace flowstore::files::localfs
