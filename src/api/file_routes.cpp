#include "api/file_routes.h"

#include <utility>

#include "api/conditions.h"
#include "api/error_response.h"
#include "api/json_body.h"
#include "api/listing_json.h"
#include "api/url.h"

namespace flowstore::api {
namespace {

using http::Request;
using http::Response;

Result<files::FileKey> key_of(const Route& route) {
  FLOWSTORE_TRY(auto project, files::ProjectKey::parse(route.team, route.project));
  return files::FileKey::parse(std::move(project), route.path);
}

void describe(Response& response, const files::FileStat& stat) {
  response.add("etag", stat.etag);
  response.last_modified = stat.modified;
}

Response range_not_satisfiable(const RangeChoice& choice, std::uint64_t size) {
  const Error error(ErrorKind::invalid, "ERR_RANGE_NOT_SATISFIABLE",
                    "The range lies behind the end of the file");
  Response response = error_response(RouteFamily::range, error);
  response.add("content-range", content_range(choice, size));
  return response;
}

// What a read asks for, beside the name of the file.
struct Question {
  explicit Question(const Request& request)
      : conditions(parse_preconditions(request)),
        may_want_less(request.method() == "HEAD" || request.header("range") ||
                      !conditions.empty()) {}

  files::Preconditions conditions;
  bool may_want_less;  // than the whole file
};

bool wants_list(const Request& request) {
  const std::string_view query = split_target(request.target()).query;
  return !query.empty() && Query(query).is_on("list");
}

Response answer_of(const Request& request, const Question& question,
                   Result<files::OpenFile> opened) {
  if (!opened) return error_response(RouteFamily::read, opened.error());
  const files::FileStat& stat = opened->stat;
  const auto verdict = files::evaluate_read(question.conditions, stat);
  if (verdict == files::ReadVerdict::failed) {
    const Error error(ErrorKind::precondition_failed, "ERR_PRECONDITION_FAILED",
                      "The file is not the one that the request expects");
    return error_response(RouteFamily::read, error);
  }
  Response response;
  response.headers.reserve(4);
  if (verdict == files::ReadVerdict::not_modified) {
    response.status = 304;
    describe(response, stat);
    return response;
  }
  const RangeChoice range = choose_range(request, stat);
  if (range.kind == RangeChoice::Kind::unsatisfiable) {
    return range_not_satisfiable(range, stat.size);
  }
  response.content_type = "application/octet-stream";
  response.add("accept-ranges", "bytes");
  describe(response, stat);
  response.content = std::move(opened->content);
  if (range.kind == RangeChoice::Kind::part) {
    response.status = 206;
    response.add("content-range", content_range(range, stat.size));
    response.content = std::move(response.content).slice(range.offset, range.length);
  }
  return response;
}

// The header's name has an underscore and its value is compared exactly; anything else replaces.
std::string_view mode_of(const Request& request) {
  return request.header("ff_mode").value_or(std::string_view());
}

}  // namespace

Task<Response> FileRoutes::read(const Request& request, const Route& route) {
  const auto key = key_of(route);
  if (!key) co_return error_response(RouteFamily::read, key.error());
  if (wants_list(request)) co_return co_await list(request, *key);
  const Question question(request);
  const auto reading = question.may_want_less ? files::Reading::parts : files::Reading::all;
  auto file = co_await files_.read(*key, reading);
  co_return answer_of(request, question, std::move(file));
}

std::optional<Response> FileRoutes::read_now(const Request& request, const Route& route) {
  const auto key = key_of(route);
  if (!key) return error_response(RouteFamily::read, key.error());
  if (wants_list(request)) return std::nullopt;
  auto file = files_.read_now(*key);
  if (!file) return std::nullopt;
  return answer_of(request, Question(request), *std::move(file));
}

Task<Response> FileRoutes::list(const Request& request, const files::FileKey& folder) {
  const auto options = parse_list_options(Query(split_target(request.target()).query));
  if (!options) co_return error_response(RouteFamily::read, options.error());
  const auto listing = co_await files_.list(folder, *options);
  if (!listing) co_return error_response(RouteFamily::read, listing.error());
  Response response;
  response.content_type = "application/json; charset=utf-8";
  response.content = Content(listing_json(*listing));
  co_return response;
}

Task<Response> FileRoutes::write(Request& request, const Route& route, const auth::Grant& grant) {
  const auto key = key_of(route);
  if (!key) co_return error_response(RouteFamily::write, key.error());
  const std::string_view mode = mode_of(request);
  // The old server checks the path and creates nothing; a folder appears with its first file.
  // nr-file-nodes relies on the 200, not on the folder. See docs/compatibility.md#ensure-dir.
  if (mode == "ensureDir") co_return Response();

  files::WriteOptions options;
  options.mode = mode == "append" ? files::WriteMode::append : files::WriteMode::replace;
  options.conditions = parse_preconditions(request);
  options.quota = grant.file_quota ? grant.file_quota : rules_.default_quota;
  options.max_size = rules_.max_file_size;
  const auto written = co_await files_.write(*key, request.body(), options);
  if (!written) co_return error_response(RouteFamily::write, written.error());
  Response response;
  response.add("etag", written->stat.etag);
  co_return response;
}

Task<Response> FileRoutes::remove(Request& request, const Route& route) {
  const Status passed = co_await pass_over_body(request, Media::text_and_bytes, pool_);
  if (!passed) co_return error_response(RouteFamily::remove, passed.error());
  const auto key = key_of(route);
  if (!key) co_return error_response(RouteFamily::remove, key.error());
  const auto conditions = parse_preconditions(request);
  const bool is_recursive = Query(split_target(request.target()).query).is_on("recursive");
  auto removal = is_recursive ? remove_tree(*key, conditions) : files_.remove(*key, conditions);
  const Status removed = co_await std::move(removal);
  if (!removed) co_return error_response(RouteFamily::remove, removed.error());
  co_return Response();
}

// A folder has no entity tag, so a condition on one is judged as if there were no file.
Task<Status> FileRoutes::remove_tree(const files::FileKey& folder,
                                     const files::Preconditions& conditions) {
  FLOWSTORE_CO_TRY_STATUS(files::evaluate_write(conditions, std::nullopt));
  co_return co_await files_.remove_tree(folder);
}

}  // namespace flowstore::api
