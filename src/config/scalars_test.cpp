#include "config/scalars.h"

#include <gtest/gtest.h>

namespace flowstore::config {
namespace {

using std::chrono::milliseconds;

struct BytesCase {
  const char* text;
  std::optional<std::uint64_t> bytes;
};

TEST(Scalars, SizesAreBytesOrHaveAUnit) {
  constexpr std::uint64_t one = 1;
  const BytesCase cases[] = {
      {"0", 0},
      {"100", 100},
      {"1e6", 1'000'000},
      {"1.048576e+08", 104'857'600},
      {"512MiB", 512 * (one << 20)},
      {"512 MiB", 512 * (one << 20)},
      {"1GB", 1'000'000'000},
      {"1.5gib", 3 * (one << 29)},
      {"10kB", 10'000},
      {"7b", 7},
      {"9007199254740993", 9'007'199'254'740'993},
      {"", std::nullopt},
      {"-1", std::nullopt},
      {"+1", std::nullopt},
      {"1.5", std::nullopt},
      {"1 000", std::nullopt},
      {"GB", std::nullopt},
      {"1EB", std::nullopt},
      {"1GBs", std::nullopt},
      {"0x10", std::nullopt},
      {"nan", std::nullopt},
      {"1e300", std::nullopt},
      {"1e300TB", std::nullopt},
      {"9999999TiB", std::nullopt},
  };
  for (const auto& [text, bytes] : cases) EXPECT_EQ(parse_bytes(text), bytes) << text;
}

TEST(Scalars, TimesAreSecondsOrHaveAUnit) {
  const std::pair<const char*, std::optional<milliseconds>> cases[] = {
      {"90", milliseconds(90'000)},   {"0.5", milliseconds(500)},
      {"500ms", milliseconds(500)},   {"2s", milliseconds(2000)},
      {"5m", milliseconds(300'000)},  {"1h", milliseconds(3'600'000)},
      {"5 M", milliseconds(300'000)}, {"", std::nullopt},
      {"soon", std::nullopt},         {"-1s", std::nullopt},
      {"5 minutes", std::nullopt},    {"1e30", std::nullopt},
      {"inf", std::nullopt},
  };
  for (const auto& [text, duration] : cases) EXPECT_EQ(parse_duration(text), duration) << text;
}

TEST(Scalars, FlagsAreTrueOrFalse) {
  EXPECT_EQ(parse_flag("true"), true);
  EXPECT_EQ(parse_flag("False"), false);
  EXPECT_EQ(parse_flag("yes"), std::nullopt);
  EXPECT_EQ(parse_flag("1"), std::nullopt);
}

TEST(Scalars, WhatIsShownReadsBackAsTheSame) {
  for (const std::uint64_t bytes :
       {0ull, 1ull, 1000ull, 1024ull, 1536ull, 1ull << 30, 5ull << 50}) {
    EXPECT_EQ(parse_bytes(show_bytes(bytes)), bytes) << show_bytes(bytes);
  }
  for (const milliseconds time : {milliseconds(0), milliseconds(1500), milliseconds(90'000)}) {
    EXPECT_EQ(parse_duration(show_duration(time)), time) << show_duration(time);
  }
}

}  // namespace
}  // namespace flowstore::config
