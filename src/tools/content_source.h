// Content of any form as one stream.

#pragma once

#include <memory>

#include "base/byte_source.h"
#include "base/content.h"

namespace flowstore::tools {

// Pieces of at most 256 KiB. Reading an open file blocks the thread that asks, which suits
// commands. Fails as conflict if a file has become shorter than the content says.
std::unique_ptr<ByteSource> source_of(Content content);

}  // namespace flowstore::tools
