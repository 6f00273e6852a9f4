// Pauli strings: their matrices against Kronecker products, and the distribution they are drawn from.
#include "quantum/pauli.hpp"

#include "tensor/error.hpp"
#include "tests/catch.hpp"
#include "tests/quantum/dense.hpp"

namespace pauli_test {

using namespace qisa;
using Catch::Matchers::Message;

/// All 4^wires strings of I, X, Y, Z.
std::vector<std::string> all_strings(int wires) {
  std::vector<std::string> result = {""};
  for (int wire = 0; wire < wires; ++wire) {
    std::vector<std::string> longer;
    for (const auto& text : result) {
      for (const char pauli : {'I', 'X', 'Y', 'Z'}) longer.push_back(text + pauli);
    }
    result = longer;
  }
  return result;
}

std::vector<std::string> drawn(std::uint64_t seed, int wires, int count) {
  Random random(seed, Purpose::pauli_strings);
  std::vector<std::string> result;
  for (const PauliString& string : draw_pauli_strings(random, wires, count)) result.push_back(string.text());
  return result;
}

TEST_CASE("Pauli strings: phases and flips give the Kronecker product of every string on 3 wires") {
  const auto strings = all_strings(3);
  REQUIRE(strings.size() == 64);
  for (const auto& text : strings) {
    CAPTURE(text);
    const PauliString string(text);
    dense::Matrix matrix(8);
    for (Index i = 0; i < 8; ++i) {
      matrix(static_cast<std::size_t>(i ^ string.flips()), static_cast<std::size_t>(i)) = string.phase(i);
    }
    CHECK(dense::distance(matrix, dense::pauli_string(text)) == 0);
  }
}

TEST_CASE("Pauli strings: character k acts on wire k, wire 0 on the most significant bit") {
  const PauliString string("IXYZ");
  CHECK(string.text() == "IXYZ");
  CHECK(string.wires() == 4);
  CHECK(string.flips() == 0b0110);
  CHECK(string.signs() == 0b0011);
  CHECK(string.number_of_y() == 1);
  CHECK(string == PauliString("IXYZ"));
  CHECK_FALSE(string == PauliString("IXYY"));
}

TEST_CASE("Pauli strings: errors name the string and the place") {
  CHECK_THROWS_MATCHES(PauliString(""), Error, Message("a Pauli string has 1 to 16 characters, not 0"));
  CHECK_THROWS_MATCHES(PauliString(std::string(17, 'X')), Error,
                       Message("a Pauli string has 1 to 16 characters, not 17"));
  CHECK_THROWS_MATCHES(PauliString("XIz"), Error, Message("Pauli string \"XIz\": character 2 must be I, X, Y or Z"));
}

TEST_CASE("draw_pauli_strings: each string comes as often as its probability says") {
  constexpr int wires = 3, count = 100'000;
  std::map<std::string, int> counts;
  for (const auto& text : drawn(3, wires, count)) ++counts[text];
  CHECK(counts.count("III") == 0);

  for (const auto& text : all_strings(wires)) {
    if (text == "III") continue;
    // Characters are independent, I with 0.9 and X, Y, Z with 0.1 / 3 each, given that not all are I.
    double probability = 1 / (1 - std::pow(0.9, wires));
    for (const char pauli : text) probability *= pauli == 'I' ? 0.9 : 0.1 / 3;
    const double expected = probability * count;
    CAPTURE(text, expected, counts[text]);
    CHECK(std::abs(counts[text] - expected) < 5 * std::sqrt(expected));  // five standard deviations
  }
}

TEST_CASE("draw_pauli_strings: on 7 wires I, X, Y and Z come as often as they should") {
  constexpr int wires = 7, count = 20'000;
  std::string characters;
  for (const auto& text : drawn(4, wires, count)) characters += text;
  REQUIRE(characters.size() == wires * count);
  const double not_all_identity = 1 - std::pow(0.9, wires);
  for (const char pauli : {'I', 'X', 'Y', 'Z'}) {
    // P(this character and not all I) / P(not all I); beside an I, some other wire must not be I.
    const double joint = pauli == 'I' ? 0.9 * (1 - std::pow(0.9, wires - 1)) : 0.1 / 3;
    const double expected = joint / not_all_identity;
    const auto seen = std::count(characters.begin(), characters.end(), pauli);
    const double frequency = static_cast<double>(seen) / static_cast<double>(characters.size());
    CAPTURE(pauli, expected, frequency);
    CHECK(std::abs(frequency - expected) < 0.003);  // four standard deviations or more
  }
}

TEST_CASE("draw_pauli_strings: on one wire I alone is never drawn") {
  const auto strings = drawn(5, 1, 300);
  REQUIRE(strings.size() == 300);
  for (const char* text : {"X", "Y", "Z"}) CHECK(std::count(strings.begin(), strings.end(), text) > 50);
  CHECK(std::count(strings.begin(), strings.end(), "I") == 0);
}

TEST_CASE("draw_pauli_strings: the seed decides, and fewer strings are the first of more") {
  const auto strings = drawn(6, 5, 20);
  CHECK(drawn(6, 5, 20) == strings);
  CHECK(drawn(7, 5, 20) != strings);
  CHECK(drawn(6, 5, 8) == std::vector(strings.begin(), strings.begin() + 8));
  CHECK(drawn(6, 5, 0).empty());
}

}  // namespace pauli_test
