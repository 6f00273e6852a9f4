// A probabilistic context-free grammar: rules with weighted alternatives, texts drawn from them, and
// the exact mean length and entropy of such a text. The built-in corpus is written in one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tensor/random.hpp"

namespace qisa {

class Grammar {
 public:
  /// A piece of text or, where `rule` is not -1, the place of a text of that rule.
  struct Symbol {
    std::string text;
    Index rule = -1;
  };

  /// What a rule can stand for, chosen with probability weight / (sum of the rule's weights).
  struct Alternative {
    Index weight;
    std::vector<Symbol> symbols;
  };

  struct Rule {
    std::string name;
    Index total_weight = 0;
    std::vector<Alternative> alternatives;
  };

  /// The grammar that a text holds. A rule is "name = alternatives"; its lines after the first begin with a space, \n
  /// is a line break, lines that begin with # are remarks. A bar stands between alternatives, a number and a colon
  /// before one is its weight (1 unless given), a name in angle brackets is the place of another rule: "3: The <noun>
  /// <verb>s. | Alas, <noun>!". Spaces at the ends of an alternative are no part of it. Throws Error, naming the rule
  /// or the line, for: no rules, a line that is none of these, a name given twice, a weight below 1, an empty
  /// alternative, a bracket without its partner, an undefined name, an infinite mean length.
  explicit Grammar(std::string_view text);

  /// The rules, in the order given. A text of the grammar is a text of the first.
  const std::vector<Rule>& rules() const { return rules_; }

  /// Draws a text of a rule, choice after choice from left to right, and appends it to `text`.
  void sample(Random& random, std::string& text, Index rule = 0) const;

  /// Mean length of a text, in characters.
  double expected_length() const { return expected_length_; }

  /// Entropy of the choices that make a text, in nats. It is the entropy of the text itself where the
  /// grammar is unambiguous: where no text can come from two series of choices.
  double entropy() const { return entropy_; }

 private:
  void solve_means();

  std::vector<Rule> rules_;
  double expected_length_ = 0;
  double entropy_ = 0;
};

}  // namespace qisa
