#include "cli/main.h"

int main(int argc, char** argv) { return flowstore::cli::run(argc, argv); }
