// How close a generated text is to the true one: the three text metrics of arXiv:2603.03318.
//
// White space is what Python's str.isspace says. All three are for one pair of texts; a table shows
// mean_and_deviation over many.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace qisa {

/// Levenshtein distance in characters (white space included) / the target's length; 0 for an empty
/// target. Can exceed 1.
double character_error_rate(std::u32string_view target, std::u32string_view hypothesis);

/// Levenshtein distance in words / the target's number of words. Can exceed 1; nothing for a target
/// without words. As in the package jiwer, words end at a blank, at two or more white-space
/// characters and at either end of the text: a lone newline or tab stays inside a word.
std::optional<double> word_error_rate(std::u32string_view target, std::u32string_view hypothesis);

/// BLEU-4 (Papineni et al., ACL 2002) of one sentence against one reference, from 0 to 1. Words end at
/// any white space. An order without a match counts 0.1 matches (method 1 of Chen and Cherry, WMT
/// 2014), also where the hypothesis has fewer words than the order: so a perfect hypothesis of fewer
/// than four words scores below 1. Without a common word BLEU is 0.
double bleu(std::u32string_view target, std::u32string_view hypothesis);

/// Mean and population standard deviation (the root of the mean square distance from the mean).
struct MeanAndDeviation {
  double mean = 0, deviation = 0;
};

/// Throws when there are no values.
MeanAndDeviation mean_and_deviation(std::span<const double> values);

}  // namespace qisa
