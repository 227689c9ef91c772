// Bodies of the context routes: contract sections 1.2 and 4.2.

#include "api/json_body.h"

#include <gtest/gtest.h>

#include "support/context_api_test.h"

namespace flowstore::api {
namespace {

constexpr const char* kItem = R"([{"key":"a","value":1}])";

std::string error_body(const std::string& status, const std::string& code, const std::string& error,
                       const std::string& message) {
  return R"({"statusCode":)" + status + R"(,"code":")" + code + R"(","error":")" + error +
         R"(","message":")" + message + "\"}";
}

const std::string kUnsupported = error_body("415", "FST_ERR_CTP_INVALID_MEDIA_TYPE",
                                            "Unsupported Media Type", "Unsupported Media Type");
const std::string kNotJson =
    error_body("400", "FST_ERR_CTP_INVALID_JSON_BODY", "Bad Request",
               "Body is not valid JSON but content-type is set to 'application/json'");
const std::string kEmpty =
    error_body("400", "FST_ERR_CTP_EMPTY_JSON_BODY", "Bad Request",
               "Body cannot be empty when content-type is set to 'application/json'");
const std::string kWrongLength =
    error_body("400", "FST_ERR_CTP_INVALID_CONTENT_LENGTH", "Bad Request",
               "Request body size did not match Content-Length");
const std::string kTooLarge = error_body("413", "FST_ERR_CTP_BODY_TOO_LARGE", "Payload Too Large",
                                         "Request body is too large");
const std::string kNoObject =
    error_body("400", "FST_ERR_VALIDATION", "Bad Request", "body/0 must be object");

using JsonBodyTest = ContextApiTest;

TEST_F(JsonBodyTest, TakesJsonWhateverTheCaseAndParametersOfItsType) {
  for (const char* const type :
       {"application/json", "application/json;charset=utf-8", "Application/JSON ; charset=latin1",
        "application/json;", "application/json; a=\"b;c\"", " application/json "}) {
    EXPECT_EQ(ask("POST", "p/s", kItem, {{"Content-Type", type}}).status, 200) << type;
  }
}

TEST_F(JsonBodyTest, TakesNoOtherType) {
  for (const char* const type :
       {"application/octet-stream", "application/json+x", "application/jsonx", "json", "*/*", "",
        "application/ json", "application/vnd.api+json", "application/json, text/plain"}) {
    const Answer answer = ask("POST", "p/s", kItem, {{"Content-Type", type}});
    EXPECT_EQ(answer.status, 415) << type;
    EXPECT_EQ(answer.body, kUnsupported) << type;
    EXPECT_EQ(body_reads, 0);
    EXPECT_EQ(ask("POST", "p/s", "", {{"Content-Type", type}}).status, 415) << type;
  }
  EXPECT_EQ(ask("POST", "p/s", kItem).body, kUnsupported);
  EXPECT_EQ(ask("POST", "p/cache/s", "{}").body, kUnsupported);
  announces_length = false;
  EXPECT_EQ(ask("POST", "p/s", "").body, kUnsupported);
}

// The type is looked at before the size, as in the old server.
TEST_F(JsonBodyTest, TakesNoOtherTypeHoweverLongTheBodyIs) {
  const std::string body(kMaxJsonBody + 1, 'x');
  for (const bool is_announced : {true, false}) {
    announces_length = is_announced;
    for (const Headers& headers : {Headers(), Headers{{"Content-Type", "text/html"}}}) {
      EXPECT_EQ(ask("DELETE", "p/s", body, headers).body, kUnsupported) << is_announced;
      EXPECT_LE(body_reads, 1) << is_announced;
      EXPECT_EQ(ask("POST", "p/clean", body, headers).body, kUnsupported) << is_announced;
    }
  }
  EXPECT_EQ(ask("DELETE", "p/s", "", {{"Content-Type", "text/html"}}).status, 200);
}

TEST_F(JsonBodyTest, TakesNoBodyForNull) { EXPECT_EQ(ask("POST", "p/s").body, kNoObject); }

TEST_F(JsonBodyTest, RefusesAnEmptyTextAsJson) {
  EXPECT_EQ(post("p/s", "").body, kEmpty);
  EXPECT_EQ(post("p/cache/s", "").body, kEmpty);
  announces_length = false;
  EXPECT_EQ(post("p/s", "").body, kEmpty);
}

TEST_F(JsonBodyTest, ReadsPlainTextAsAString) {
  for (const char* const text : {"", "x", kItem}) {
    EXPECT_EQ(ask("POST", "p/s", text, {{"Content-Type", "text/plain"}}).body, kNoObject);
    EXPECT_EQ(ask("POST", "p/s", text, {{"Content-Type", "Text/Plain; charset=x"}}).body,
              kNoObject);
  }
  EXPECT_EQ(ask("POST", "p/s", "\xff", {{"Content-Type", "text/plain"}}).body, kWrongLength);
}

TEST_F(JsonBodyTest, RefusesWhatIsNoJson) {
  for (const char* const text :
       {R"([{"key":"a")", "{", "nonsense", "[1,]", "'x'", "[] []", " ", "\xef\xbb\xbf",
        R"([{"key":"a","value":01}])", "[\"\x01\"]", R"(["\x"])"}) {
    const Answer answer = post("p/s", text);
    EXPECT_EQ(answer.status, 400) << text;
    EXPECT_EQ(answer.body, kNotJson) << text;
    EXPECT_FALSE(answer.is_closed);
  }
}

TEST_F(JsonBodyTest, RefusesMembersThatCouldChangeAllObjects) {
  for (const char* const text :
       {R"([{"key":"a","value":{"__proto__":1}}])", R"([{"__proto__":{}}])",
        R"([{"key":"a","value":{"\u005f_proto__":1}}])",
        R"([{"key":"a","value":{"constructor":{"prototype":1}}}])"}) {
    EXPECT_EQ(post("p/s", text).body, kNotJson) << text;
    EXPECT_EQ(post("p/clean", text).body, kNotJson) << text;
  }
  EXPECT_EQ(post("p/cache/s", R"({"__proto__":1})").body, kNotJson);
  EXPECT_EQ(post("p/cache/s", R"({"constructor":1,"prototype":2})").status, 200);
}

TEST_F(JsonBodyTest, AcceptsAByteOrderMark) {
  EXPECT_EQ(post("p/s", std::string("\xef\xbb\xbf") + kItem).status, 200);
  EXPECT_EQ(post("p/s", std::string("\xef\xbb\xbf\xef\xbb\xbf") + kItem).body, kNotJson);
}

TEST_F(JsonBodyTest, RefusesWhatIsNoUtf8WhereItsLengthWasAnnounced) {
  const std::string text = "[{\"key\":\"a\",\"value\":\"\xff\"}]";
  EXPECT_EQ(post("p/s", text).body, kWrongLength);
  EXPECT_EQ(post("p/s", "\xff").body, kWrongLength);  // also where it is no JSON
  announces_length = false;
  EXPECT_EQ(post("p/s", "\xff").body, kNotJson);
  EXPECT_EQ(post("p/s", text).status, 200);
  EXPECT_EQ(get("p/s?key=a").body, "[{\"key\":\"a\",\"value\":\"\xef\xbf\xbd\"}]");
}

TEST_F(JsonBodyTest, BoundsABody) {
  const std::string begin = R"([{"key":"a","value":")";
  const auto body_of = [&](std::size_t size) {
    return begin + std::string(size - begin.size() - 3, 'x') + "\"}]";
  };
  EXPECT_EQ(post("p/s", body_of(kMaxJsonBody)).status, 200);
  const Answer refused = post("p/s", body_of(kMaxJsonBody + 1));
  EXPECT_EQ(refused.body, kTooLarge);
  EXPECT_TRUE(refused.is_closed);
  EXPECT_EQ(body_reads, 0);
  EXPECT_EQ(ask("DELETE", "p/s", body_of(kMaxJsonBody + 1), kJson).body, kTooLarge);
  announces_length = false;
  EXPECT_EQ(post("p/s", body_of(kMaxJsonBody)).status, 200);
  const Answer cut = post("p/s", body_of(kMaxJsonBody + 1));
  EXPECT_EQ(cut.body, kTooLarge);
  EXPECT_TRUE(cut.is_closed);
}

TEST_F(JsonBodyTest, ParsesALongBodyToTheSameEnd) {
  const std::string text(100'000, 'x');
  EXPECT_EQ(post("p/s", R"([ {"key":"a","value":")" + text + "\"} ]").status, 200);
  EXPECT_EQ(get("p/s?key=a").body, R"([{"key":"a","value":")" + text + "\"}]");
  EXPECT_EQ(post("p/s", "[\"" + text).body, kNotJson);
  EXPECT_EQ(post("p/s", "[\"" + text + "\xff\"]").body, kWrongLength);
}

// ajv's messages, and its way of making strings.
TEST_F(JsonBodyTest, ValidatesAListOfItems) {
  const auto said = [&](const char* text) { return post("p/s", text).body; };
  const auto wrong = [](const char* message) {
    return error_body("400", "FST_ERR_VALIDATION", "Bad Request", message);
  };
  EXPECT_EQ(said("{}"), wrong("body must be array"));
  EXPECT_EQ(said(R"({"key":"a","value":1})"), wrong("body must be array"));
  for (const char* const text :
       {"\"x\"", "1", "null", "true", "[1]", "[null]", "[[]]", "[\"x\"]", R"([[{"key":"a"}]])"}) {
    EXPECT_EQ(said(text), kNoObject) << text;
  }
  EXPECT_EQ(said(R"([{"key":"a"},5])"), wrong("body/1 must be object"));
  for (const char* const key : {"{}", "[]", "[1,2]", "[{}]", "[[\"a\"]]"}) {
    const std::string text = std::string(R"([{"key":)") + key + R"(,"value":1}])";
    EXPECT_EQ(said(text.c_str()), wrong("body/0/key must be string")) << key;
  }
  EXPECT_EQ(said(R"([{"key":"a"},{"key":"b"},{"value":1,"key":{}}])"),
            wrong("body/2/key must be string"));
}

TEST_F(JsonBodyTest, MakesStringsOfKeys) {
  EXPECT_EQ(post("p/s", R"([{"key":5,"value":1},{"key":true,"value":2},{"key":["arr"],"value":3},)"
                        R"({"key":[1],"value":4},{"key":-0,"value":5},{"key":"\u006b","value":6}])")
                .status,
            200);
  EXPECT_EQ(get("p/s/keys").body, R"(["0","1","5","true","arr","k"])");
  // An expression, not a name.
  EXPECT_EQ(post("p/t", R"([{"key":1.5,"value":1}])").status, 200);
  EXPECT_EQ(get("p/t?key=1").body, R"([{"key":"1","value":{"5":1}}])");
  const std::string zero_length =
      R"({"error":"Invalid property expression: zero-length","code":"INVALID_EXPR"})";
  EXPECT_EQ(post("p/s", R"([{"key":null,"value":1}])").body, zero_length);
  EXPECT_EQ(post("p/s", R"([{"key":[null],"value":1}])").body, zero_length);
}

TEST_F(JsonBodyTest, MakesStringsOfKeysThatAreTooLargeForANumber) {
  EXPECT_EQ(post("p/s", R"([{"key":1e400,"value":[1e400,{"a":-1e400},"1e999"]},)"
                        R"({"key":[-1e400],"value":1e400}])")
                .status,
            200);
  EXPECT_EQ(get("p/s?key=Infinity&key=-Infinity").body,
            R"([{"key":"Infinity","value":[null,{"a":null},"1e999"]},)"
            R"({"key":"-Infinity","value":null}])");
  EXPECT_EQ(post("p/cache/s", R"({"a":1e400})").status, 200);
  EXPECT_EQ(get("p/s?key=a").body, R"([{"key":"a","value":null}])");
}

TEST_F(JsonBodyTest, IgnoresOtherMembersAndTakesTheLastOfEqualOnes) {
  EXPECT_EQ(post("p/s", R"([{"x":{},"key":"b","value":1,"value":2,"key":"a","y":null}])").status,
            200);
  EXPECT_EQ(get("p/s?key=a").body, R"([{"key":"a","value":2}])");
}

}  // namespace
}  // namespace flowstore::api
