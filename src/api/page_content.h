// The content of an answer that is a page of scopes.

#pragma once

#include "base/content.h"
#include "base/result.h"
#include "base/task.h"
#include "context/context_service.h"

namespace flowstore::api {

// {"meta":...,"count":N,"data":[...]}: one piece with a known length where the rows are small
// together, else a stream that holds one row at a time. The service outlives the content. An error
// is one of the first rows; later ones break the stream off.
Task<Result<Content>> page_content(context::ShownPage page);

}  // namespace flowstore::api
