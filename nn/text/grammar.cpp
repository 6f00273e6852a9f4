#include "nn/text/grammar.hpp"

#include <charconv>
#include <cmath>
#include <map>
#include <sstream>

#include "tensor/error.hpp"

namespace qisa {
namespace {

using RuleNumbers = std::map<std::string, Index, std::less<>>;

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  return first == text.npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// Takes "12:" off the front of an alternative; 1 where there is no such weight.
Index take_weight(std::string_view rule, std::string_view& text) {
  const auto digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == text.npos || text[digits] != ':') return 1;
  int weight = 0;  // an int, so that no sum of weights overflows an Index
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, weight);
  require(error == std::errc() && weight > 0, "grammar: rule <{}>: the weight {} is not in 1 to 2147483647", rule,
          text.substr(0, digits));
  text = trim(text.substr(digits + 1));
  return weight;
}

/// "The <noun> falls" as symbols: "The ", the rule noun, " falls".
std::vector<Grammar::Symbol> parse_symbols(std::string_view rule, std::string_view text, const RuleNumbers& numbers) {
  require(!text.empty(), "grammar: rule <{}> has an empty alternative", rule);
  std::vector<Grammar::Symbol> symbols;
  while (!text.empty()) {
    const auto bracket = text.find_first_of("<>");
    if (bracket != 0) symbols.push_back({std::string(text.substr(0, bracket))});
    if (bracket == text.npos) break;
    const auto close = text.find_first_of("<>", bracket + 1);
    require(text[bracket] == '<' && close != text.npos && text[close] == '>',
            "grammar: rule <{}>: a bracket without its partner in \"{}\"", rule, text.substr(bracket));
    const auto name = text.substr(bracket + 1, close - bracket - 1);
    const auto found = numbers.find(name);
    require(found != numbers.end(), "grammar: rule <{}> uses <{}>, which is not defined", rule, name);
    symbols.push_back({"", found->second});
    text.remove_prefix(close + 1);
  }
  return symbols;
}

Grammar::Rule parse_rule(const std::string& name, const std::string& text, const RuleNumbers& numbers) {
  Grammar::Rule rule;
  rule.name = name;
  std::istringstream alternatives(text + '|');
  for (std::string line; std::getline(alternatives, line, '|');) {
    std::string_view alternative = trim(line);
    const Index weight = take_weight(name, alternative);
    rule.alternatives.push_back({weight, parse_symbols(name, alternative, numbers)});
    rule.total_weight += weight;
  }
  return rule;
}

}  // namespace

Grammar::Grammar(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> rules;  // names and alternatives
  RuleNumbers numbers;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') continue;
    for (std::size_t at; (at = line.find("\\n")) != line.npos;) line.replace(at, 2, 1, '\n');
    const auto equals = line.find(" =");
    require(line.front() == ' ' ? !rules.empty() : equals != line.npos, "grammar: \"{}\" begins no rule", line);
    if (line.front() == ' ') {
      rules.back().second += line;
      continue;
    }
    const std::string name = line.substr(0, equals);
    require(numbers.emplace(name, numbers.size()).second, "grammar: rule <{}> is defined twice", name);
    rules.emplace_back(name, line.substr(equals + 2));
  }
  require(!rules.empty(), "grammar: there are no rules");
  for (const auto& [name, alternatives] : rules) rules_.push_back(parse_rule(name, alternatives, numbers));
  solve_means();
}

void Grammar::sample(Random& random, std::string& text, Index rule) const {
  const Rule& chosen_from = rules_[rule];
  Index ticket = random.below(chosen_from.total_weight);
  auto chosen = chosen_from.alternatives.begin();
  for (; ticket >= chosen->weight; ++chosen) ticket -= chosen->weight;
  for (const Symbol& symbol : chosen->symbols) {
    text += symbol.text;
    if (symbol.rule != -1) sample(random, text, symbol.rule);
  }
}

/// With p_a the probability of alternative a of rule X, and the last sums over the rules Y in a,
///   length(X)  = Σ_a p_a (characters of a + Σ_Y length(Y)),
///   entropy(X) = Σ_a p_a (-ln p_a         + Σ_Y entropy(Y)):
/// (1 - M) x = c twice, where M[X][Y] is how often a choice for X calls Y on average. The means are
/// finite exactly if the spectral radius of M is below 1, and that holds exactly if Gaussian
/// elimination without row exchanges meets only positive pivots (1 - M is then an M-matrix; Berman and
/// Plemmons, "Nonnegative matrices in the mathematical sciences", chapter 6). Rules are eliminated
/// from the last to the first, so the first row ends with the answer and nothing is substituted back.
void Grammar::solve_means() {
  const Index count = std::ssize(rules_), length = count, entropy = count + 1;
  // [1 - M | c of the lengths | c of the entropies]
  std::vector<std::vector<double>> rows(rules_.size(), std::vector<double>(rules_.size() + 2));
  for (Index x = 0; x < count; ++x) {
    rows[x][x] = 1;
    for (const Alternative& alternative : rules_[x].alternatives) {
      const double p = static_cast<double>(alternative.weight) / static_cast<double>(rules_[x].total_weight);
      rows[x][entropy] -= p * std::log(p);
      for (const Symbol& symbol : alternative.symbols) {
        rows[x][length] += p * static_cast<double>(symbol.text.size());
        if (symbol.rule != -1) rows[x][symbol.rule] -= p;
      }
    }
  }
  for (Index y = count - 1; y >= 0; --y) {
    const double pivot = rows[y][y];
    // 0, with room for rounding.
    require(pivot > 1e-9, "grammar: the mean length is infinite: rule <{}> calls itself too often", rules_[y].name);
    for (Index x = 0; x < y; ++x) {
      const double factor = rows[x][y] / pivot;
      if (factor == 0) continue;
      for (Index column = 0; column <= entropy; ++column) rows[x][column] -= factor * rows[y][column];
    }
  }
  expected_length_ = rows[0][length] / rows[0][0];
  entropy_ = rows[0][entropy] / rows[0][0];
}

}  // namespace qisa
