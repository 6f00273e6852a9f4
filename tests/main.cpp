// The test program's main, for version 2 of Catch2; version 3 brings its own in Catch2::Catch2WithMain.
#define CATCH_CONFIG_RUNNER
#include "tests/catch.hpp"

int main(int argc, char** argv) { return Catch::Session().run(argc, argv); }
