#include "nn/files/strict_json.hpp"

#include <set>
#include <vector>

#include "tensor/error.hpp"
#include "tensor/files/safetensors_header.hpp"

namespace qisa {

nlohmann::json parse_json(const std::string& text, int depth) {
  using Json = nlohmann::json;
  std::vector<std::set<std::string>> keys;  // of the open objects and, empty, lists
  const auto check_event = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
      keys.emplace_back();
      require(std::ssize(keys) <= depth, "lists and objects lie more than {} deep within each other", depth);
    } else if (event == Json::parse_event_t::object_end || event == Json::parse_event_t::array_end) {
      keys.pop_back();
    } else if (event == Json::parse_event_t::key) {
      const auto& key = value.get_ref<const std::string&>();
      require(keys.back().insert(key).second, "the key {} occurs twice", quoted_for_error(key));
    }
    return true;
  };
  try {
    return Json::parse(text, check_event);
  } catch (const Json::exception&) {
    throw_error("it is not JSON in UTF-8");
  }
}

}  // namespace qisa
