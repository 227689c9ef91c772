#include "api/listing_json.h"

#include <gtest/gtest.h>

namespace flowstore::api {
namespace {

TEST(ListingJson, HasTheShapeOfTheAssetsApi) {
  files::Listing listing;
  EXPECT_EQ(listing_json(listing), R"({"meta":{},"count":0,"files":[]})");
  files::Entry folder;
  folder.name = "d";
  folder.is_folder = true;
  files::Entry file;
  file.name = "a \"b\"";
  file.size = 7;
  file.modified = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'500));
  listing.entries = {folder, file};
  listing.next_cursor = "c";
  EXPECT_EQ(
      listing_json(listing),
      R"({"meta":{"next_cursor":"c"},"count":2,"files":[)"
      R"({"name":"d","type":"directory","size":0,"lastModified":"1970-01-01T00:00:00.000Z"},)"
      R"({"name":"a \"b\"","type":"file","size":7,"lastModified":"1970-01-01T00:00:01.500Z"}]})");
}

TEST(ListOptions, AreCheckedAndNamed) {
  EXPECT_EQ(parse_list_options(Query("list"))->limit, 1000u);
  EXPECT_EQ(parse_list_options(Query("list&limit=5&cursor=x"))->limit, 5u);
  EXPECT_EQ(parse_list_options(Query("list&limit=5&cursor=x"))->cursor, "x");
  EXPECT_TRUE(parse_list_options(Query("list&recursive"))->is_recursive);
  EXPECT_FALSE(parse_list_options(Query("list&recursive=false"))->is_recursive);
  for (const char* const query :
       {"limit=0", "limit=1001", "limit=x", "limit=", "limit=-1", "limit=1x"}) {
    EXPECT_FALSE(parse_list_options(Query(query))) << query;
  }
}

}  // namespace
}  // namespace flowstore::api
