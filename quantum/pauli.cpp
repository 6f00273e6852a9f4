#include "quantum/pauli.hpp"

#include <algorithm>
#include <array>

#include "quantum/circuit.hpp"
#include "quantum/pairs.hpp"
#include "tensor/error.hpp"

namespace qisa {

PauliString::PauliString(std::string_view text) : text_(text) {
  require(!text.empty() && wires() <= Circuit::max_wires, "a Pauli string has 1 to {} characters, not {}",
          Circuit::max_wires, text.size());
  for (int wire = 0; wire < wires(); ++wire) {
    const char pauli = text_[wire];
    require(std::string_view("IXYZ").find(pauli) != std::string_view::npos,
            "Pauli string \"{}\": character {} must be I, X, Y or Z", text, wire);
    const Index bit = wire_bit(wires(), wire);
    if (pauli == 'X' || pauli == 'Y') flips_ |= bit;
    if (pauli == 'Y' || pauli == 'Z') signs_ |= bit;
  }
}

std::complex<double> PauliString::phase(Index i) const {
  static constexpr std::array<std::complex<double>, 4> powers_of_i = {{{1, 0}, {0, 1}, {-1, 0}, {0, -1}}};
  const int negative = std::popcount(static_cast<std::uint64_t>(i & signs_)) % 2;
  return powers_of_i[static_cast<std::size_t>(number_of_y() + 2 * negative) % 4];
}

std::vector<PauliString> draw_pauli_strings(Random& random, int wires, int count, PauliChoice choice) {
  require(wires >= 1 && wires <= Circuit::max_wires, "Pauli strings have 1 to {} characters, not {}",
          Circuit::max_wires, wires);
  std::vector<PauliString> strings;
  while (static_cast<int>(strings.size()) < count) {
    std::string text(static_cast<std::size_t>(wires), 'I');
    for (char& pauli : text) {
      if (random.uniform() >= 0.9) pauli = "XYZ"[random.below(3)];
    }
    const PauliString string(text);
    const bool identity = string.flips() == 0 && string.signs() == 0;
    if (!identity && (choice == PauliChoice::published || string.is_real())) strings.push_back(string);
  }
  return strings;
}

}  // namespace qisa
