// Character error rate, word error rate and BLEU, against values of the usual Python packages
// (tests/golden/text_metrics.json) and small cases by hand.
#include "nn/text/text_metrics.hpp"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "nn/text/utf8.hpp"
#include "tensor/error.hpp"
#include "tests/catch.hpp"

using namespace qisa;

namespace text_metrics_test {

constexpr double tolerance = 1e-12;

nlohmann::json golden() {
  const char* folder = std::getenv("QISA_GOLDEN_DIR");
  const std::string path = (folder ? folder : QISA_SOURCE_DIR "/tests/golden") + std::string("/text_metrics.json");
  std::ifstream file(path);
  INFO("the file of golden values is " << path);
  REQUIRE(file.is_open());
  return nlohmann::json::parse(file);
}

struct Pair {
  std::u32string target, hypothesis;
  explicit Pair(const nlohmann::json& pair)
      : target(decode_utf8(pair.at("target").get<std::string>())),
        hypothesis(decode_utf8(pair.at("hypothesis").get<std::string>())) {}
};

TEST_CASE("text metrics: CER, WER and BLEU of the golden pairs", "[text_metrics]") {
  const nlohmann::json file = golden();
  REQUIRE_FALSE(file.at("pairs").empty());
  std::vector<double> cer, wer, bleu_scores;
  for (const nlohmann::json& expected : file.at("pairs")) {
    CAPTURE(expected.at("name").get<std::string>());
    const Pair pair(expected);
    cer.push_back(character_error_rate(pair.target, pair.hypothesis));
    wer.push_back(word_error_rate(pair.target, pair.hypothesis).value());
    bleu_scores.push_back(bleu(pair.target, pair.hypothesis));
    CHECK(std::abs(cer.back() - expected.at("cer").get<double>()) <= tolerance);
    CHECK(std::abs(wer.back() - expected.at("wer").get<double>()) <= tolerance);
    CHECK(std::abs(bleu_scores.back() - expected.at("bleu").get<double>()) <= tolerance);
  }
  for (const auto& [name, values] : {std::pair("cer", cer), std::pair("wer", wer), std::pair("bleu", bleu_scores)}) {
    CAPTURE(name);
    const MeanAndDeviation over_pairs = mean_and_deviation(values);
    const nlohmann::json& expected = file.at("aggregate").at(name);
    CHECK(std::abs(over_pairs.mean - expected.at("mean").get<double>()) <= tolerance);
    CHECK(std::abs(over_pairs.deviation - expected.at("std").get<double>()) <= tolerance);
  }
}

TEST_CASE("text metrics: a target without words has CER and BLEU, but no WER", "[text_metrics]") {
  const nlohmann::json file = golden();
  REQUIRE_FALSE(file.at("unsure").empty());
  for (const nlohmann::json& expected : file.at("unsure")) {
    CAPTURE(expected.at("name").get<std::string>());
    const Pair pair(expected);
    CHECK(std::abs(character_error_rate(pair.target, pair.hypothesis) - expected.at("cer").get<double>()) <= tolerance);
    CHECK(std::abs(bleu(pair.target, pair.hypothesis) - expected.at("bleu").get<double>()) <= tolerance);
    CHECK(expected.at("wer").is_null());
    CHECK_FALSE(word_error_rate(pair.target, pair.hypothesis).has_value());
  }
}

TEST_CASE("text metrics: CER counts insertions, deletions and replacements of characters", "[text_metrics]") {
  CHECK(character_error_rate(U"kitten", U"sitting") == Approx(3.0 / 6));
  CHECK(character_error_rate(U"sitting", U"kitten") == Approx(3.0 / 7));
  CHECK(character_error_rate(U"abc", U"") == 1);
  CHECK(character_error_rate(U"a", U"bcd") == 3);
  CHECK(character_error_rate(U"ab", U"ba") == 1);             // a swap is two edits
  CHECK(character_error_rate(U"\U0001F600b", U"ab") == 0.5);  // one code point, four bytes
  CHECK(character_error_rate(U"", U"abc") == 0);
}

TEST_CASE("text metrics: for WER a lone newline or tab joins words, longer white space ends them", "[text_metrics]") {
  CHECK(word_error_rate(U"a b c d", U"a x c") == 0.5);  // one replaced, one missing
  CHECK(word_error_rate(U"a\nb c", U"a\nb  c") == 0.0);
  CHECK(word_error_rate(U"a\nb c", U"a b c") == 1.0);  // target: "a\nb", "c"; one replaced, one more
  CHECK(word_error_rate(U"a\n\nb c", U"\n a\t b\u00A0\u2003c\n") == 0.0);
  CHECK(word_error_rate(U"a\u00A0b", U"a b") == 2.0);        // a lone no-break space joins, too
  CHECK(word_error_rate(U"a\u200B\u200Bb", U"a b") == 2.0);  // a zero-width space is no white space
  CHECK(word_error_rate(U"\t", U"") == std::nullopt);
}

TEST_CASE("text metrics: words end at each of the 29 characters that Python takes for white space, at no others",
          "[text_metrics]") {
  const std::u32string white =
      U"\t\n\v\f\r\x1C\x1D\x1E\x1F "
      U"\x85\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u2028"
      U"\u2029\u202F\u205F\u3000";
  CHECK(white.size() == 29);
  std::vector<std::uint32_t> wrong;
  for (char32_t c = 0; c < 0x4000; ++c) {
    const bool ends = word_error_rate(U"a b", std::u32string{U'a', c, c, U'b'}) == 0;
    if (ends != (white.find(c) != white.npos)) wrong.push_back(c);
  }
  CHECK(wrong == std::vector<std::uint32_t>{});
}

TEST_CASE("text metrics: BLEU by hand", "[text_metrics]") {
  // Precisions 4/5, 2/4, 1/3 and (smoothed) 0.1/2; equal lengths.
  CHECK(bleu(U"a b c d e", U"a b c x e") ==
        Approx(std::pow(4. / 5 * 2 / 4 * 1 / 3 * 0.1 / 2, 0.25)).epsilon(tolerance));
  // "a" is matched as often as the target has it, twice: 2/3, 1/2, 0.1/1 and 0.1/1.
  CHECK(bleu(U"a a b", U"a\na\na") == Approx(std::pow(2. / 3 * 1 / 2 * 0.1 * 0.1, 0.25)).epsilon(tolerance));
  // All precisions 1, but four words of six: brevity penalty exp(1 - 6/4).
  CHECK(bleu(U"a b c d e f", U"a b c d") == Approx(std::exp(-0.5)).epsilon(tolerance));
  // Longer than the target: no penalty; 4/5, 3/4, 2/3, 1/2.
  CHECK(bleu(U"a b c d", U"a b c d e") == Approx(std::pow(4. / 5 * 3 / 4 * 2 / 3 * 1 / 2, 0.25)).epsilon(tolerance));
  CHECK(bleu(U"a b c d", U"e f g h") == 0);
}

TEST_CASE("text metrics: the deviation is that of the population", "[text_metrics]") {
  const std::vector<double> values = {2, 4, 4, 4, 5, 5, 7, 9};
  CHECK(mean_and_deviation(values).mean == 5);
  CHECK(mean_and_deviation(values).deviation == 2);
  CHECK(mean_and_deviation(std::vector{3.5}).deviation == 0);
  CHECK_THROWS_AS(mean_and_deviation({}), Error);
}

}  // namespace text_metrics_test
