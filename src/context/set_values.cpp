#include "context/set_values.h"

#include <utility>

#include "json/document.h"
#include "json/text.h"

namespace flowstore::context {
namespace {

// What JavaScript says where the old server looks into a key that is not there.
Error no_expression() {
  return Error(ErrorKind::invalid, "", "Cannot read properties of undefined (reading 'indexOf')");
}

Status apply(json::Document& document, const SetItem& item, CharacterLimit limit) {
  if (!item.expression) return no_expression();
  if (!item.value) return document.remove(*item.expression);
  return document.set(*item.expression, *item.value, limit);
}

}  // namespace

Result<std::string> canonical_object(std::string_view stored) {
  auto canonical = json::canonical_stored(stored);
  if (canonical && json::kind_of(canonical->text) == json::Kind::object) {
    return std::move(canonical->text);
  }
  // The reason is for the log; a client can only be told that it has to write the scope anew.
  const std::string reason = canonical ? "not an object" : canonical.error().message();
  return Error(ErrorKind::invalid, "ERR_CONTEXT_VALUES",
               "The values stored for this scope are not a JSON object (" + reason +
                   "). Delete the scope, or write it as a whole.");
}

Result<NewValues> set_values(std::optional<std::string_view> stored,
                             const std::vector<SetItem>& items, CharacterLimit limit) {
  std::string object = "{}";
  if (stored) {
    FLOWSTORE_TRY(object, canonical_object(*stored));
  }
  json::Document document(std::move(object));
  for (const SetItem& item : items) FLOWSTORE_TRY_STATUS(apply(document, item, limit));
  if (document.is_empty()) return NewValues();
  return NewValues(document.text());
}

}  // namespace flowstore::context
