// JSON from files that nobody vouches for.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace qisa {

/// What parse_json() has just read: nlohmann-json's event, and the value or key; `depth` counts the lists and objects
/// around it. False for a value leaves it out of the result.
using JsonEvent = nlohmann::json::parse_event_t;
using JsonVisitor = std::function<bool(int depth, JsonEvent event, nlohmann::json& value)>;

/// The value of a JSON text. Throws Error unless it is JSON in UTF-8, and lists and objects lie at most `depth` deep
/// within each other: [[1]] has depth 2. If an object has a key twice, the last one counts.
nlohmann::json parse_json(std::string_view text, int depth, const JsonVisitor& visit);
/// The same, but a key that occurs twice in one object is an Error.
nlohmann::json parse_json(std::string_view text, int depth);

/// Throws unless the text is UTF-8.
void require_utf8(std::string_view text);

/// `text` in quotes for an error message: on one line and cut when it is long.
std::string quoted_for_error(std::string_view text);

}  // namespace qisa
