// sample: which checkpoint it takes, how its options shape the text, and what it says when it cannot write.
#include <set>

#include "nn/tokenizer.hpp"
#include "nn/utf8.hpp"
#include "tests/apps/run.hpp"

using namespace qisa;
using namespace qisa::test;
namespace fs = std::filesystem;

namespace {

/// A folder with a trained model in runs/a.
Workplace trained(const std::string& text = Workplace::verse()) {
  Workplace place(text);
  return place;
}

}  // namespace
