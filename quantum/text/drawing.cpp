#include "quantum/text/drawing.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "tensor/error.hpp"

namespace qisa {
namespace {

/// Gates that stand one above the other.
struct Column {
  std::vector<std::string> cells;  // [wires] what stands on each wire; "" is the bare wire
  std::vector<bool> links;         // [wires] whether a line joins wire k to wire k + 1
};

/// Characters of UTF-8 text: all bytes but those that continue a character.
std::ptrdiff_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; });
}

/// What stands on the target wire.
std::string symbol(const Circuit& circuit, const Operation& operation) {
  switch (operation.gate) {
    case Gate::CNOT:
      return "⊕";
    case Gate::CZ:
      return "●";
    case Gate::SWAP:
      return "×";
    default: {
      const std::string_view gate = gate_name(operation.gate);
      if (!has_angle(operation.gate)) return fmt::format("┤{}├", gate);
      // The control is drawn, so the box of CRX says RX.
      return fmt::format("┤{}({})├", gate.substr(gate.size() - 2), circuit.angle_name(operation.angle));
    }
  }
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
    if (at == result.size()) result.push_back({std::vector<std::string>(wires), std::vector<bool>(wires)});

    Column& column = result[at];
    for (std::size_t wire = top; wire <= bottom; ++wire) {
      column.cells[wire] = "┼";
      column.links[wire] = wire < bottom;
      first_free[wire] = at + 1;
    }
    // A gate on one wire is its own "control" here: its symbol, written last, is the one that stays.
    column.cells[control] = operation.gate == Gate::SWAP ? "×" : "●";
    column.cells[target] = symbol(circuit, operation);
  }
  return result;
}

}  // namespace

std::string draw(const Circuit& circuit) {
  const std::vector<Column> drawn = columns_of(circuit);
  const auto label_width = characters(std::to_string(circuit.wires() - 1));
  std::string text;
  for (int wire = 0; wire < circuit.wires(); ++wire) {
    const auto row = static_cast<std::size_t>(wire);
    std::string line = fmt::format("{:>{}}: ─", wire, label_width),
                links(static_cast<std::size_t>(label_width) + 3, ' ');
    for (const Column& column : drawn) {
      std::ptrdiff_t width = 1;
      for (const std::string& cell : column.cells) width = std::max(width, characters(cell));
      line += fmt::format("─{:─^{}}─", column.cells[row], width);
      links += fmt::format(" {:^{}} ", column.links[row] ? "│" : "", width);
    }
    text += line + "─\n";
    if (wire + 1 < circuit.wires()) text += links.substr(0, links.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace qisa
