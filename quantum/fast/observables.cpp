#include "quantum/fast/observables.hpp"

#include <algorithm>
#include <bit>
#include <map>

#include "quantum/fast/sweep.hpp"
#include "tensor/error.hpp"

namespace qisa {
namespace {

bool is_odd(Index bits) { return std::popcount(static_cast<std::uint64_t>(bits)) % 2 == 1; }

/// Of each pair k, k xor flips, products are made for the k whose bit `split`, the highest of flips, is 0.
Index split_bit(Index flips) { return static_cast<Index>(std::bit_floor(static_cast<std::uint64_t>(flips))); }

bool has_odd_y(const PauliString& string) { return !string.is_real(); }

/// A basis of sign masks, as vectors over the field of two numbers: every mask is the exclusive or of some of them.
/// Each has a bit of its own, its pivot, which is 0 in all others; so a mask tells by its pivots of which it is made.
class SignBasis {
 public:
  void add(Index mask) {
    for (std::size_t i = 0; i < masks_.size(); ++i) mask ^= (mask & pivots_[i]) != 0 ? masks_[i] : 0;
    if (mask == 0) return;
    const Index pivot = split_bit(mask);
    for (Index& other : masks_) other ^= (other & pivot) != 0 ? mask : 0;
    masks_.push_back(mask);
    pivots_.push_back(pivot);
  }

  Index count() const { return std::ssize(masks_); }

  /// Bit i is whether mask i of the basis gives state k the sign -1.
  Index signs_of(Index k) const {
    Index bits = 0;
    for (std::size_t i = 0; i < masks_.size(); ++i) bits |= Index{is_odd(k & masks_[i])} << i;
    return bits;
  }

  /// Bit i is whether `mask`, one of those added, is made of mask i of the basis.
  Index coordinates(Index mask) const {
    Index bits = 0;
    for (std::size_t i = 0; i < pivots_.size(); ++i) bits |= Index{(mask & pivots_[i]) != 0} << i;
    return bits;
  }

 private:
  std::vector<Index> masks_, pivots_;
};

/// Sums of conj(psi_k') psi_k: of real parts into the even rows, of imaginary parts into the odd ones. Every row has
/// `each` pairs: `fixed`, or a multiple of eight if that is 0.
template <bool even, bool odd, Index fixed>
void sum_products(const std::array<std::uint32_t, 2>* pair, Index each, Index rows, const Real* state, Real* even_rows,
                  Real* odd_rows) {
  constexpr Index step = fixed == 0 ? 8 : fixed;  // known to the compiler, which writes the inner loop out
  if (fixed != 0) each = fixed;
  for (Index row = 0; row < rows; ++row) {
    Lanes re = {}, im = {};
    for (Index first = 0; first < each; first += step) {
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

template <bool even, bool odd>
auto sum_products_for(Index each) {
  switch (each) {  // a power of two
    case 1:
      return sum_products<even, odd, 1>;
    case 2:
      return sum_products<even, odd, 2>;
    case 4:
      return sum_products<even, odd, 4>;
    case 8:
      return sum_products<even, odd, 8>;
    default:
      return sum_products<even, odd, 0>;
  }
}

}  // namespace

Observables::Observables(std::span<const PauliString> strings, std::span<const Index> offsets, bool real)
    : count_(std::ssize(strings)), offsets_(offsets.begin(), offsets.end()) {
  require(!strings.empty(), "observables need at least one Pauli string");
  std::map<Index, std::vector<std::size_t>> by_flips;
  for (std::size_t m = 0; m < strings.size(); ++m) {
    require(std::ssize(offsets) == Index{1} << strings[m].wires(), "Pauli string \"{}\" has {} characters for {} wires",
            strings[m].text(), strings[m].wires(), std::countr_zero(offsets.size()));
    if (real && !strings[m].is_real())
      zeros_.push_back(static_cast<Index>(m));
    else
      by_flips[strings[m].flips()].push_back(m);
  }
  const auto any_odd = [&](const std::vector<std::size_t>& members, bool odd) {
    return std::any_of(members.begin(), members.end(), [&](std::size_t m) { return has_odd_y(strings[m]) == odd; });
  };
  terms_.resize(by_flips.size() * offsets_.size());
  for (const auto& [even, odd] : {std::pair(true, false), std::pair(true, true), std::pair(false, true)}) {
    if (odd && even) odd_begin_ = groups_.size();
    if (!even) even_end_ = groups_.size();
    for (const auto& [flips, members] : by_flips) {
      if (any_odd(members, false) == even && any_odd(members, true) == odd) {
        add_group(strings, members, by_flips.size());
      }
    }
  }
}

void Observables::add_group(std::span<const PauliString> strings, std::span<const std::size_t> members,
                            std::size_t groups) {
  const Index flips = strings[members.front()].flips(), split = split_bit(flips), dimension = std::ssize(offsets_);
  SignBasis basis;
  for (const std::size_t m : members) basis.add(strings[m].signs() & ~split);
  Group group{Index{1} << basis.count(), 0, 0, 0, {}, nullptr};
  bool has[2] = {};  // even strings, odd strings
  for (const bool odd : {false, true}) {
    std::vector<Coefficient> wanted;
    for (const std::size_t m : members) {
      if (has_odd_y(strings[m]) != odd) continue;
      // The factor is i^(number of Y), where i Im counts as -1; a pair stands for two equal terms. |psi|^2 has slope
      // 2 psi, the rest is bilinear.
      const Real sign = (strings[m].number_of_y() + 1) / 2 % 2 == 0 ? 1 : -1;
      wanted.push_back({basis.coordinates(strings[m].signs() & ~split), m, flips == 0 ? sign : 2 * sign, 2 * sign, 0});
    }
    if (wanted.empty()) continue;
    has[odd] = true;
    std::stable_sort(wanted.begin(), wanted.end(),
                     [](const Coefficient& a, const Coefficient& b) { return a.signs < b.signs; });
    (odd ? group.first_odd_row : group.first_even_row) = rows_;
    plan(rows_, 0, group.rows / 2, wanted);
    coefficients_.insert(coefficients_.end(), wanted.begin(), wanted.end());
    const auto offset_of = [](Index number) { return static_cast<std::uint32_t>(number * lane_count); };
    for (const Coefficient& c : wanted) {
      const Index row = c.row - rows_, low = c.row - row % 2, high = group.rows == 1 ? low : low + 1;
      const Real of_high = row % 2 == 0 ? c.factor : -c.factor;
      outputs_.push_back({offset_of(static_cast<Index>(c.string)), offset_of(low), offset_of(high), c.factor,
                          group.rows == 1 ? 0 : of_high});
    }
    rows_ += group.rows;
  }

  std::vector<Index> states;
  for (Index k = 0; k < dimension; ++k) {
    const bool second = (k & split) != 0;
    if (!second) states.push_back(k);
    const Index row = basis.signs_of(second ? k ^ flips : k);
    terms_[static_cast<std::size_t>(k) * groups + groups_.size()] = {
        offset(k ^ flips), static_cast<std::uint32_t>((group.first_even_row + row) * lane_count),
        static_cast<std::uint32_t>((group.first_odd_row + row) * lane_count), second ? Real(-1) : Real(1)};
  }
  std::stable_sort(states.begin(), states.end(),
                   [&](Index a, Index b) { return basis.signs_of(a) < basis.signs_of(b); });
  for (const Index k : states) group.pairs.push_back({offset(k), offset(k ^ flips)});
  group.each = std::ssize(group.pairs) / group.rows;
  group.sum_products = !has[1]   ? sum_products_for<true, false>(group.each)
                       : !has[0] ? sum_products_for<false, true>(group.each)
                                 : sum_products_for<true, true>(group.each);
  groups_.push_back(std::move(group));
}

// `wanted` are the coefficients to be found in rows first to first + 2 half - 1 of those from first_row on, in the
// order of their signs. The highest bit decides which half of the rows holds a coefficient after the butterfly.
void Observables::plan(Index first_row, Index first, Index half, std::span<Coefficient> wanted) {
  if (wanted.empty()) return;
  if (half == 0) {
    for (Coefficient& coefficient : wanted) coefficient.row = first_row + first;
    return;
  }
  const auto middle =
      std::partition_point(wanted.begin(), wanted.end(), [&](const Coefficient& c) { return (c.signs & half) == 0; });
  const std::span sums(wanted.begin(), middle), differences(middle, wanted.end());
  (half == 1 ? last_butterflies_ : butterflies_)
      .push_back({first_row + first, half, !sums.empty(), !differences.empty()});
  plan(first_row, first, half / 2, sums);
  plan(first_row, first + half, half / 2, differences);
}

Index Observables::scratch_size() const { return rows_ * lane_count; }

void Observables::measure(const Real* state, Real* expectations, Real* scratch) const {
  for (const Group& group : groups_) {
    group.sum_products(group.pairs.data(), group.each, group.rows, state, scratch + group.first_even_row * lane_count,
                       scratch + group.first_odd_row * lane_count);
  }
  for (const Butterfly& butterfly : butterflies_) {
    Real* low = scratch + butterfly.first * lane_count;
    Real* high = low + butterfly.half * lane_count;
    const auto for_each_pair = [&](auto visit) {
      for (Index i = 0; i < butterfly.half * lane_count; i += lane_count) visit(lanes(low + i), lanes(high + i));
    };
    if (butterfly.sum && butterfly.difference) {
      for_each_pair([](Lanes& a, Lanes& b) {
        const Lanes sum = a + b;
        b = a - b;
        a = sum;
      });
    } else if (butterfly.sum) {
      for_each_pair([](Lanes& a, const Lanes& b) { a += b; });
    } else {
      for_each_pair([](const Lanes& a, Lanes& b) { b = a - b; });
    }
  }
  for (const Output& o : outputs_) {
    lanes(expectations + o.string) = o.of_low * lanes(scratch + o.low) + o.of_high * lanes(scratch + o.high);
  }
  for (const Index string : zeros_) lanes(expectations + string * lane_count) = Lanes{};
}

void Observables::gradient(const Real* weights, const Real* state, Real* gradient, Real* scratch) const {
  // The steps of measure() backwards, each transposed: what was gathered from is scattered to. W, one
  // number for each row, is the gradient with respect to the row's sum.
  Index previous = -1;
  for (const Coefficient& c : coefficients_) {
    const Lanes weight = c.slope * lanes(weights + static_cast<Index>(c.string) * lane_count);
    Lanes& w = lanes(scratch + c.row * lane_count);
    w = c.row == previous ? w + weight : weight;
    previous = c.row;
  }
  const auto transpose = [&](const Butterfly& butterfly) {
    Real* low = scratch + butterfly.first * lane_count;
    Real* high = low + butterfly.half * lane_count;
    for (Index i = 0; i < butterfly.half * lane_count; i += lane_count) {
      const Lanes a = butterfly.sum ? lanes(low + i) : Lanes{};
      const Lanes b = butterfly.difference ? lanes(high + i) : Lanes{};
      lanes(low + i) = a + b;
      lanes(high + i) = a - b;
    }
  };
  std::for_each(last_butterflies_.rbegin(), last_butterflies_.rend(), transpose);
  std::for_each(butterflies_.rbegin(), butterflies_.rend(), transpose);
  // Amplitude by amplitude, so that its gradient stays in registers: with k' = k xor flips it is the sum
  // over groups of W psi_k' (even) and of +-i W psi_k' (odd; - for the k that is the second of its pair).
  // Two amplitudes at a time: their sums do not wait for each other.
  const Term* terms = terms_.data();
  for (std::size_t k = 0; k < offsets_.size(); k += 2, terms += 2 * groups_.size()) {
    Lanes re[2] = {}, im[2] = {};
    const auto add = [&]<bool even, bool odd>(std::size_t begin, std::size_t end) {
      for (std::size_t g = begin; g < end; ++g) {
        for (std::size_t i = 0; i < 2; ++i) {
          const Term& term = terms[i * groups_.size() + g];
          const Lanes &u = lanes(state + term.flipped), &v = lanes(state + term.flipped + lane_count);
          if constexpr (even) {
            const Lanes& w = lanes(scratch + term.even_row);
            re[i] += w * u;
            im[i] += w * v;
          }
          if constexpr (odd) {
            const Lanes w = term.sign * lanes(scratch + term.odd_row);
            re[i] -= w * v;
            im[i] += w * u;
          }
        }
      }
    };
    add.template operator()<true, false>(0, odd_begin_);
    add.template operator()<true, true>(odd_begin_, even_end_);
    add.template operator()<false, true>(even_end_, groups_.size());
    for (std::size_t i = 0; i < 2; ++i) {
      lanes(gradient + offsets_[k + i]) = re[i];
      lanes(gradient + offsets_[k + i] + lane_count) = im[i];
    }
  }
}

}  // namespace qisa
