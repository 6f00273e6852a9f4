// Grammars small enough to be solved by hand: how they are read, their means, what is drawn from them.
#include "nn/text/grammar.hpp"

#include <map>

#include "tensor/error.hpp"
#include "tests/catch.hpp"

using namespace qisa;

namespace grammar_test {

/// Rules by name and alternatives.
using Rules = std::vector<std::pair<std::string, std::string>>;

Grammar grammar_of(const Rules& rules) {
  std::string text;
  for (const auto& [name, alternatives] : rules) text += name + " = " + alternatives + "\n";
  return Grammar(text);
}

std::string message_of(const Rules& rules) {
  try {
    grammar_of(rules);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

void check_means(const Rules& rules, double length, double entropy) {
  const Grammar grammar = grammar_of(rules);
  CHECK(grammar.expected_length() == Approx(length).epsilon(1e-14));
  CHECK(grammar.entropy() == Approx(entropy).epsilon(1e-14).margin(1e-15));
}

// Entropies of a choice in nats, worked out apart: 1/4 against 3/4, and 1/3 against 2/3.
constexpr double ln_2 = 0.69314718055994530942;
constexpr double quarter = 0.56233514461880835281;
constexpr double third = 0.63651416829481278005;

TEST_CASE("a rule is read as weighted alternatives of texts and rules", "[grammar]") {
  const Grammar grammar("line = 12: The <a noun> falls.\\n|<a noun>: 3 | 1:2:<a noun><a noun>\na noun = king");
  REQUIRE(grammar.rules().size() == 2);
  const Grammar::Rule& line = grammar.rules()[0];
  CHECK(line.name == "line");
  CHECK(line.total_weight == 14);
  const auto written = [](const Grammar::Alternative& alternative) {
    std::string text = std::to_string(alternative.weight);
    for (const auto& [piece, rule] : alternative.symbols)
      text += rule == -1 ? "[" + piece + "]" : "(" + piece + std::to_string(rule) + ")";
    return text;
  };
  REQUIRE(line.alternatives.size() == 3);
  CHECK(written(line.alternatives[0]) == "12[The ](1)[ falls.\n]");
  CHECK(written(line.alternatives[1]) == "1(1)[: 3]");
  CHECK(written(line.alternatives[2]) == "1[2:](1)(1)");
  CHECK(grammar.rules()[1].total_weight == 1);
}

TEST_CASE("mean length and entropy equal those worked out by hand", "[grammar]") {
  SECTION("one text") { check_means({{"s", "abc"}}, 3, 0); }
  SECTION("one choice") { check_means({{"s", "3: a | 1: bb"}}, 1.25, quarter); }
  SECTION("a choice made twice") { check_means({{"s", "<t>-<t>"}, {"t", "3: a | 1: bb"}}, 3.5, 2 * quarter); }
  SECTION("a choice made with probability 1/2") {
    check_means({{"s", "x | <t>"}, {"t", "3: a | 1: bb"}}, (1 + 1.25) / 2, ln_2 + quarter / 2);
  }
  SECTION("right recursion: on average 4 letters, a choice each") {
    check_means({{"s", "1: a | 3: a<s>"}}, 4, 4 * quarter);
  }
  SECTION("left recursion") { check_means({{"s", "1: a | 3: <s>a"}}, 4, 4 * quarter); }
  SECTION("branching: H = third + 2/3 H, L = 2/3 + 2/3 L") { check_means({{"s", "2: a | 1: <s><s>"}}, 2, 3 * third); }
  SECTION("rules that call each other: A = 1 + B/2 and B = 4/3 + A/3; H(A) = ln 2 + H(B)/2, H(B) = third + H(A)/3") {
    const double entropy_a = (ln_2 + third / 2) * 6 / 5;
    check_means({{"a", "x | y<b>"}, {"b", "2: z | 1: zz<a>"}}, 2, entropy_a);
    check_means({{"b", "2: z | 1: zz<a>"}, {"a", "x | y<b>"}}, 2, third + entropy_a / 3);
  }
  SECTION("nearly endless: a million letters") {
    const Grammar grammar = grammar_of({{"s", "1: a | 999999: a<s>"}});
    CHECK(grammar.expected_length() == Approx(1e6).epsilon(1e-9));
  }
}

TEST_CASE("a grammar that cannot be used is refused with the name of the rule", "[grammar]") {
  CHECK(message_of({}) == "grammar: there are no rules");
  CHECK(message_of({{"s", "a"}, {"s", "b"}}) == "grammar: rule <s> is defined twice");
  CHECK(message_of({{"s", "a <noun>"}}) == "grammar: rule <s> uses <noun>, which is not defined");
  CHECK(message_of({{"s", "1: a | 0: b"}}) == "grammar: rule <s>: the weight 0 is not in 1 to 2147483647");
  CHECK(message_of({{"s", "2147483648: b"}}) == "grammar: rule <s>: the weight 2147483648 is not in 1 to 2147483647");
  CHECK(message_of({{"s", ""}}) == "grammar: rule <s> has an empty alternative");
  CHECK(message_of({{"s", "a | | b"}}) == "grammar: rule <s> has an empty alternative");
  CHECK(message_of({{"s", "a | 3: "}}) == "grammar: rule <s> has an empty alternative");
  CHECK(message_of({{"s", "a <t"}, {"t", "b"}}) == "grammar: rule <s>: a bracket without its partner in \"<t\"");
  CHECK(message_of({{"s", "a <t<t>"}, {"t", "b"}}) == "grammar: rule <s>: a bracket without its partner in \"<t<t>\"");
  CHECK(message_of({{"s", "a > b"}}) == "grammar: rule <s>: a bracket without its partner in \"> b\"");
}

TEST_CASE("a grammar whose mean length is infinite is refused", "[grammar]") {
  const auto endless = [](const Rules& rules) {
    return message_of(rules).find("the mean length is infinite: rule <") != std::string::npos;
  };
  CHECK(endless({{"s", "a<s>"}}));
  CHECK(endless({{"s", "<s>"}}));
  CHECK(endless({{"s", "a | <s><s>"}}));           // ends, but after infinitely many letters on average
  CHECK(endless({{"s", "2: a | 1: <s><s><s>"}}));  // the same, with probabilities that are rounded
  CHECK(endless({{"s", "1: a | 2: <s><s>"}}));     // with probability 1/2 it never ends
  CHECK(endless({{"s", "a<t>"}, {"t", "b<u>"}, {"u", "c<t>"}}));
  CHECK(endless({{"s", "a | <t>"}, {"t", "<s><s>"}}));
  CHECK_FALSE(endless({{"s", "3: a | 2: <s><s>"}}));
}

TEST_CASE("alternatives are drawn as often as their weights say", "[grammar]") {
  const Grammar grammar = grammar_of({{"s", "5: a | <t> | 2: c"}, {"t", "b"}});
  Random random(3, Purpose::tests);
  std::string text;
  constexpr int draws = 80000;
  for (int i = 0; i < draws; ++i) grammar.sample(random, text);
  std::map<char, double> counts;
  for (const char letter : text) ++counts[letter];
  REQUIRE(text.size() == draws);
  const std::map<char, double> expected = {{'a', 50000}, {'b', 10000}, {'c', 20000}};
  double chi_square = 0;
  for (const auto& [letter, count] : expected)
    chi_square += (counts[letter] - count) * (counts[letter] - count) / count;
  CHECK(chi_square < 13.8);  // two degrees of freedom: exceeded with probability 0.001
}

TEST_CASE("drawn texts are as long as the mean length says", "[grammar]") {
  const Grammar grammar = grammar_of({{"a", "x | y<b>"}, {"b", "2: z | 1: zz<a>"}});  // mean 2 (see above)
  Random random(4, Purpose::tests);
  std::string text;
  constexpr int draws = 40000;
  for (int i = 0; i < draws; ++i) grammar.sample(random, text);
  // The variance of A, by the same equations, is 2.4: five standard deviations of the sum are 1550.
  CHECK(static_cast<double>(text.size()) == Approx(2.0 * draws).margin(1550));
}

TEST_CASE("a drawn text is appended", "[grammar]") {
  const Grammar grammar = grammar_of({{"s", "<t>!"}, {"t", "oh"}});
  Random random(5, Purpose::tests);
  std::string text = "well, ";
  grammar.sample(random, text);
  CHECK(text == "well, oh!");
}

TEST_CASE("a grammar is read from a text of rules, remarks and lines that go on", "[grammar]") {
  const Grammar grammar("# who falls\n\nline = 3: The <noun> falls.\\n |\n  1: <noun>!\n\nnoun = king\n");
  REQUIRE(grammar.rules().size() == 2);
  CHECK(grammar.rules()[0].name == "line");
  CHECK(grammar.rules()[0].total_weight == 4);
  REQUIRE(grammar.rules()[0].alternatives.size() == 2);
  CHECK(grammar.rules()[0].alternatives[0].symbols.back().text == " falls.\n");
  CHECK(grammar.rules()[0].alternatives[1].symbols.front().rule == 1);
  CHECK_THROWS_WITH(Grammar("noun king\n"), "grammar: \"noun king\" begins no rule");
  CHECK_THROWS_WITH(Grammar("  | queen\nnoun = king\n"), "grammar: \"  | queen\" begins no rule");
}

}  // namespace grammar_test
