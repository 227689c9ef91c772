#include "base/log_output.h"

#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file_descriptor.h"

namespace flowstore {
namespace {

struct Pipe {
  explicit Pipe(int flags) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC | flags), 0);
    reading = FileDescriptor(ends[0]);
    writing = FileDescriptor(ends[1]);
  }

  // What has been written so far; empty if nothing was.
  std::string read() const {
    std::string bytes(1 << 20, '\0');
    const ssize_t size = ::read(reading.get(), bytes.data(), bytes.size());
    bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return bytes;
  }

  FileDescriptor reading;
  FileDescriptor writing;
};

TEST(LogOutput, CountsTheLinesThatAFullDiskRefuses) {
  const FileDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  LogOutput output(full.get());
  output.add("one\n");
  output.add("two\n");
  output.write();
  EXPECT_EQ(output.lost(), 2U);
  EXPECT_FALSE(output.is_working());
}

TEST(LogOutput, WaitsForAPipeThatDoesNotBlock) {
  const Pipe pipe(O_NONBLOCK);
  LogOutput output(pipe.writing.get());
  const std::string lines(300'000, '\n');
  std::string text;
  std::thread writer([&] {
    output.add(lines);
    output.write();
  });
  while (text.size() < lines.size()) text += pipe.read();
  writer.join();
  EXPECT_EQ(text, lines);
  EXPECT_EQ(output.lost(), 0U);
}

TEST(LogOutput, BeginsANewLineAfterOneThatWasCut) {
  const Pipe pipe(O_NONBLOCK);
  LogOutput output(pipe.writing.get());
  output.close();
  output.add(std::string(200'000, 'x') + "\n");
  output.write();
  EXPECT_EQ(output.lost(), 1U);
  const std::string cut = pipe.read();
  EXPECT_EQ(cut, std::string(cut.size(), 'x'));

  output.add("next\n");
  output.write();
  EXPECT_EQ(pipe.read(), "\nnext\n");
  EXPECT_TRUE(output.is_working());
}

TEST(LogOutput, LosesWhatGoesToAClosedDescriptor) {
  LogOutput output(-1);
  output.add("one\n");
  output.write();
  EXPECT_EQ(output.lost(), 1U);
}

}  // namespace
}  // namespace flowstore
