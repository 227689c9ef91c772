#include "files/bounded_source.h"

#include <gtest/gtest.h>

#include "support/bodies.h"
#include "support/run.h"

namespace flowstore::files {
namespace {

// The limit of the error that stopped the source; nothing if it came to its end.
std::optional<std::uint64_t> stopped_by(ByteSource& source) {
  while (true) {
    const auto piece = run(source.next());
    if (!piece) return piece.error().limit();
    if (piece->empty()) return std::nullopt;
  }
}

TEST(BoundedSource, PassesEverythingOnWithoutABound) {
  PiecesSource body({"ab", "c"});
  BoundedSource bounded(body);
  EXPECT_EQ(*run(bounded.next()), "ab");
  EXPECT_EQ(*run(bounded.next()), "c");
  EXPECT_EQ(*run(bounded.next()), "");
}

TEST(BoundedSource, SaysTheAnnouncedSize) {
  PiecesSource body({"abc"});
  BoundedSource bounded(body);
  EXPECT_EQ(bounded.size(), std::nullopt);
  body.announce(3);
  EXPECT_EQ(bounded.size(), 3U);
}

TEST(BoundedSource, TakesExactlyTheBound) {
  PiecesSource body({"ab", "c"});
  BoundedSource bounded(body);
  bounded.bound(3, Error::too_large(3));
  EXPECT_EQ(stopped_by(bounded), std::nullopt);
}

TEST(BoundedSource, StopsBeyondTheBound) {
  PiecesSource body({"ab", "cd", "ef"});
  BoundedSource bounded(body);
  bounded.bound(3, Error::too_large(3));
  EXPECT_EQ(stopped_by(bounded), 3U);
  EXPECT_EQ(body.pulled(), 2U);
}

TEST(BoundedSource, TheTightestBoundCounts) {
  for (const bool is_tight_first : {true, false}) {
    PiecesSource body({"abcdef"});
    BoundedSource bounded(body);
    if (is_tight_first) bounded.bound(3, Error::too_large(3));
    bounded.bound(5, Error::too_large(5));
    if (!is_tight_first) bounded.bound(3, Error::too_large(3));
    EXPECT_EQ(stopped_by(bounded), 3U);
  }
}

TEST(BoundedSource, PassesErrorsOn) {
  PiecesSource body({"ab"});
  body.break_off(client_went_away());
  BoundedSource bounded(body);
  bounded.bound(3, Error::too_large(3));
  EXPECT_EQ(*run(bounded.next()), "ab");
  EXPECT_EQ(run(bounded.next()).error().kind(), ErrorKind::aborted);
}

}  // namespace
}  // namespace flowstore::files
