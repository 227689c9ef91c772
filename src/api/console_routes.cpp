#include "api/console_routes.h"

#include <algorithm>
#include <span>

#include "api/conditions.h"
#include "api/error_response.h"
#include "base/digest.h"
#include "embedded/app_js.h"
#include "embedded/charts_js.h"
#include "embedded/console_css.h"
#include "embedded/console_html.h"
#include "embedded/context_js.h"
#include "embedded/dialogs_js.h"
#include "embedded/dom_js.h"
#include "embedded/edit_js.h"
#include "embedded/files_js.h"
#include "embedded/icon_svg.h"
#include "embedded/paths_js.h"
#include "embedded/rates_js.h"
#include "embedded/server_js.h"
#include "embedded/tree_js.h"
#include "embedded/uploads_js.h"
#include "embedded/usage_js.h"

namespace flowstore::api {
namespace {

using http::Request;
using http::Response;

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kCss = "text/css; charset=utf-8";
constexpr std::string_view kScript = "text/javascript; charset=utf-8";
constexpr std::string_view kSvg = "image/svg+xml";

// Nothing but the files below, and requests to this very server. The usual policy would not do: it
// has browsers use HTTPS, which may not be there.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// Strong, and the same in every process of this version.
std::string etag_of(std::string_view bytes) {
  constexpr std::size_t kEnough = 16;
  const Sha256 digest = sha256(bytes);
  return '"' + hex(std::span(digest).first(kEnough)) + '"';
}

// The only condition that means anything here: the files have no date.
bool is_known(const Request& request, const std::string& etag) {
  files::Preconditions conditions;
  conditions.if_none_match = parse_preconditions(request).if_none_match;
  files::FileStat stat;
  stat.etag = etag;
  return files::evaluate_read(conditions, stat) == files::ReadVerdict::not_modified;
}

bool is_read(const Request& request) {
  return request.method() == "GET" || request.method() == "HEAD";
}

Response method_not_allowed() {
  Response response(405);
  response.add("allow", "GET, HEAD");
  return response;
}

// Relative, so that it leads to the right place behind a proxy that adds a prefix, too.
Response to_the_page() {
  Response response(308);
  response.add("location", "../console");
  return response;
}

}  // namespace

ConsoleRoutes::ConsoleRoutes()
    : assets_({
          {"", kHtml, embedded::console_html, ""},
          {"/console.css", kCss, embedded::console_css, ""},
          {"/icon.svg", kSvg, embedded::icon_svg, ""},
          {"/app.js", kScript, embedded::app_js, ""},
          {"/charts.js", kScript, embedded::charts_js, ""},
          {"/context.js", kScript, embedded::context_js, ""},
          {"/dialogs.js", kScript, embedded::dialogs_js, ""},
          {"/dom.js", kScript, embedded::dom_js, ""},
          {"/edit.js", kScript, embedded::edit_js, ""},
          {"/files.js", kScript, embedded::files_js, ""},
          {"/paths.js", kScript, embedded::paths_js, ""},
          {"/rates.js", kScript, embedded::rates_js, ""},
          {"/server.js", kScript, embedded::server_js, ""},
          {"/tree.js", kScript, embedded::tree_js, ""},
          {"/uploads.js", kScript, embedded::uploads_js, ""},
          {"/usage.js", kScript, embedded::usage_js, ""},
      }) {
  for (Asset& asset : assets_) asset.etag = etag_of(asset.bytes);
}

Response ConsoleRoutes::serve(const Request& request, std::string_view path) const {
  if (!is_read(request)) return method_not_allowed();
  if (path == "/") return to_the_page();
  const auto asset = std::find_if(assets_.begin(), assets_.end(),
                                  [&](const Asset& known) { return known.path == path; });
  if (asset == assets_.end()) return route_not_found(request.method(), request.target());

  Response response(is_known(request, asset->etag) ? 304 : 200);
  response.security_policy = kPolicy;
  response.add("etag", asset->etag);
  response.add("cache-control", "no-cache");
  if (response.status == 304) return response;
  response.content_type = asset->content_type;
  response.content = Content::constant(asset->bytes);
  return response;
}

}  // namespace flowstore::api
