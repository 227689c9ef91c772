#include "api/error_response.h"

#include <gtest/gtest.h>

namespace flowstore::api {
namespace {

std::string body_of(const http::Response& response) {
  const auto& form = response.content.form();
  if (const auto* text = std::get_if<std::string>(&form)) return *text;
  return std::string(std::get<std::string_view>(form));
}

TEST(ErrorResponse, HasTheStandardBodyInItsKeyOrder) {
  const Error error(ErrorKind::not_found, "ENOENT",
                    "ENOENT: no such file or directory, open 'missing.txt'");
  const auto response = error_response(RouteFamily::read, error);
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(body_of(response),
            R"({"statusCode":404,"code":"ENOENT","error":"Not Found",)"
            R"("message":"ENOENT: no such file or directory, open 'missing.txt'"})");
  EXPECT_EQ(body_of(response).size(), 120u);
}

TEST(ErrorResponse, DiffersByRouteWhereTheOldServerDoes) {
  const Error missing(ErrorKind::not_found, "ENOENT", "x");
  EXPECT_EQ(error_response(RouteFamily::remove, missing).status, 400);
  const Error folder(ErrorKind::is_directory, "EISDIR", "x");
  EXPECT_EQ(error_response(RouteFamily::read, folder).status, 500);
  EXPECT_EQ(error_response(RouteFamily::write, folder).status, 400);
}

TEST(ErrorResponse, NamesTheQuota) {
  const auto response = error_response(RouteFamily::write, Error::over_quota(2000));
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(body_of(response), R"({"code":"over_quota","error":"Over Quota","limit":2000})");
}

TEST(ErrorResponse, SaysWhenToComeBack) {
  const Error error(ErrorKind::unavailable, "auth_unavailable", "no answer");
  const auto response = error_response(RouteFamily::authentication, error);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(body_of(response), R"({"code":"auth_unavailable","error":"no answer"})");
  ASSERT_EQ(response.headers.size(), 1u);
  EXPECT_EQ(response.headers[0].first, "Retry-After");
}

TEST(ErrorResponse, EndsTheConnectionOfABodyThatIsTooLarge) {
  const auto response = error_response(RouteFamily::write, Error::too_large(5));
  EXPECT_EQ(response.status, 413);
  EXPECT_TRUE(response.close);
}

TEST(ErrorResponse, HasOneBodyForEveryRefusedToken) {
  const Error error(ErrorKind::unauthorized, "anything", "secret reason");
  EXPECT_EQ(body_of(error_response(RouteFamily::authentication, error)),
            R"({"code":"unauthorized","error":"unauthorized"})");
}

TEST(ErrorResponse, QuotesWhatTheClientSent) {
  EXPECT_EQ(body_of(route_not_found("GET", "/a\"b")),
            R"({"message":"Route GET:/a\"b not found","error":"Not Found","statusCode":404})");
}

}  // namespace
}  // namespace flowstore::api
