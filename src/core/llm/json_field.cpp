#include "core/llm/json_field.hpp"

#include <limits>
#include <sstream>

namespace pgchat {
namespace {

std::string shortest(double value) {
    std::ostringstream out;
    out << value;
    return out.str();
}

std::string_view example_of(std::string_view path) {
    if (path.starts_with("messages"))
        return R"(For example [{"role": "user", "content": "Hello"}]; roles are system, user, assistant and tool.)";
    if (path.starts_with("response_format")) return R"(It is a JSON Schema, or {"type": "json_object"}.)";
    if (path.starts_with("options")) return R"(For example {"temperature": 0.2, "max_tokens": 500}.)";
    return {};
}

}  // namespace

void JsonField::fail(const std::string& reason, std::string hint) const {
    if (hint.empty()) hint = example_of(path_);
    throw Error(code_, path_ + ": " + reason, std::move(hint));
}

const std::string& JsonField::text(const Json& value) const {
    if (!value.is_string()) fail("must be a string");
    return value.get_ref<const std::string&>();
}

const std::string& JsonField::non_empty_text(const Json& value) const {
    const std::string& result = text(value);
    if (result.empty()) fail("must not be empty");
    return result;
}

std::int64_t JsonField::integer(const Json& value) const {
    if (!value.is_number_integer()) fail("must be an integer");
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())
        fail("must be less than 2^63");
    return value.get<std::int64_t>();
}

std::int64_t JsonField::positive_integer(const Json& value) const {
    const std::int64_t result = integer(value);
    if (result <= 0) fail("must be greater than 0");
    return result;
}

double JsonField::number(const Json& value, double low, double high) const {
    if (!value.is_number()) fail("must be a number");
    const double result = value.get<double>();
    if (!(result >= low && result <= high)) fail("must be from " + shortest(low) + " to " + shortest(high));
    return result;
}

bool JsonField::boolean(const Json& value) const {
    if (!value.is_boolean()) fail("must be true or false");
    return value.get<bool>();
}

const Json& JsonField::object(const Json& value) const {
    if (!value.is_object()) fail("must be an object");
    return value;
}

const Json& JsonField::array(const Json& value) const {
    if (!value.is_array()) fail("must be an array");
    return value;
}

std::vector<std::string> JsonField::texts(const Json& value) const {
    if (value.is_string()) return {non_empty_text(value)};
    if (!value.is_array()) fail("must be a string or an array of strings");
    std::vector<std::string> result;
    for (std::size_t i = 0; i < value.size(); ++i) result.push_back(at(i).non_empty_text(value[i]));
    return result;
}

const Json& json_member(const Json& object, const char* name) {
    static const Json null;
    const auto found = object.find(name);
    return found == object.end() ? null : *found;
}

}  // namespace pgchat
