#include "tests/mutate/faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace qisa::mutation {
namespace {

using std::string_view_literals::operator""sv;

struct Swap {
  std::string_view from, to;
};

constexpr std::array operators = {
    Swap{"+", "-"},   Swap{"-", "+"},   Swap{"*", "/"},   Swap{"/", "*"},   Swap{"%", "*"},   Swap{"<", "<="},
    Swap{"<", ">="},  Swap{"<=", "<"},  Swap{">", ">="},  Swap{">", "<="},  Swap{">=", ">"},  Swap{"==", "!="},
    Swap{"!=", "=="}, Swap{"&&", "||"}, Swap{"||", "&&"}, Swap{"&", "|"},   Swap{"|", "&"},   Swap{"^", "|"},
    Swap{"<<", ">>"}, Swap{">>", "<<"}, Swap{"+=", "-="}, Swap{"-=", "+="}, Swap{"*=", "/="}, Swap{"/=", "*="},
    Swap{"|=", "&="}, Swap{"&=", "|="}, Swap{"^=", "|="}};

constexpr std::array words = {Swap{"min", "max"},        Swap{"max", "min"},      Swap{"true", "false"},
                              Swap{"false", "true"},     Swap{"cos", "sin"},      Swap{"sin", "cos"},
                              Swap{"first", "second"},   Swap{"second", "first"}, Swap{"re", "im"},
                              Swap{"im", "re"},          Swap{"front", "back"},   Swap{"back", "front"},
                              Swap{"floor", "ceil"},     Swap{"ceil", "floor"},   Swap{"break", "continue"},
                              Swap{"continue", "break"}, Swap{"std::abs", ""},    Swap{"std::sqrt", ""},
                              Swap{"std::exp", ""},      Swap{"rows", "columns"}, Swap{"target", "control"}};

constexpr std::array comparisons = {" < "sv, " <= "sv, " > "sv, " >= "sv, " == "sv, " != "sv, " && "sv, " || "sv};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }
bool is_blank(char c) { return c == ' ' || c == '\n'; }
bool opens(char c) { return c == '(' || c == '[' || c == '{'; }
bool closes(char c) { return c == ')' || c == ']' || c == '}'; }

/// The end of the string, character or comment that begins at i; i where none does.
std::size_t end_of_quoted(const std::string& text, std::size_t i) {
  const std::string_view rest = std::string_view(text).substr(i);
  const auto past = [&](std::string_view end, std::size_t from) {
    const std::size_t at = text.find(end, from);
    return at == text.npos ? text.size() : at + end.size();
  };
  if (rest.starts_with("//")) return std::min(text.find('\n', i), text.size());
  if (rest.starts_with("/*")) return past("*/", i + 2);
  if (rest.starts_with("R\"")) return past(")" + text.substr(i + 2, text.find('(', i) - i - 2) + "\"", i);
  const bool separates_digits = i > 0 && is_digit(text[i - 1]) && is_digit(text[i + 1]);
  if (rest[0] == '"' || (rest[0] == '\'' && !separates_digits)) {
    std::size_t end = i + 1;
    while (end < text.size() && text[end] != rest[0]) end += text[end] == '\\' ? 2 : 1;
    return std::min(end + 1, text.size());
  }
  if (rest[0] == '#') {
    std::size_t end = text.find('\n', i);
    while (end != text.npos && text[end - 1] == '\\') end = text.find('\n', end + 1);
    return std::min(end, text.size());
  }
  return i;
}

/// The text with blanks for comments, preprocessor lines, characters and strings, whose first quote stays.
std::string code_of(const std::string& text) {
  std::string code = text;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = end_of_quoted(text, i);
    const bool string = text[i] == '"' || text[i] == 'R';
    for (std::size_t k = string ? i + 1 : i; k < end; ++k) {
      if (code[k] != '\n') code[k] = ' ';
    }
    if (string && end > i) code[i] = '"';
    i = std::max(end, i + 1);
  }
  return code;
}

/// Where the brackets that enclose `position` close, or at its depth a statement ends.
std::size_t end_of_arguments(std::string_view code, std::size_t position) {
  for (int depth = 0; position < code.size(); ++position) {
    const char c = code[position];
    if (opens(c)) ++depth;
    if (closes(c) && --depth < 0) break;
    if (c == ';' && depth == 0) break;
  }
  return position;
}

class Finder {
 public:
  Finder(const std::string& file, const std::string& text)
      : file_(file), code_(code_of(text)), message_(code_.size() + 1, false) {
    for (std::size_t i = 0; i < code_.size(); ++i) {
      if (code_[i] == '"') std::fill_n(message_.begin() + i, end_of_arguments(code_, i) - i, true);
    }
  }

  std::vector<Fault> find() {
    for (std::size_t i = 1; i + 1 < code_.size(); ++i) {
      const std::size_t before = found_.size();
      if (is_blank(code_[i - 1]) && !is_blank(code_[i])) find_operator(i);
      if (!is_word(code_[i - 1]) && is_word(code_[i])) {
        if (is_digit(code_[i])) {
          if (code_[i - 1] != '.') find_number(i);
        } else {
          find_word(i);
        }
      }
      find_sign(i);
      if (message_[i]) found_.resize(before);
      if (code_[i - 1] == '\n') find_statement(std::min(code_.find_first_not_of(' ', i), code_.size()));
    }
    return std::move(found_);
  }

 private:
  void add(std::size_t begin, std::size_t length, std::string_view replacement) {
    found_.push_back({file_, begin, length, std::string(replacement)});
  }

  bool is_at(std::size_t i, std::string_view what) const { return std::string_view(code_).substr(i).starts_with(what); }

  void find_operator(std::size_t i) {
    for (const Swap& swap : operators) {
      if (is_at(i, swap.from) && is_blank(code_[i + swap.from.size()])) add(i, swap.from.size(), swap.to);
    }
  }

  void find_word(std::size_t i) {
    for (const Swap& swap : words) {
      const std::size_t end = i + swap.from.size();
      if (is_at(i, swap.from) && !is_word(code_[end]) && !is_at(end, "::")) add(i, swap.from.size(), swap.to);
    }
    for (const std::string_view word : {"if ("sv, "if constexpr ("sv}) {
      if (!is_at(i, word)) continue;
      const std::size_t begin = i + word.size(), end = end_of_arguments(code_, begin);
      const std::string condition = code_.substr(begin, end - begin);
      if (condition.find(';') != condition.npos || condition.find('"') != condition.npos) continue;
      add(begin, end - begin, "!(" + condition + ")");
      add(begin, end - begin, "false");
    }
  }

  void find_number(std::size_t i) {
    std::size_t end = i;
    while (is_word(code_[end]) || code_[end] == '.' || code_[end] == '\'' ||
           ((code_[end] == '-' || code_[end] == '+') && code_[end - 1] == 'e' && !is_at(i, "0x"))) {
      ++end;
    }
    std::string number = code_.substr(i, end - i);
    std::erase(number, '\'');
    const bool hexadecimal = number.starts_with("0x") || number.starts_with("0b");
    if (hexadecimal && number[1] == 'b') return;
    if (!hexadecimal && number.find_first_of(".e") != number.npos) {
      const double value = std::stod(number);
      const std::string suffix = number.back() == 'f' ? "f" : "";
      add(i, end - i, fmt::format("{:#}{}", value == 0 ? 1 : value * 1.1, suffix));
      add(i, end - i, fmt::format("(-{})", code_.substr(i, end - i)));
    } else {
      std::size_t digits = 0;
      const unsigned long long value = std::stoull(number, &digits, hexadecimal ? 16 : 10);
      add(i, end - i, fmt::format("{}{}", value + 1, number.substr(digits)));
      if (value > 0) add(i, end - i, fmt::format("{}{}", value - 1, number.substr(digits)));
    }
  }

  /// A sign or a "not" left out, and a sign put in.
  void find_sign(std::size_t i) {
    const bool begins = is_word(code_[i + 1]) || code_[i + 1] == '(';
    const bool first = opens(code_[i - 1]) || code_[i - 1] == ' ';
    if ((code_[i] == '-' || code_[i] == '!') && begins && first) add(i, 1, "");
    for (const std::string_view lead : {" = "sv, "return "sv}) {
      if (i < lead.size() || !is_at(i - lead.size(), lead) || !is_word(code_[i]) || code_[i] == '0') continue;
      if (is_at(i, "std::move") || is_at(i, "true") || is_at(i, "false")) continue;
      const std::string value = code_.substr(i, end_of_arguments(code_, i) - i);
      const bool compares = std::any_of(comparisons.begin(), comparisons.end(),
                                        [&](std::string_view sign) { return value.find(sign) != value.npos; });
      if (!compares) add(i, 0, "-");
    }
  }

  /// A statement left out, if one begins at i and is neither a declaration nor made of others.
  void find_statement(std::size_t i) {
    const std::size_t last = code_.find_last_not_of(" \n", i - 1);
    if (last == code_.npos || ";{})"sv.find(code_[last]) == std::string_view::npos) return;
    const std::size_t end = end_of_arguments(code_, i);
    if (end >= code_.size() || code_[end] != ';' || end == i || code_[i] == '\n') return;
    const std::string_view statement = std::string_view(code_).substr(i, end - i);
    const std::string_view head = statement.substr(0, statement.find_first_of("([{=<"));
    const std::string_view word = statement.substr(0, statement.find_first_of(" ;:"));
    constexpr std::array others = {"return"sv, "using"sv,   "namespace"sv, "struct"sv, "class"sv, "enum"sv,
                                   "const"sv,  "auto"sv,    "static"sv,    "case"sv,   "if"sv,    "for"sv,
                                   "while"sv,  "default"sv, "template"sv,  "else"sv,   "do"sv,    "constexpr"sv};
    if (std::find(others.begin(), others.end(), word) != others.end()) return;
    // A type and a name: a declaration.
    const std::size_t blank = head.find(' ');
    if (word != "throw" && blank != head.npos && blank + 1 < head.size() && is_word(head[blank + 1])) return;
    add(i, end - i, "");
  }

  std::string file_, code_;
  std::vector<bool> message_;  ///< what stands in the same brackets as a string, after it
  std::vector<Fault> found_;
};

}  // namespace

std::vector<Fault> faults_in(const std::string& file, const std::string& text) { return Finder(file, text).find(); }

std::string with_fault(const std::string& text, const Fault& fault) {
  return std::string(text).replace(fault.begin, fault.length, fault.replacement);
}

std::size_t line_number(const std::string& text, std::size_t position) {
  return static_cast<std::size_t>(
             std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(position), '\n')) +
         1;
}

std::string line_at(const std::string& text, std::size_t position) {
  const std::size_t before = position == 0 ? text.npos : text.rfind('\n', position - 1);
  const std::size_t begin = before == text.npos ? 0 : before + 1;
  const std::string line = text.substr(begin, text.find('\n', position) - begin);
  const std::size_t first = line.find_first_not_of(' ');
  return first == line.npos ? "" : line.substr(first, line.find_last_not_of(' ') + 1 - first);
}

}  // namespace qisa::mutation
