#include "quantum/text/drawing.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "tensor/error.hpp"

namespace qisa {
namespace {

/// Gates that stand one above the other: rows 2 k are what stands on wire k, "" the bare wire, and rows 2 k + 1 the
/// line that joins it to wire k + 1, if one does.
using Column = std::vector<std::string>;

/// Characters of UTF-8 text: all bytes but those that continue a character.
std::ptrdiff_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; });
}

/// What stands on the target wire.
std::string symbol(const Circuit& circuit, const Operation& operation) {
  const std::string_view gate = gate_name(operation.gate);
  if (operation.gate == Gate::CNOT) return "⊕";
  if (operation.gate == Gate::CZ) return "●";
  if (operation.gate == Gate::SWAP) return "×";
  if (!has_angle(operation.gate)) return fmt::format("┤{}├", gate);
  // The control is drawn, so the box of CRX says RX.
  return fmt::format("┤{}({})├", gate.substr(gate.size() - 2), circuit.angle_name(operation.angle));
}

/// Puts each gate into the first column in which, and after which, all the wires it covers are free.
std::vector<Column> columns_of(const Circuit& circuit) {
  const auto wires = static_cast<std::size_t>(circuit.wires());
  std::vector<Column> result;
  std::vector<std::size_t> first_free(wires, 0);  // column of each wire
  for (const Operation& operation : circuit.operations()) {
    const auto target = static_cast<std::size_t>(operation.target);
    const auto control = operation.control < 0 ? target : static_cast<std::size_t>(operation.control);
    const auto [top, bottom] = std::minmax(target, control);
    const std::size_t at = *std::max_element(&first_free[top], &first_free[bottom] + 1);
    std::fill(&first_free[top], &first_free[bottom] + 1, at + 1);
    if (at == result.size()) result.emplace_back(2 * wires - 1);
    Column& column = result[at];
    for (std::size_t row = 2 * top; row <= 2 * bottom; ++row) column[row] = row % 2 == 0 ? "┼" : "│";
    // A gate on one wire is its own "control" here: its symbol, written last, is the one that stays.
    column[2 * control] = operation.gate == Gate::SWAP ? "×" : "●";
    column[2 * target] = symbol(circuit, operation);
  }
  return result;
}

}  // namespace

std::string draw(const Circuit& circuit) {
  const std::vector<Column> drawn = columns_of(circuit);
  const auto label_width = characters(std::to_string(circuit.wires() - 1));
  std::string text;
  for (std::size_t row = 0; row + 1 < 2 * static_cast<std::size_t>(circuit.wires()); ++row) {
    const bool wire = row % 2 == 0;
    text += wire ? fmt::format("{:>{}}: ─", row / 2, label_width) : fmt::format("{:{}}   ", "", label_width);
    for (const Column& column : drawn) {
      std::ptrdiff_t width = 1;
      for (const std::string& cell : column) width = std::max(width, characters(cell));
      text += wire ? fmt::format("─{:─^{}}─", column[row], width) : fmt::format(" {:^{}} ", column[row], width);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += wire ? "─\n" : "\n";
  }
  return text;
}

}  // namespace qisa
