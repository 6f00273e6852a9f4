#include "nn/text/builtin_corpus.hpp"

#include "tensor/error.hpp"

namespace qisa {
namespace {

constexpr std::string_view play =
#include "nn/text/play.grammar"
    ;

}  // namespace

const Grammar& builtin_corpus_grammar() {
  static const Grammar grammar(play);
  return grammar;
}

std::string builtin_corpus(std::uint64_t seed, Index characters) {
  require(characters >= 0, "builtin_corpus: cannot write {} characters", characters);
  Random random(seed, Purpose::corpus);
  std::string text;
  while (std::ssize(text) < characters) builtin_corpus_grammar().sample(random, text);
  text.resize(characters);
  return text;
}

double builtin_corpus_entropy() {
  return builtin_corpus_grammar().entropy() / builtin_corpus_grammar().expected_length();
}

}  // namespace qisa
