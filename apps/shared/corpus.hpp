// The text to train on or to evaluate: a file, or the built-in corpus.
#pragma once

#include <string>

namespace qisa {

struct Corpus {
  std::string text;
  std::string description;  // one line for a person
  bool builtin = false;     // the built-in corpus, whose entropy is known
};

/// `data` is a path, "builtin", or empty for data/shakespeare.txt if it is there and builtin otherwise.
/// Throws when the file cannot be read.
Corpus load_corpus(const std::string& data);

/// 64 bits of a text as hexadecimal digits, to notice that a text is another one (FNV-1a).
std::string fingerprint(const std::string& text);

}  // namespace qisa
