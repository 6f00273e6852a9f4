#include "nn/text/text_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <utility>
#include <vector>

#include "tensor/error.hpp"

namespace qisa {
namespace {

using Words = std::vector<std::u32string_view>;

/// Unicode's white space and the information separators U+001C … U+001F, as Python counts them.
bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/// The words between the runs of white space for which separates(run) holds. Runs at the ends of the
/// text always do.
template <class Separates>
Words split_words(std::u32string_view text, Separates separates) {
  Words words;
  std::size_t word = 0;  // where the present word begins
  for (std::size_t at = 0, end = 0; at < text.size(); at = std::max(end, at + 1)) {
    end = std::find_if_not(text.begin() + at, text.end(), is_white_space) - text.begin();
    const bool at_an_end = at == 0 || end == text.size();
    if (end == at || !(at_an_end || separates(text.substr(at, end - at)))) continue;
    if (at > word) words.push_back(text.substr(word, at - word));
    word = end;
  }
  if (word < text.size()) words.push_back(text.substr(word));
  return words;
}

/// The least number of insertions, deletions and replacements that turn `from` into `to`.
/// (Levenshtein; by Wagner and Fischer, J. ACM 1974, with one row of the table in memory.)
template <class Sequence>
double edit_distance(const Sequence& from, const Sequence& to) {
  std::vector<std::size_t> row(to.size() + 1);  // row[j]: from the first i items to the first j
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return static_cast<double>(row.back());
}

/// All runs of `order` words, sorted.
std::vector<Words> sorted_ngrams(const Words& words, std::size_t order) {
  std::vector<Words> ngrams;
  for (std::size_t end = order; end <= words.size(); ++end)
    ngrams.emplace_back(words.begin() + (end - order), words.begin() + end);
  std::sort(ngrams.begin(), ngrams.end());
  return ngrams;
}

}  // namespace

double character_error_rate(std::u32string_view target, std::u32string_view hypothesis) {
  if (target.empty()) return 0;
  return edit_distance(target, hypothesis) / static_cast<double>(target.size());
}

std::optional<double> word_error_rate(std::u32string_view target, std::u32string_view hypothesis) {
  const auto separates = [](std::u32string_view run) { return run.size() > 1 || run == U" "; };
  const Words target_words = split_words(target, separates);
  if (target_words.empty()) return std::nullopt;
  return edit_distance(target_words, split_words(hypothesis, separates)) / static_cast<double>(target_words.size());
}

double bleu(std::u32string_view target, std::u32string_view hypothesis) {
  const auto always = [](std::u32string_view) { return true; };
  const Words target_words = split_words(target, always), hypothesis_words = split_words(hypothesis, always);
  double log_precision = 0;
  for (std::size_t order = 1; order <= 4; ++order) {
    const std::vector<Words> ngrams = sorted_ngrams(hypothesis_words, order);
    const std::vector<Words> target_ngrams = sorted_ngrams(target_words, order);
    // An n-gram that occurs a times here and b times there is min(a, b) times in the intersection.
    std::vector<Words> matches;
    std::set_intersection(ngrams.begin(), ngrams.end(), target_ngrams.begin(), target_ngrams.end(),
                          std::back_inserter(matches));
    if (order == 1 && matches.empty()) return 0;
    const double matched = matches.empty() ? 0.1 : static_cast<double>(matches.size());
    log_precision += std::log(matched / static_cast<double>(std::max<std::size_t>(ngrams.size(), 1))) / 4;
  }
  const double length_ratio = static_cast<double>(target_words.size()) / static_cast<double>(hypothesis_words.size());
  const double log_brevity_penalty = std::min(0.0, 1 - length_ratio);
  return std::exp(log_brevity_penalty + log_precision);
}

MeanAndDeviation mean_and_deviation(std::span<const double> values) {
  require(!values.empty(), "no values have no mean");
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {.mean = mean, .deviation = std::sqrt(squares / count)};
}

}  // namespace qisa
