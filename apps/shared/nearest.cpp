#include "apps/shared/nearest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <limits>

namespace qisa {
namespace {

/// In small letters, with _ for -.
std::string plain(std::string name) {
  for (char& c : name) c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

/// "lr" of "learning_rate".
std::string initials(const std::string& name) {
  std::string letters;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (i == 0 || name[i - 1] == '_') letters += name[i];
  }
  return letters;
}

/// The fewest letters to insert, remove, replace, or swap with the next, that make one name of the other (Damerau,
/// Communications of the ACM 7(3), 1964; no letter is changed twice).
std::size_t edits(const std::string& one, const std::string& other) {
  std::vector<std::vector<std::size_t>> table(one.size() + 1, std::vector<std::size_t>(other.size() + 1));
  for (std::size_t i = 0; i <= one.size(); ++i) {
    for (std::size_t j = 0; j <= other.size(); ++j) {
      if (i == 0 || j == 0) {
        table[i][j] = i + j;
        continue;
      }
      const bool same = one[i - 1] == other[j - 1];
      table[i][j] = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
      if (swapped) table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
    }
  }
  return table[one.size()][other.size()];
}

constexpr std::size_t unlike = std::numeric_limits<std::size_t>::max();

/// 0 for the same name; larger, the less alike.
std::size_t distance(const std::string& name, const std::string& known) {
  const std::size_t wrong = edits(name, known);
  if (name.size() >= 2 && initials(known) == name) return 1;
  if (wrong <= std::max<std::size_t>(1, name.size() / 3)) return wrong;
  if (name.size() >= 3 && known.find(name) != std::string::npos) return 100 + known.size() - name.size();
  return unlike;
}

}  // namespace

std::vector<std::string> nearest(const std::string& name, const std::vector<std::string>& names) {
  std::vector<std::string> found;
  std::size_t smallest = unlike - 1;
  for (const std::string& known : names) {
    const std::size_t now = distance(plain(name), plain(known));
    if (now < smallest) found.clear();
    if (now <= smallest && found.size() < 2) found.push_back(known);
    smallest = std::min(smallest, now);
  }
  return found;
}

std::string did_you_mean(const std::string& name, const std::vector<std::string>& names, const std::string& prefix) {
  std::vector<std::string> meant = nearest(name, names);
  for (std::string& one : meant) one = prefix + one;
  return meant.empty() ? "" : fmt::format("; did you mean {}?", fmt::join(meant, " or "));
}

}  // namespace qisa
