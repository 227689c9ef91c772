#include "files/file_key.h"
