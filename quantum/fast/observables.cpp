#include "quantum/fast/observables.hpp"

#include <algorithm>
#include <bit>
#include <map>

#include "quantum/fast/sweep.hpp"
#include "tensor/error.hpp"

namespace qisa {
namespace {

Index highest_bit(Index bits) { return static_cast<Index>(std::bit_floor(static_cast<std::uint64_t>(bits))); }

/// Sign masks, as vectors over the field of two numbers: every mask added is the exclusive or of some of them. The
/// highest bit of each, its pivot, is 0 in all others; so a mask tells by its pivots of which it is made.
using SignBasis = std::vector<Index>;

void add_mask(SignBasis& basis, Index mask) {
  for (const Index own : basis) mask ^= (mask & highest_bit(own)) != 0 ? own : 0;
  if (mask == 0) return;
  for (Index& own : basis) own ^= (own & highest_bit(mask)) != 0 ? mask : 0;
  basis.push_back(mask);
}

/// Bit i is whether `holds` mask i of the basis.
template <class Holds>
Index bits_of(const SignBasis& basis, Holds holds) {
  Index bits = 0;
  for (std::size_t i = 0; i < basis.size(); ++i) bits |= Index{holds(basis[i])} << i;
  return bits;
}

/// Which masks of the basis give state k the sign -1.
Index signs_of(const SignBasis& basis, Index k) {
  return bits_of(basis, [k](Index own) { return std::popcount(static_cast<std::uint64_t>(k & own)) % 2 == 1; });
}

/// Of which masks of the basis `mask`, one of those added, is made.
Index coordinates(const SignBasis& basis, Index mask) {
  return bits_of(basis, [mask](Index own) { return (mask & highest_bit(own)) != 0; });
}

/// One step of a transform: rows i and i + half become their sum and their difference.
[[gnu::always_inline]] inline void transform(Real* rows, Index half, bool sum, bool difference) {
  for (Real *low = rows, *high = rows + half * lane_count; low < rows + half * lane_count;
       low += lane_count, high += lane_count) {
    const Lanes a = lanes(low), b = lanes(high);
    if (sum) lanes(low) = a + b;
    if (difference) lanes(high) = a - b;
  }
}

/// Sums of conj(psi_k') psi_k: of real parts into the even rows, of imaginary parts into the odd ones.
/// Every row has `each` pairs, a multiple of `step`, for which there is code without a loop.
template <bool even, bool odd, Index step>
void sum_products(const std::array<std::uint32_t, 2>* pair, Index each, Index rows, const Real* state, Real* even_rows,
                  Real* odd_rows) {
  if (step < 8) each = step;
  for (Index row = 0; row < rows; ++row) {
    Lanes re = {}, im = {};
    for (Index left = each; left > 0; left -= step) {
#pragma GCC unroll 8
      for (Index i = 0; i < step; ++i) {
        const auto [k, flipped] = *pair++;
        const Lanes &p = lanes(state + k), &q = lanes(state + k + lane_count);
        const Lanes &u = lanes(state + flipped), &v = lanes(state + flipped + lane_count);
        if constexpr (even) re += u * p + v * q;
        if constexpr (odd) im += u * q - v * p;
      }
    }
    if constexpr (even) lanes(even_rows + row * lane_count) = re;
    if constexpr (odd) lanes(odd_rows + row * lane_count) = im;
  }
}

}  // namespace

Observables::Observables(std::span<const PauliString> strings, std::span<const Index> offsets, bool real)
    : count_(std::ssize(strings)), offsets_(offsets.begin(), offsets.end()) {
  require(!strings.empty(), "observables need at least one Pauli string");
  std::map<Index, std::vector<Index>> by_flips;
  for (Index m = 0; m < count_; ++m) {
    const PauliString& string = strings[m];
    require(std::ssize(offsets) == Index{1} << string.wires(), "Pauli string \"{}\" has {} characters for {} wires",
            string.text(), string.wires(), std::countr_zero(offsets.size()));
    real && !string.is_real() ? zeros_.push_back(m * lane_count) : by_flips[string.flips()].push_back(m);
  }
  for (const auto& [flips, members] : by_flips) add_group(flips, strings, members);
  for (Index first = 0; first < std::ssize(offsets_); first += 2) {
    for_each_kind([&]<bool, bool>(const std::vector<Group>& groups) {
      for (const Group& group : groups) {
        for (const Index k : {first, first + 1}) {
          const bool second = (k & highest_bit(group.flips)) != 0;
          const Index flipped = k ^ group.flips, row = signs_of(group.basis, second ? flipped : k);
          terms_.push_back({offsets_[flipped], {}, second ? Real(-1) : Real(1)});
          for (const int odd : {0, 1}) {
            terms_.back().rows[odd] = static_cast<std::uint32_t>((group.first_rows[odd] + row) * lane_count);
          }
        }
      }
    });
  }
}

void Observables::add_group(Index flips, std::span<const PauliString> strings, std::span<const Index> members) {
  // Of each pair k, k xor flips, products are made for the k whose bit `split` is 0.
  const Index split = highest_bit(flips);
  SignBasis basis;
  for (const Index m : members) add_mask(basis, strings[m].signs() & ~split);
  Group group{flips, basis, Index{1} << basis.size(), {}, {}};
  bool has[2] = {};  // even strings, odd strings
  for (const bool odd : {false, true}) {
    std::vector<bool> wanted(group.rows);
    for (const Index m : members) {
      if (strings[m].is_real() == odd) continue;
      // The transform leaves the sum with signs (-1)^(ones of row & i) over rows i in this row. The factor is
      // i^(number of Y), where i Im counts as -1; a pair stands for two equal terms. |psi|^2 has slope 2 psi, the
      // rest is bilinear.
      const Index row = coordinates(basis, strings[m].signs() & ~split);
      const Real sign = (strings[m].number_of_y() + 1) / 2 % 2 == 0 ? 1 : -1;
      outputs_.push_back({m * lane_count, (rows_ + row) * lane_count, flips == 0 ? sign : 2 * sign, 2 * sign});
      wanted[row] = true;
    }
    const auto any = [&](Index begin, Index end) {
      return std::find(wanted.begin() + begin, wanted.begin() + end, true) != wanted.begin() + end;
    };
    has[odd] = any(0, group.rows);
    if (!has[odd]) continue;
    group.first_rows[odd] = rows_;
    for (Index half = group.rows / 2; half > 0; half /= 2) {
      for (Index first = 0; first < group.rows; first += 2 * half) {
        const bool sum = any(first, first + half), difference = any(first + half, first + 2 * half);
        if (sum || difference) butterflies_.push_back({rows_ + first, half, sum, difference});
      }
    }
    rows_ += group.rows;
  }

  std::vector<Index> states;
  for (Index k = 0; k < std::ssize(offsets_); ++k) {
    if ((k & split) == 0) states.push_back(k);
  }
  std::stable_sort(states.begin(), states.end(),
                   [&](Index a, Index b) { return signs_of(basis, a) < signs_of(basis, b); });
  for (const Index k : states) group.pairs.push_back({offsets_[k], offsets_[k ^ flips]});
  groups_[has[0]][has[1]].push_back(std::move(group));
}

Index Observables::scratch_size() const { return rows_ * lane_count; }

template <class Visit>
void Observables::for_each_kind(Visit visit) const {
  visit.template operator()<true, false>(groups_[1][0]);
  visit.template operator()<true, true>(groups_[1][1]);
  visit.template operator()<false, true>(groups_[0][1]);
}

void Observables::measure(const Real* state, Real* expectations, Real* scratch) const {
  for_each_kind([&]<bool even, bool odd>(const std::vector<Group>& groups) {
    for (const Group& group : groups) {
      const Index each = std::ssize(group.pairs) / group.rows;  // a power of two
      const auto sum = each == 1   ? sum_products<even, odd, 1>
                       : each == 2 ? sum_products<even, odd, 2>
                       : each == 4 ? sum_products<even, odd, 4>
                                   : sum_products<even, odd, 8>;
      sum(group.pairs.data(), each, group.rows, state, scratch + group.first_rows[0] * lane_count,
          scratch + group.first_rows[1] * lane_count);
    }
  });
  for (const auto& [first, half, sum, difference] : butterflies_) {
    transform(scratch + first * lane_count, half, sum, difference);
  }
  for (const Output& o : outputs_) lanes(expectations + o.string) = o.factor * lanes(scratch + o.row);
  for (const Index string : zeros_) lanes(expectations + string) = Lanes{};
}

void Observables::gradient(const Real* weights, const Real* state, Real* gradient, Real* scratch) const {
  // The steps of measure() backwards, each transposed: what was gathered from is scattered to. W, one
  // number for each row, is the gradient with respect to the row's sum.
  std::fill_n(scratch, scratch_size(), Real(0));
  for (const Output& o : outputs_) lanes(scratch + o.row) += o.slope * lanes(weights + o.string);
  std::for_each(butterflies_.rbegin(), butterflies_.rend(), [&](const Butterfly& butterfly) {
    transform(scratch + butterfly.first * lane_count, butterfly.half, true, true);
  });
  // Amplitude by amplitude, so that its gradient stays in registers: with k' = k xor flips it is the sum
  // over groups of W psi_k' (even) and of +-i W psi_k' (odd; - for the k that is the second of its pair).
  // Two amplitudes at a time: their sums do not wait for each other.
  const Term* next = terms_.data();
  for (std::size_t k = 0; k < offsets_.size(); k += 2) {
    Lanes re[2] = {}, im[2] = {};
    for_each_kind([&]<bool even, bool odd>(const std::vector<Group>& groups) {
      for (std::size_t group = 0; group < groups.size(); ++group) {
        for (std::size_t i = 0; i < 2; ++i) {
          const Term& term = *next++;
          const Lanes &u = lanes(state + term.flipped), &v = lanes(state + term.flipped + lane_count);
          if constexpr (even) {
            const Lanes& w = lanes(scratch + term.rows[0]);
            re[i] += w * u;
            im[i] += w * v;
          }
          if constexpr (odd) {
            const Lanes w = term.sign * lanes(scratch + term.rows[1]);
            re[i] -= w * v;
            im[i] += w * u;
          }
        }
      }
    });
    for (std::size_t i = 0; i < 2; ++i) {
      lanes(gradient + offsets_[k + i]) = re[i];
      lanes(gradient + offsets_[k + i] + lane_count) = im[i];
    }
  }
}

}  // namespace qisa
