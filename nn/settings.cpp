#include "nn/settings.hpp"

#include <cmath>

#include "nn/attention/mechanism.hpp"

namespace qisa {

void ModelSettings::validate() const {
  for_each_setting(*this, []<class Value>(const char* name, const Value& value, const char*, int largest) {
    if constexpr (std::is_same_v<Value, Index>) {
      require(value >= 1 && value <= largest, "{} must be from 1 to {}, not {}", name, largest, value);
    }
  });
  require(n_embd % n_head == 0, "n_embd {} must be a multiple of n_head {}", n_embd, n_head);
  find_mechanism(attention);
}

Initial ModelSettings::weight_initial(Index fan_in, bool residual) const {
  if (init == Initialization::paper) return Initial::uniform(1 / std::sqrt(static_cast<double>(fan_in)));
  return Initial::normal(residual ? 0.02 / std::sqrt(2.0 * static_cast<double>(n_layer)) : 0.02);
}

Initial ModelSettings::bias_initial(Index fan_in) const {
  return init == Initialization::paper ? weight_initial(fan_in) : Initial::constant(0);
}

Initial ModelSettings::embedding_initial() const { return Initial::normal(init == Initialization::paper ? 1 : 0.02); }

std::map<std::string, std::string> to_text(const ModelSettings& settings) {
  std::map<std::string, std::string> text;
  for_each_setting(settings, [&](const char* name, const auto& value, auto...) { text[name] = setting_text(value); });
  return text;
}

ModelSettings settings_from_text(const std::map<std::string, std::string>& text) {
  ModelSettings settings;
  auto unread = text;
  for_each_setting(settings, [&](const char* name, auto& value, auto...) {
    const auto found = unread.extract(name);
    require(!found.empty(), "the setting {} is missing", name);
    read_setting(name, found.mapped(), value);
  });
  require(unread.empty(), "there is no setting {}", unread.empty() ? "" : unread.begin()->first);
  return settings;
}

}  // namespace qisa
