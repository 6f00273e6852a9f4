#include "tensor/files/json.hpp"

#include <set>
#include <vector>

#include "tensor/error.hpp"

namespace qisa {

nlohmann::json parse_json(std::string_view text, int depth, const JsonVisitor& visit) {
  const auto check_depth = [&](int around, JsonEvent event, nlohmann::json& value) {
    const bool opens = event == JsonEvent::object_start || event == JsonEvent::array_start;
    require(!opens || around < depth, "lists and objects lie more than {} deep within each other", depth);
    return visit(around, event, value);
  };
  // The parser takes a zero byte for the end, and passes over a byte-order mark.
  const std::size_t wrong = text.starts_with("\xef\xbb\xbf") ? 0 : text.find('\0');
  require(wrong == text.npos, "not JSON in UTF-8 at byte {}", wrong + 1);
  try {
    return nlohmann::json::parse(text, check_depth);
  } catch (const nlohmann::json::parse_error& error) {
    throw_error("not JSON in UTF-8 at byte {}", error.byte);
  } catch (const nlohmann::json::out_of_range&) {
    throw_error("a number beyond what a double can be");
  }
}

nlohmann::json parse_json(std::string_view text, int depth) {
  std::vector<std::set<std::string>> keys(depth + 1);  // of the open objects, by depth
  return parse_json(text, depth, [&](int around, JsonEvent event, nlohmann::json& value) {
    std::set<std::string>& known = keys[around];
    if (event == JsonEvent::object_start) keys[around + 1].clear();
    if (event == JsonEvent::key) {
      require(known.insert(value).second, "the key {} occurs twice", quoted_for_error(value.get<std::string>()));
    }
    return true;
  });
}

void require_utf8(std::string_view text) {
  try {
    (void)nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error&) {
    throw_error("a text in a file must be UTF-8, which {} is not", quoted_for_error(text));
  }
}

std::string quoted_for_error(std::string_view text) {
  const std::string_view start = text.substr(0, 80);
  return nlohmann::json(start).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
         (start.size() < text.size() ? "..." : "");
}

}  // namespace qisa
