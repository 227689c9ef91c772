#include "files/preconditions.h"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace flowstore::files {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::sys_days;

const auto kModified = sys_days(std::chrono::year(2026) / 1 / 2) + milliseconds(500);

// A file with the tag "now", modified half a second past the full one.
FileStat file() {
  FileStat stat;
  stat.etag = "\"now\"";
  stat.modified = kModified;
  return stat;
}

std::optional<EtagList> tags(std::vector<std::string> etags) {
  EtagList list;
  list.etags = std::move(etags);
  return list;
}

std::optional<EtagList> any() {
  EtagList list;
  list.is_any = true;
  return list;
}

// What clients send: whole seconds.
std::optional<std::chrono::system_clock::time_point> sent_date(seconds later = seconds(0)) {
  return std::chrono::floor<seconds>(kModified) + later;
}

Preconditions if_match(std::optional<EtagList> list) {
  Preconditions conditions;
  conditions.if_match = std::move(list);
  return conditions;
}

Preconditions if_none_match(std::optional<EtagList> list) {
  Preconditions conditions;
  conditions.if_none_match = std::move(list);
  return conditions;
}

Preconditions if_modified_since(seconds later) {
  Preconditions conditions;
  conditions.if_modified_since = sent_date(later);
  return conditions;
}

Preconditions if_unmodified_since(seconds later) {
  Preconditions conditions;
  conditions.if_unmodified_since = sent_date(later);
  return conditions;
}

struct Row {
  std::string name;
  Preconditions conditions;
  ReadVerdict read;  // of the file
  bool is_written;   // over the file
  bool is_made;      // where no file is
};

std::vector<Row> rows() {
  using enum ReadVerdict;
  return {
      {"nothing sent", {}, proceed, true, true},

      {"If-Match: *", if_match(any()), proceed, true, false},
      {"If-Match: the tag", if_match(tags({"\"now\""})), proceed, true, false},
      {"If-Match: one of many", if_match(tags({"\"x\"", "\"now\""})), proceed, true, false},
      {"If-Match: another", if_match(tags({"\"x\""})), failed, false, false},
      {"If-Match: the weak tag", if_match(tags({"W/\"now\""})), failed, false, false},
      {"If-Match: nothing", if_match(tags({})), failed, false, false},

      {"If-None-Match: *", if_none_match(any()), not_modified, false, true},
      {"If-None-Match: the tag", if_none_match(tags({"\"now\""})), not_modified, false, true},
      {"If-None-Match: weak", if_none_match(tags({"W/\"now\""})), not_modified, false, true},
      {"If-None-Match: one", if_none_match(tags({"\"x\"", "\"now\""})), not_modified, false, true},
      {"If-None-Match: another", if_none_match(tags({"\"x\""})), proceed, true, true},

      {"If-Modified-Since: before", if_modified_since(seconds(-1)), proceed, true, true},
      {"If-Modified-Since: that second", if_modified_since(seconds(0)), not_modified, true, true},
      {"If-Modified-Since: later", if_modified_since(seconds(1)), not_modified, true, true},

      {"If-Unmodified-Since: before", if_unmodified_since(seconds(-1)), failed, false, true},
      {"If-Unmodified-Since: that second", if_unmodified_since(seconds(0)), proceed, true, true},
      {"If-Unmodified-Since: later", if_unmodified_since(seconds(1)), proceed, true, true},
  };
}

TEST(Preconditions, AreJudgedOneByOneAsRfc9110Says) {
  for (const Row& row : rows()) {
    EXPECT_EQ(evaluate_read(row.conditions, file()), row.read) << row.name;
    EXPECT_EQ(evaluate_write(row.conditions, file()).has_value(), row.is_written) << row.name;
    EXPECT_EQ(evaluate_write(row.conditions, std::nullopt).has_value(), row.is_made) << row.name;
  }
}

TEST(Preconditions, IfMatchHidesIfUnmodifiedSince) {
  Preconditions conditions = if_match(tags({"\"now\""}));
  conditions.if_unmodified_since = sent_date(seconds(-100));
  EXPECT_EQ(evaluate_read(conditions, file()), ReadVerdict::proceed);
  EXPECT_TRUE(evaluate_write(conditions, file()));
}

TEST(Preconditions, IfNoneMatchHidesIfModifiedSince) {
  Preconditions conditions = if_none_match(tags({"\"x\""}));
  conditions.if_modified_since = sent_date(seconds(100));
  EXPECT_EQ(evaluate_read(conditions, file()), ReadVerdict::proceed);
}

TEST(Preconditions, AFailedIfMatchCountsBeforeIfNoneMatch) {
  Preconditions conditions = if_match(tags({"\"x\""}));
  conditions.if_none_match = tags({"\"now\""});
  EXPECT_EQ(evaluate_read(conditions, file()), ReadVerdict::failed);
}

TEST(Preconditions, BothMustHoldForAWrite) {
  Preconditions conditions = if_match(tags({"\"now\""}));
  conditions.if_none_match = tags({"\"now\""});
  EXPECT_FALSE(evaluate_write(conditions, file()));
}

TEST(Preconditions, TellWhyAWriteFailed) {
  const Status status = evaluate_write(if_none_match(any()), file());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), ErrorKind::precondition_failed);
}

TEST(Preconditions, AreEmptyWhenNothingWasSent) {
  EXPECT_TRUE(Preconditions().empty());
  EXPECT_FALSE(if_match(any()).empty());
  EXPECT_FALSE(if_none_match(any()).empty());
  EXPECT_FALSE(if_modified_since(seconds(0)).empty());
  EXPECT_FALSE(if_unmodified_since(seconds(0)).empty());
}

}  // namespace
}  // namespace flowstore::files
