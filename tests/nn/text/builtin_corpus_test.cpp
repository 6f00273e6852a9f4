// The built-in corpus has one derivation and the entropy it claims. A parser of its own (it knows the
// rules but shares nothing with what draws from them) counts the derivations of sampled scenes and
// weighs them; a search over pairs of alternatives proves that no text can have two.
#include "nn/text/builtin_corpus.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "nn/training/evaluation.hpp"
#include "tensor/error.hpp"
#include "tests/catch.hpp"

using namespace qisa;

namespace builtin_corpus_test {

/// All ways to derive a stretch of text: how many, and -ln of the probability of (any) one of them.
struct Derivations {
  double count = 0;
  double nats = 0;
};

/// Finds every derivation of stretches of a text. Rules must not be left-recursive.
class Parser {
 public:
  Parser(const Grammar& grammar, std::string_view text) : rules_(grammar.rules()), text_(text) {}

  /// Where texts of the rule that start at `begin` can end, with their derivations.
  const std::map<std::size_t, Derivations>& ends(Index rule, std::size_t begin) {
    const auto [found, is_new] = memo_.try_emplace({rule, begin});
    if (!is_new) return found->second;
    std::map<std::size_t, Derivations> result;
    for (const auto& alternative : rules_[rule].alternatives) {
      const double chance = static_cast<double>(alternative.weight) / static_cast<double>(rules_[rule].total_weight);
      std::map<std::size_t, Derivations> open = {{begin, {1, -std::log(chance)}}};
      for (const auto& symbol : alternative.symbols) open = extended(open, symbol);
      for (const auto& [end, ways] : open) add(result[end], ways, {1, 0});
    }
    return memo_[{rule, begin}] = result;
  }

 private:
  static void add(Derivations& sum, const Derivations& first, const Derivations& second) {
    sum = {sum.count + first.count * second.count, first.nats + second.nats};
  }

  std::map<std::size_t, Derivations> extended(const std::map<std::size_t, Derivations>& open,
                                              const Grammar::Symbol& symbol) {
    std::map<std::size_t, Derivations> result;
    for (const auto& [at, ways] : open) {
      if (symbol.rule == -1) {
        if (text_.substr(at, symbol.text.size()) == symbol.text) result[at + symbol.text.size()] = ways;
      } else {
        for (const auto& [end, more] : ends(symbol.rule, at)) add(result[end], ways, more);
      }
    }
    return result;
  }

  const std::vector<Grammar::Rule>& rules_;
  std::string_view text_;
  std::map<std::pair<Index, std::size_t>, std::map<std::size_t, Derivations>> memo_;
};

/// What is still to be derived: characters, and rules as numbers from 256.
using Form = std::u32string;

Form form_of(const Grammar::Alternative& alternative) {
  Form form;
  for (const auto& [text, rule] : alternative.symbols) {
    form.append(text.begin(), text.end());
    if (rule != -1) form += static_cast<char32_t>(256 + rule);
  }
  return form;
}

/// Whether a text of one form can begin (or be) a text of the other. Where both go on with the same
/// rule, that rule is taken to go on alike in both (the proof below says why it may be).
bool can_agree(const Grammar& grammar, const Form& first, const Form& second) {
  std::set<std::pair<Form, Form>> seen;
  std::vector<std::pair<Form, Form>> open = {{first, second}};
  while (!open.empty()) {
    auto [a, b] = open.back();
    open.pop_back();
    const auto alike = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
    a.erase(0, alike);
    b.erase(0, alike);
    if (a.empty() || b.empty()) return true;
    if (a[0] < 256) std::swap(a, b);  // a begins with a rule, if either does
    if (a[0] < 256) continue;
    for (const auto& alternative : grammar.rules()[a[0] - 256].alternatives)
      if (std::pair next{form_of(alternative) + a.substr(1), b}; seen.insert(next).second) open.push_back(next);
  }
  return false;
}

/// The names of two alternatives of a rule that a text could begin with alike until one of them ends.
std::vector<std::string> confusable(const Grammar& grammar) {
  std::vector<std::string> found;
  for (const auto& [name, total, alternatives] : grammar.rules())
    for (std::size_t i = 0; i < alternatives.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (can_agree(grammar, form_of(alternatives[j]), form_of(alternatives[i])))
          found.push_back(name + " " + std::to_string(j) + " and " + std::to_string(i));
  return found;
}

std::vector<std::string> sampled_scenes(std::uint64_t seed, int count) {
  Random random(seed, Purpose::corpus);
  std::vector<std::string> scenes(count);
  for (std::string& scene : scenes) builtin_corpus_grammar().sample(random, scene);
  return scenes;
}

/// The length of each scene, and its derivations.
std::vector<std::pair<double, Derivations>> parsed_scenes(std::uint64_t seed, int count) {
  std::vector<std::pair<double, Derivations>> parsed;
  const auto scenes = sampled_scenes(seed, count);
  for (const std::string& scene : scenes) {
    const std::string text = scene + scenes.front();  // the next scene must not blur where this one ends
    Parser parser(builtin_corpus_grammar(), text);
    const auto& ends = parser.ends(0, 0);
    REQUIRE(ends.size() == 1);
    REQUIRE(ends.begin()->first == scene.size());
    parsed.emplace_back(static_cast<double>(scene.size()), ends.begin()->second);
  }
  return parsed;
}

TEST_CASE("the parser of these tests counts and weighs derivations", "[corpus]") {
  const Grammar ambiguous("s = 1: <t> | 3: <t><t>\nt = 1: a | 1: aa");
  Parser parser(ambiguous, "aaa");
  CHECK(parser.ends(0, 0).at(1).count == 1);
  CHECK(parser.ends(0, 0).at(1).nats == Approx(std::log(8)));
  CHECK(parser.ends(0, 0).at(2).count == 2);  // aa, a-a
  CHECK(parser.ends(0, 0).at(3).count == 2);  // a-aa, aa-a
  CHECK(parser.ends(0, 0).at(3).nats == Approx(std::log(16. / 3)));
  CHECK(parser.ends(0, 0).size() == 3);  // aa-aa does not fit
  CHECK(Parser(ambiguous, "ba").ends(0, 0).empty());
}

TEST_CASE("the search of these tests finds alternatives that can be confused", "[corpus]") {
  const auto count = [](const char* rules) { return confusable(Grammar(rules)).size(); };
  CHECK(count("s = a | b") == 0);
  CHECK(count("s = star | stars") == 1);
  CHECK(count("s = <t>. | <t>s.\nt = king | sword") == 0);
  CHECK(count("s = The <t> | The king <t>\nt = king of Orlen | of Orlen") == 1);
  CHECK(count("s = 2: <t>. | 1: <t> <s>\nt = a | b") == 0);
  CHECK(count("s = 2: <t> | 1: <t><s>\nt = a | b") == 1);
}

/// Claim: if no two alternatives of any rule are confusable, then two different derivations from one
/// rule never have texts of which one begins (or is) the other. Otherwise take the smallest such pair.
/// If its first choices differ, the search follows both derivations and reports them, unless it passes
/// a rule that goes on differently in the two. If they are alike, some rule among them goes on
/// differently. Either way the first such rule starts at the same character in both, so of its two
/// texts one begins the other: a smaller pair. With the claim, a text of scenes has one derivation.
TEST_CASE("no text of the play has two derivations: proof over all pairs of alternatives", "[corpus]") {
  REQUIRE(builtin_corpus_grammar().rules().size() > 40);
  CHECK(confusable(builtin_corpus_grammar()) == std::vector<std::string>{});
}

TEST_CASE("sampled scenes have one derivation, and their mean surprise is the entropy", "[corpus]") {
  const double entropy = builtin_corpus_entropy();
  int with_one_derivation = 0;
  double characters = 0, nats = 0, variance = 0;
  for (const auto& [length, ways] : parsed_scenes(7, 400)) {
    with_one_derivation += ways.count == 1;
    characters += length;
    nats += ways.nats;
    variance += std::pow(ways.nats - entropy * length, 2);
  }
  CHECK(with_one_derivation == 400);
  const double standard_error = std::sqrt(variance) / characters;
  CHECK(standard_error < 0.005 * entropy);
  CHECK(std::abs(nats / characters - entropy) < 4 * standard_error);
}

TEST_CASE("no text of scenes says as little as the floor, five standard errors of its length below the entropy",
          "[corpus]") {
  constexpr Index size = 2000;
  int texts = 0;
  double characters = 0, nats = 0, sum = 0, squares = 0, length_of_all = 0;
  for (const auto& [length, ways] : parsed_scenes(8, 2000)) {
    characters += length;
    nats += ways.nats;
    if (characters < size) continue;
    CHECK(nats / characters > builtin_corpus_floor(size));  // of the model that knows the grammar
    sum += nats / characters;
    squares += nats / characters * nats / characters;
    length_of_all += characters;
    ++texts;
    characters = nats = 0;
  }
  REQUIRE(texts > 300);
  const double mean = sum / texts, deviation = std::sqrt(squares / texts - mean * mean);
  const double margin = builtin_corpus_entropy() - builtin_corpus_floor(static_cast<Index>(length_of_all / texts));
  CHECK(margin / deviation == Approx(5).margin(0.6));  // 300 texts tell their deviation to 4 %
  CHECK(builtin_corpus_entropy() - builtin_corpus_floor(4 * size) ==
        Approx((builtin_corpus_entropy() - builtin_corpus_floor(size)) / 2));
}

TEST_CASE("the corpus is scenes one after the other, cut to size", "[corpus]") {
  std::string play;
  for (const std::string& scene : sampled_scenes(11, 30)) play += scene;
  for (const Index characters : {Index{0}, Index{1}, Index{1000}, static_cast<Index>(play.size())})
    CHECK(builtin_corpus(11, characters) == play.substr(0, characters));
  CHECK_THROWS_WITH(builtin_corpus(11, -1), "builtin_corpus: cannot write -1 characters");
}

TEST_CASE("another seed writes another play", "[corpus]") { CHECK(builtin_corpus(1, 500) != builtin_corpus(2, 500)); }

TEST_CASE("the play uses all letters and the signs of a script, and every word of its grammar", "[corpus]") {
  const std::string text = builtin_corpus(1, 1000000);
  REQUIRE(text.size() == 1000000);
  const std::set<char> used(text.begin(), text.end());
  const std::string alphabet = "\n !',-.:;?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]abcdefghijklmnopqrstuvwxyz";
  CHECK(std::string(used.begin(), used.end()) == alphabet);
  for (const auto& rule : builtin_corpus_grammar().rules())
    for (const auto& alternative : rule.alternatives)
      for (const auto& symbol : alternative.symbols)
        if (text.find(symbol.text) == std::string::npos) FAIL_CHECK(rule.name + " never says " + symbol.text);
}

TEST_CASE("the play is the one that it was", "[corpus]") {
  CHECK(builtin_corpus(1, 200) ==
        "SCENE: A prison, at noon.\n\n"
        "[Enter QUENTOR and XANTHE, in haste.]\n\n"
        "QUENTOR:\n"
        "The rusty storm must often serve the crown.\n"
        "I'd give a tomb to hold so true a dove.\n\n"
        "XANTHE:\n"
        "Shall I then burn the hawk that ");
  CHECK(builtin_corpus_entropy() == Approx(0.467020028024786).epsilon(1e-13));
}

}  // namespace builtin_corpus_test
