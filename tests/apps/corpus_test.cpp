// The text to train on: a file, data/shakespeare.txt, or the built-in play.
#include "apps/shared/corpus.hpp"

#include <fmt/format.h>

#include "nn/files/checkpoint.hpp"
#include "nn/text/builtin_corpus.hpp"
#include "tests/apps/run.hpp"

using namespace qisa;
using namespace qisa::test;

namespace corpus_test {

/// The first line of what train says, which tells the text, and the vocabulary of its checkpoint.
struct Told {
  std::string line;
  std::u32string vocabulary;
};

/// Trains for a step. An empty `data` gives no --data.
Told told_of(const Workplace& place, const std::string& data) {
  Options options = {{"max_iters", "1"}, {"n_embd", "8"}, {"n_head", "1"}, {"n_layer", "1"}, {"block_size", "8"}};
  options["out_dir"] = "out";
  options["overwrite"] = "true";
  if (!data.empty()) options["data"] = data;
  const Outcome outcome = place.train(as_arguments(options));
  require_success(outcome);
  return {lines_of(outcome.out).at(0), load_checkpoint(place.path / "out/latest.safetensors").tokenizer.vocabulary()};
}

bool contains(const std::string& text, const std::string& piece) { return text.find(piece) != std::string::npos; }

std::string said_entropy() { return fmt::format("entropy {:.4f} nats", builtin_corpus_entropy()); }

TEST_CASE("Without data/shakespeare.txt and --data, train takes the built-in play and says so with its entropy") {
  const Workplace place;
  const Told told = told_of(place, "");
  CHECK(contains(told.line, "built-in play"));
  CHECK(contains(told.line, "data/shakespeare.txt"));
  CHECK(contains(told.line, said_entropy()));
  CHECK(told.vocabulary == encode_text(builtin_corpus(1, 100'000), "the text").tokenizer.vocabulary());
}

TEST_CASE("data/shakespeare.txt is taken if it is there, and --data goes before it") {
  const Workplace place;
  std::string play;
  for (int i = 0; i < 50; ++i) play += "zyx wvu\n";
  place.write("data/shakespeare.txt", play);
  const Told found = told_of(place, "");
  CHECK(contains(found.line, "data/shakespeare.txt; 400 characters, vocabulary 8"));
  CHECK(found.vocabulary == U"\n uvwxyz");

  const Told file = told_of(place, "text.txt");
  CHECK(contains(file.line, "text.txt"));
  CHECK(file.vocabulary == encode_text(Workplace::verse(), "the text").tokenizer.vocabulary());

  const Told builtin = told_of(place, "builtin");
  CHECK(contains(builtin.line, "built-in play"));
  CHECK(contains(builtin.line, said_entropy()));
  CHECK_FALSE(contains(builtin.line, "data/shakespeare.txt"));
}

TEST_CASE("A data file that is named but is not there is an error, not the built-in play") {
  const Workplace place;
  const std::string missing = (place.path / "no-such.txt").string();
  check_error(error_of([&] { load_corpus(missing); }), missing);
}

TEST_CASE("A corpus is the file's text, character for character") {
  const Workplace place("Où?\r\n\tHere.  \n\n");
  const EncodedText text = load_corpus((place.path / "text.txt").string()).text;
  CHECK(text.tokenizer.decode(text.tokens) == "Où?\r\n\tHere.  \n\n");
}

}  // namespace corpus_test
