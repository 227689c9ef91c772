// Waits for the write-ahead log of a localfs store.

#pragma once

#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "files/file_store.h"
#include "metrics/registry.h"
#include "support/bodies.h"
#include "support/run.h"

namespace flowstore {

// Frames that the log has written.
inline int frames_of_log(const metrics::Registry& registry) {
  const std::string name = "\nflowstore_storage_log_batch_size_count ";
  const std::string text = registry.text();
  const std::size_t at = text.find(name);
  return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + name.size());
}

// Writes until a write has gone by way of the log: its files are made beside the first ones. What
// was written lies in a team of its own.
inline void wait_for_log(files::FileStore& store, const metrics::Registry& registry) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const auto key = *files::FileKey::parse(*files::ProjectKey::parse("log", "log"), "file");
  while (frames_of_log(registry) == 0) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "there is no log";
    StringSource body("something");
    const auto upload = run(store.receive(key, body, files::WriteMode::replace));
    ASSERT_TRUE(upload && run((*upload)->commit(files::Expected())));
    std::this_thread::yield();
  }
}

}  // namespace flowstore
