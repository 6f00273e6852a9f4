#include "quantum/observables.hpp"

#include <algorithm>
#include <bit>
#include <map>

#include "quantum/program.hpp"
#include "tensor/error.hpp"

namespace qisa {
namespace {

/// Of each pair k, k xor flips, products are made for the k whose bit `split`, the highest of flips, is 0.
Index split_bit(Index flips) { return static_cast<Index>(std::bit_floor(static_cast<std::uint64_t>(flips))); }

/// The bits of `value` at the ones of `mask`, moved together.
Index gather_bits(Index value, Index mask) {
  Index result = 0;
  for (Index bit = 1, to = 1; bit <= mask; bit <<= 1) {
    if ((mask & bit) == 0) continue;
    if ((value & bit) != 0) result |= to;
    to <<= 1;
  }
  return result;
}

}  // namespace

Observables::Observables(std::vector<PauliString> strings) : strings_(std::move(strings)) {
  check(!strings_.empty(), "observables need at least one Pauli string");
  std::map<std::pair<bool, Index>, std::vector<std::size_t>> by_products;
  for (std::size_t m = 0; m < strings_.size(); ++m) {
    const PauliString& string = strings_[m];
    check(string.wires() == wires(), "Pauli strings \"{}\" and \"{}\" have different lengths", strings_[0].text(),
          string.text());
    by_products[{string.number_of_y() % 2 == 1, string.flips()}].push_back(m);
  }

  const Index dimension = Index{1} << wires();
  row_of_.resize(static_cast<std::size_t>(dimension) * by_products.size());
  for (const auto& [key, members] : by_products) {
    const auto [odd_y, flips] = key;
    const Index split = split_bit(flips);
    Index kept = 0;  // the bits on which the sign of some string depends
    for (const std::size_t m : members) kept |= strings_[m].signs() & ~split;

    Group group{odd_y, flips, rows_, Index{1} << std::popcount(static_cast<std::uint64_t>(kept)), {}, {}, {}};
    for (Index k = 0; k < dimension; ++k) {
      if ((k & split) == 0) group.states.push_back(k);
      const Index row = gather_bits((k & split) == 0 ? k : k ^ flips, kept);
      row_of_[static_cast<std::size_t>(k) * by_products.size() + groups_.size()] =
          static_cast<std::uint32_t>(rows_ + row);
    }
    std::stable_sort(group.states.begin(), group.states.end(),
                     [&](Index a, Index b) { return gather_bits(a, kept) < gather_bits(b, kept); });
    for (const std::size_t m : members) {
      // The factor is i^(number of Y), where i Im counts as -1; a pair stands for two equal terms.
      const int sign = (strings_[m].number_of_y() + 1) / 2 % 2 == 0 ? 1 : -1;
      const int terms = flips == 0 ? 1 : 2;
      group.coefficients.push_back({gather_bits(strings_[m].signs(), kept), m, static_cast<Real>(sign * terms), 0});
    }
    std::stable_sort(group.coefficients.begin(), group.coefficients.end(),
                     [](const Coefficient& a, const Coefficient& b) { return a.signs < b.signs; });
    plan(group, 0, group.rows / 2, group.coefficients);
    rows_ += group.rows;
    even_groups_ += !odd_y;
    groups_.push_back(std::move(group));
  }
}

// `wanted` are the coefficients to be found in rows first to first + 2 half - 1, in the order of their
// signs. The highest bit decides which half of the rows holds a coefficient after the butterfly.
void Observables::plan(Group& group, Index first, Index half, std::span<Coefficient> wanted) {
  if (wanted.empty()) return;
  if (half == 0) {
    for (Coefficient& coefficient : wanted) coefficient.row = first;
    return;
  }
  const auto middle =
      std::partition_point(wanted.begin(), wanted.end(), [&](const Coefficient& c) { return (c.signs & half) == 0; });
  const std::span sums(wanted.begin(), middle), differences(middle, wanted.end());
  group.butterflies.push_back({first, half, !sums.empty(), !differences.empty()});
  plan(group, first, half / 2, sums);
  plan(group, first + half, half / 2, differences);
}

Index Observables::scratch_size() const { return rows_ * B; }

void Observables::measure(const Real* state, std::span<const Index> offsets, Real* expectations, Real* scratch) const {
  for (const Group& group : groups_) {
    const std::size_t terms = group.states.size() / static_cast<std::size_t>(group.rows);
    const Index* states = group.states.data();
    for (Index row = 0; row < group.rows; ++row, states += terms) {
      Lanes sum = {};
      for (std::size_t i = 0; i < terms; ++i) {
        const Real* x = state + offsets[static_cast<std::size_t>(states[i])];
        const Real* y = state + offsets[static_cast<std::size_t>(states[i] ^ group.flips)];
        if (group.odd_y) {
          sum += lanes(y) * lanes(x + B) - lanes(y + B) * lanes(x);
        } else {
          sum += lanes(y) * lanes(x) + lanes(y + B) * lanes(x + B);
        }
      }
      lanes(scratch + row * B) = sum;
    }
    for (const Butterfly& butterfly : group.butterflies) {
      const Index size = butterfly.half * B;
      Real* low = scratch + butterfly.first * B;
      Real* high = low + size;
      if (butterfly.sum && butterfly.difference) {
#pragma omp simd
        for (Index i = 0; i < size; ++i) {
          const Real a = low[i], b = high[i];
          low[i] = a + b;
          high[i] = a - b;
        }
      } else if (butterfly.sum) {
#pragma omp simd
        for (Index i = 0; i < size; ++i) low[i] += high[i];
      } else {
#pragma omp simd
        for (Index i = 0; i < size; ++i) high[i] = low[i] - high[i];
      }
    }
    for (const Coefficient& c : group.coefficients) {
      lanes(expectations + static_cast<Index>(c.string) * B) = c.factor * lanes(scratch + c.row * B);
    }
  }
}

void Observables::gradient(const Real* weights, const Real* state, std::span<const Index> offsets, Real* gradient,
                           Real* scratch) const {
  // The steps of measure() backwards, each transposed: what was gathered from is scattered to. W, one
  // number for each row of each group, is the gradient with respect to the row's sum.
  for (const Group& group : groups_) {
    Real* w = scratch + group.first_row * B;
    Index previous = -1;
    for (const Coefficient& c : group.coefficients) {
      const Real factor = group.flips == 0 ? 2 * c.factor : c.factor;  // d|psi|^2 = 2 psi, the rest is bilinear
      const Lanes weight = factor * lanes(weights + static_cast<Index>(c.string) * B);
      if (c.row == previous) {
        lanes(w + c.row * B) += weight;
      } else {
        lanes(w + c.row * B) = weight;
      }
      previous = c.row;
    }
    for (auto butterfly = group.butterflies.rbegin(); butterfly != group.butterflies.rend(); ++butterfly) {
      const Index size = butterfly->half * B;
      Real* low = w + butterfly->first * B;
      Real* high = low + size;
      if (butterfly->sum && butterfly->difference) {
#pragma omp simd
        for (Index i = 0; i < size; ++i) {
          const Real a = low[i], b = high[i];
          low[i] = a + b;
          high[i] = a - b;
        }
      } else if (butterfly->sum) {
        std::copy_n(low, size, high);
      } else {
#pragma omp simd
        for (Index i = 0; i < size; ++i) {
          low[i] = high[i];
          high[i] = -high[i];
        }
      }
    }
  }
  // Amplitude by amplitude, so that its gradient stays in registers: with k' = k xor flips it is the sum
  // over groups of W psi_k' (even) and of +-i W psi_k' (odd; - for the k that is the second of its pair).
  // Two amplitudes at a time: their sums do not wait for each other.
  for (std::size_t k = 0; k < offsets.size(); k += 2) {
    const std::uint32_t* rows[] = {row_of_.data() + k * groups_.size(), row_of_.data() + (k + 1) * groups_.size()};
    Lanes re[2] = {}, im[2] = {};
    for (std::size_t g = 0; g < even_groups_; ++g) {
      for (std::size_t i = 0; i < 2; ++i) {
        const Lanes& w = lanes(scratch + Index{rows[i][g]} * B);
        const Real* y = state + offsets[(k + i) ^ static_cast<std::size_t>(groups_[g].flips)];
        re[i] += w * lanes(y);
        im[i] += w * lanes(y + B);
      }
    }
    for (std::size_t g = even_groups_; g < groups_.size(); ++g) {
      const Index flips = groups_[g].flips;
      for (std::size_t i = 0; i < 2; ++i) {
        const Real sign = (static_cast<Index>(k + i) & split_bit(flips)) == 0 ? Real(1) : Real(-1);
        const Lanes w = sign * lanes(scratch + Index{rows[i][g]} * B);
        const Real* y = state + offsets[(k + i) ^ static_cast<std::size_t>(flips)];
        re[i] -= w * lanes(y + B);
        im[i] += w * lanes(y);
      }
    }
    for (std::size_t i = 0; i < 2; ++i) {
      lanes(gradient + offsets[k + i]) = re[i];
      lanes(gradient + offsets[k + i] + B) = im[i];
    }
  }
}

}  // namespace qisa
