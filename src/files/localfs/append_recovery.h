// What a dead process left of its appends.

#pragma once

#include "base/log.h"
#include "files/localfs/beneath.h"
#include "files/localfs/temp_folder.h"

namespace flowstore::files::localfs {

// Makes the rest of the appends that a kill tore, as the records in the folder of the dead process
// say. Nothing of a file is ever written over. One that has been changed since, by whomever, stays
// as it is: only where the very beginning of the append, and nothing else, stands behind the old
// end, the rest is added. Where it cannot be, on a full disk, the beginning is cut off again, if no
// other flowstore is at work on the root. Says in the log what was done. Blocks.
void complete_torn_appends(const Beneath& root, int folder, Company company, Log& log);

}  // namespace flowstore::files::localfs
