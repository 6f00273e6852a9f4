// The text to train on or to evaluate: a file, or the built-in corpus.
#pragma once

#include <string>

#include "nn/text/text_file.hpp"

namespace qisa {

struct Corpus {
  EncodedText text;
  std::string source;       // its path, or "builtin"
  std::string description;  // one line for a person
  bool builtin = false;     // the built-in corpus, whose entropy is known
};

/// `data` is a path, "builtin", or empty for data/shakespeare.txt if it is there and builtin otherwise.
/// Its tokens are those of `tokenizer`, if one is given. Throws what read_tokens() throws.
Corpus load_corpus(const std::string& data, const Tokenizer* tokenizer = nullptr);

/// A text's hash as hexadecimal digits.
std::string fingerprint(const EncodedText& text);

}  // namespace qisa
