// JSON from files that nobody vouches for: a key that occurs twice and deep nesting are errors.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace qisa {

/// The value of a JSON text. Throws Error unless it is JSON in UTF-8, no object has a key twice, and lists and
/// objects lie at most `depth` deep within each other: [[1]] has depth 2.
nlohmann::json parse_json(const std::string& text, int depth);

}  // namespace qisa
