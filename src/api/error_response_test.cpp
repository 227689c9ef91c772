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

TEST(ErrorResponse, SpeaksToWritersOfContextAsTheOldServerDoes) {
  const auto body = [](const Error& error) {
    return body_of(error_response(RouteFamily::context_write, error));
  };
  EXPECT_EQ(body(Error(ErrorKind::invalid, "INVALID_EXPR", "Invalid property expression: x")),
            R"({"error":"Invalid property expression: x","code":"INVALID_EXPR"})");
  EXPECT_EQ(body(Error(ErrorKind::invalid, "", "y")), R"({"error":"y"})");
  EXPECT_EQ(body(Error::over_quota(108)),
            R"({"error":"Over Quota","code":"over_quota","limit":108})");
  EXPECT_EQ(error_response(RouteFamily::context_write, Error::over_quota(108)).status, 413);
  const Error down(ErrorKind::unavailable, "context_unavailable", "no answer");
  const auto response = error_response(RouteFamily::context_write, down);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.headers.at(0).first, "Retry-After");
  EXPECT_EQ(error_response(RouteFamily::context, Error(ErrorKind::no_space, "x", "y")).status, 507);
}

TEST(ErrorResponse, LeavesDeleteCharactersAsJavaScriptDoes) {
  const Error error(ErrorKind::invalid, "", "a\x7f\x01");
  EXPECT_EQ(body_of(error_response(RouteFamily::context, error)),
            "{\"statusCode\":400,\"error\":\"Bad Request\",\"message\":\"a\x7f\\u0001\"}");
}

TEST(ErrorResponse, WritesLoneSurrogatesAsJavaScriptDoes) {
  const Error error(ErrorKind::invalid, "", "a\xED\xA0\xBD\"\xED\xB8\x80");
  EXPECT_EQ(body_of(error_response(RouteFamily::context_write, error)),
            R"({"error":"a\ud83d\"\ude00"})");
}

TEST(ErrorResponse, SpeaksToReadersOfContextInTheStandardBody) {
  const Error error(ErrorKind::invalid, "INVALID_EXPR", "Invalid property expression: x");
  EXPECT_EQ(body_of(error_response(RouteFamily::context, error)),
            R"({"statusCode":400,"code":"INVALID_EXPR","error":"Bad Request",)"
            R"("message":"Invalid property expression: x"})");
  const Error type(ErrorKind::unsupported, "FST_ERR_CTP_INVALID_MEDIA_TYPE",
                   "Unsupported Media Type");
  EXPECT_EQ(body_of(error_response(RouteFamily::context, type)),
            R"({"statusCode":415,"code":"FST_ERR_CTP_INVALID_MEDIA_TYPE",)"
            R"("error":"Unsupported Media Type","message":"Unsupported Media Type"})");
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
