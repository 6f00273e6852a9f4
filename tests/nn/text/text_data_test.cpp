// The split of a text, and batches of windows.
#include "nn/text/text_data.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <utility>

#include "tensor/error.hpp"
#include "tests/catch.hpp"

using namespace qisa;

namespace text_data_test {

using Tokens = std::vector<std::int32_t>;

/// 0, 1, 2, …: every token says where in the text it stands.
Tokens positions(Index count, std::int32_t first = 0) {
  Tokens tokens(static_cast<std::size_t>(count));
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

/// Row `row` of a [sequences, length] array.
Tokens row_of(const Tokens& array, Index row, Index length) {
  return Tokens(array.begin() + row * length, array.begin() + (row + 1) * length);
}

TEST_CASE("a split keeps the order: the first nine tenths train, the rest validates", "[text_data]") {
  const std::vector<std::pair<Index, Index>> sizes = {{19, 17},  {20, 18},  {30, 27},  {100, 90},
                                                      {109, 98}, {110, 99}, {111, 99}, {1115394, 1003854}};
  for (const auto& [size, train_size] : sizes) {
    CAPTURE(size);
    const TextData data = split(positions(size), 1);
    CHECK(std::ranges::equal(data.train(), positions(train_size)));
    CHECK(std::ranges::equal(data.validation(), positions(size - train_size, static_cast<std::int32_t>(train_size))));
  }
}

TEST_CASE("a split by another fraction", "[text_data]") {
  CHECK(split(positions(100), 4, 0.25).train().size() == 75);
  CHECK(split(positions(100), 4, 0.3).train().size() == 70);
  CHECK(split(positions(10), 1, 0.7).train().size() == 3);
  for (const double fraction : {0.0, 1.0, -0.1, 1.5}) CHECK_THROWS_AS(split(positions(100), 4, fraction), Error);
}

TEST_CASE("a split needs one window in each part", "[text_data]") {
  CHECK(split(positions(161), 16).validation().size() == 17);
  CHECK_THROWS_WITH(split(positions(160), 16),
                    "the validation part has 16 of the text's 160 tokens, but block_size 16 needs at least 17: take a "
                    "longer text or a smaller block_size");
  CHECK_THROWS_WITH(split(positions(20), 16, 0.9),
                    "the training part has 2 of the text's 20 tokens, but block_size 16 needs at least 17: take a "
                    "longer text or a smaller block_size");
  CHECK_THROWS_AS(split({}, 16), Error);
  CHECK_THROWS_AS(split(positions(100), 0), Error);
}

TEST_CASE("the targets of a random batch are its inputs shifted by one", "[text_data]") {
  const Tokens text = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
  const Batch batch = draw_rows(text, 0, 20, 5, 1, 0);
  REQUIRE(batch.sequences == 20);
  REQUIRE(batch.inputs.size() == 100);
  REQUIRE(batch.targets.size() == 100);
  for (Index row = 0; row < 20; ++row) {
    Tokens window = row_of(batch.inputs, row, 5);
    window.push_back(batch.targets[row * 5 + 4]);
    CHECK(row_of(batch.targets, row, 5) == Tokens(window.begin() + 1, window.end()));
    CHECK(std::search(text.begin(), text.end(), window.begin(), window.end()) != text.end());
  }
}

TEST_CASE("a random batch is the same however its rows are cut into shards", "[text_data]") {
  const Tokens text = positions(1000);
  const Batch whole = draw_rows(text, 0, 12, 8, 7, 3);
  for (const Index rows : {1, 3, 4, 6}) {
    Tokens inputs, targets;
    for (Index first = 12 - rows; first >= 0; first -= rows) {  // the last shard first
      const Batch shard = draw_rows(text, first, rows, 8, 7, 3);
      CHECK(shard.sequences == rows);
      inputs.insert(inputs.begin(), shard.inputs.begin(), shard.inputs.end());
      targets.insert(targets.begin(), shard.targets.begin(), shard.targets.end());
    }
    CHECK(inputs == whole.inputs);
    CHECK(targets == whole.targets);
  }
}

TEST_CASE("another seed, step or row draws other windows", "[text_data]") {
  const Tokens text = positions(1'000'000);
  std::set<std::int32_t> starts;
  for (const std::uint64_t seed : {0ull, 1ull, 1ull << 32})
    for (const std::uint32_t step : {0u, 1u, 2u})
      for (const std::int32_t start : draw_rows(text, 0, 4, 1, seed, step).inputs) starts.insert(start);
  CHECK(starts.size() >= 35);  // of 36; two draws of a million seldom meet
}

TEST_CASE("random windows start everywhere alike, the first and the last place included", "[text_data]") {
  constexpr Index places = 50, length = 8, steps = 100, sequences = 100;
  const Tokens text = positions(places + length);
  std::vector<int> count(places);
  for (std::uint32_t step = 0; step < steps; ++step) {
    const Batch batch = draw_rows(text, 0, sequences, length, 42, step);
    for (Index row = 0; row < sequences; ++row) ++count.at(batch.inputs[row * length]);
  }
  const double expected = static_cast<double>(steps * sequences) / places;
  double chi_square = 0;
  for (const int n : count) chi_square += (n - expected) * (n - expected) / expected;
  // 49 degrees of freedom: mean 49, standard deviation 9.9. Too even is as wrong as too uneven.
  CHECK(chi_square > 15);
  CHECK(chi_square < 100);
}

TEST_CASE("a text of just one window gives that window, a shorter one is refused", "[text_data]") {
  CHECK(draw_rows(positions(5), 0, 2, 4, 9, 9).inputs == Tokens{0, 1, 2, 3, 0, 1, 2, 3});
  CHECK(draw_rows(positions(5), 0, 2, 4, 9, 9).targets == Tokens{1, 2, 3, 4, 1, 2, 3, 4});
  CHECK_THROWS_WITH(draw_rows(positions(4), 0, 2, 4, 9, 9), "a window of length 4 needs 5 tokens, but there are 4");
  CHECK_THROWS_AS(draw_rows({}, 0, 2, 4, 9, 9), Error);
  CHECK_THROWS_AS(draw_rows(positions(5), 0, 2, 0, 9, 9), Error);
}

TEST_CASE("windows side by side predict every token once, up to an incomplete window", "[text_data]") {
  for (const auto& [size, length, count] : std::vector<std::array<Index, 3>>{
           {0, 4, 0}, {1, 4, 0}, {4, 4, 0}, {5, 4, 1}, {8, 4, 1}, {9, 4, 2}, {101, 10, 10}, {102, 10, 10}, {7, 1, 6}}) {
    CAPTURE(size, length);
    const Tokens text = positions(size);
    REQUIRE(window_count(text, length) == count);
    const Batch all = windows(text, 0, count, length);
    CHECK(all.sequences == count);
    CHECK(all.inputs == positions(count * length));
    CHECK(all.targets == positions(count * length, 1));
  }
}

TEST_CASE("windows may be taken from the middle, but not beyond the last", "[text_data]") {
  const Tokens text = positions(21);  // five windows of 4
  const Batch batch = windows(text, 3, 2, 4);
  CHECK(batch.inputs == positions(8, 12));
  CHECK(batch.targets == positions(8, 13));
  CHECK_THROWS_WITH(windows(text, 3, 3, 4), "windows 3 to 5 are not all there: 21 tokens have 5 windows of length 4");
  CHECK_THROWS_AS(windows(text, -1, 2, 4), Error);
  CHECK_THROWS_AS(windows(text, 6, 0, 4), Error);
  CHECK_THROWS_AS(windows(text, 0, 1, 0), Error);
}

}  // namespace text_data_test
