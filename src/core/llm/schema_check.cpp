#include "core/llm/schema_check.hpp"

#include <algorithm>
#include <cmath>

#include "core/text/utf8.hpp"

namespace pgchat {
namespace {

using Fault = std::optional<std::string>;

// Subschemas that a check may try, and values that it may compare: some 100 ms of work.
constexpr std::size_t most_steps = 500'000;
constexpr int most_nested_schemas = 200;
constexpr std::size_t most_shown = 80;

class TooMuchWork {};

const SortedJson* member(const SortedJson& schema, const char* name) {
    const auto found = schema.find(name);
    return found == schema.end() ? nullptr : &*found;
}

bool is_whole(const SortedJson& value) {
    if (value.is_number_integer()) return true;
    return value.is_number_float() && std::floor(value.get<double>()) == value.get<double>();
}

bool has_type(const SortedJson& value, const std::string& type) {
    if (type == "integer") return is_whole(value);
    if (type == "number") return value.is_number();
    if (type == "string") return value.is_string();
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "boolean") return value.is_boolean();
    return type != "null" || value.is_null();
}

// The beginning of the value as JSON, however large all of it is.
void show(const SortedJson& value, std::string& text) {
    if (value.is_string()) {
        const std::string_view beginning = truncate_text(value.get_ref<const std::string&>(), most_shown + 1);
        text += SortedJson(beginning).dump(-1, ' ', false, SortedJson::error_handler_t::replace);
    } else if (!value.is_structured()) {
        text += value.dump();
    } else {
        text += value.is_array() ? '[' : '{';
        for (auto each = value.begin(); each != value.end() && text.size() <= most_shown; ++each) {
            if (each != value.begin()) text += ',';
            if (value.is_object()) text.append("\"").append(truncate_text(each.key(), most_shown)).append("\":");
            show(*each, text);
        }
        text += value.is_array() ? ']' : '}';
    }
}

std::string shown(const SortedJson& value) {
    std::string text;
    show(value, text);
    return text.size() <= most_shown ? text : std::string(truncate_text(text, most_shown)) + "…";
}

// What comparing with the value may take.
std::size_t weight_of(const SortedJson& value) {
    if (value.is_string()) return 1 + value.get_ref<const std::string&>().size() / 64;
    return 1 + (value.is_structured() ? value.size() : 0);
}

class SchemaCheck {
public:
    explicit SchemaCheck(const SortedJson& root) : root_(root) {}

    Fault check(const SortedJson& schema, const SortedJson& value, const std::string& path) {
        take_steps(1);
        if (schema.is_boolean()) return schema == true ? Fault() : path + ": must not be there";
        if (!schema.is_object()) return std::nullopt;
        if (depth_ == most_nested_schemas) throw TooMuchWork{};
        ++depth_;
        Fault fault = check_all(schema, value, path);
        --depth_;
        return fault;
    }

private:
    void take_steps(std::size_t count) {
        if (count > steps_left_) throw TooMuchWork{};
        steps_left_ -= count;
    }

    Fault check_all(const SortedJson& schema, const SortedJson& value, const std::string& path) {
        using Part = Fault (SchemaCheck::*)(const SortedJson&, const SortedJson&, const std::string&);
        constexpr Part parts[] = {&SchemaCheck::check_reference, &SchemaCheck::check_type,
                                  &SchemaCheck::check_number,    &SchemaCheck::check_text,
                                  &SchemaCheck::check_object,    &SchemaCheck::check_array,
                                  &SchemaCheck::check_combined,  &SchemaCheck::check_condition};
        for (const Part part : parts)
            if (Fault fault = (this->*part)(schema, value, path)) return fault;
        return std::nullopt;
    }

    Fault check_reference(const SortedJson& schema, const SortedJson& value, const std::string& path) {
        const SortedJson* const reference = member(schema, "$ref");
        if (reference == nullptr || !reference->is_string()) return std::nullopt;
        const std::string& target = reference->get_ref<const std::string&>();
        if (!target.starts_with('#')) return std::nullopt;
        try {
            const SortedJson::json_pointer place(target.substr(1));
            if (!root_.contains(place)) return std::nullopt;
            return check(root_.at(place), value, path);
        } catch (const SortedJson::exception&) {
            return std::nullopt;  // an anchor, or no place at all
        }
    }

    Fault check_type(const SortedJson& schema, const SortedJson& value, const std::string& path) {
        if (const SortedJson* const type = member(schema, "type")) {
            take_steps(weight_of(*type));
            const SortedJson types = type->is_array() ? *type : SortedJson::array({*type});
            const auto fits = [&](const SortedJson& one) {
                return !one.is_string() || has_type(value, one.get_ref<const std::string&>());
            };
            if (std::none_of(types.begin(), types.end(), fits)) return path + ": must be of type " + shown(*type);
        }
        if (const SortedJson* const allowed = member(schema, "enum"); allowed != nullptr && allowed->is_array()) {
            take_steps(allowed->size() * weight_of(value));
            if (std::find(allowed->begin(), allowed->end(), value) == allowed->end())
                return path + ": must be one of " + shown(*allowed);
        }
        const SortedJson* const constant = member(schema, "const");
        if (constant == nullptr) return std::nullopt;
        take_steps(weight_of(value));
        if (*constant != value) return path + ": must be " + shown(*constant);
        return std::nullopt;
    }

    Fault check_number(const SortedJson& schema, const SortedJson& value, const std::string& path) {
        if (!value.is_number()) return std::nullopt;
        const auto limit = [&](const char* name) {
            const SortedJson* const found = member(schema, name);
            return found != nullptr && found->is_number() ? found : nullptr;
        };
        if (const auto* low = limit("minimum"); low && value < *low) return path + ": must be at least " + shown(*low);
        if (const auto* high = limit("maximum"); high && value > *high)
            return path + ": must be at most " + shown(*high);
        if (const auto* low = limit("exclusiveMinimum"); low && value <= *low)
            return path + ": must be greater than " + shown(*low);
        if (const auto* high = limit("exclusiveMaximum"); high && value >= *high)
            return path + ": must be less than " + shown(*high);
        if (const auto* unit = limit("multipleOf"); unit && unit->get<double>() > 0) {
            const double quotient = value.get<double>() / unit->get<double>();
            const double nearest = std::round(quotient);
            if (std::abs(quotient - nearest) > 1e-9 * std::max(1.0, std::abs(nearest)))
                return path + ": must be a multiple of " + shown(*unit);
        }
        return std::nullopt;
    }

    // A count that the schema bounds from both sides.
    static Fault check_count(const SortedJson& schema, std::size_t count, const char* least, const char* most,
                             const std::string& path, const char* unit) {
        const auto bound = [&](const char* name) {
            const SortedJson* const found = member(schema, name);
            return found != nullptr && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
        };
        if (const auto low = bound(least); low && static_cast<double>(count) < *low)
            return path + ": must have at least " + shown(schema.at(least)) + unit;
        if (const auto high = bound(most); high && static_cast<double>(count) > *high)
            return path + ": must have at most " + shown(schema.at(most)) + unit;
        return std::nullopt;
    }

    Fault check_text(const SortedJson& schema, const SortedJson& value, const std::string& path) {
        if (!value.is_string() || (!schema.contains("minLength") && !schema.contains("maxLength"))) return std::nullopt;
        const std::string& text = value.get_ref<const std::string&>();
        take_steps(text.size() / 1024);
        return check_count(schema, character_count(text), "minLength", "maxLength", path, " characters");
    }

    Fault check_object(const SortedJson& schema, const SortedJson& value, const std::string& path) {
        if (!value.is_object()) return std::nullopt;
        if (const SortedJson* const required = member(schema, "required");
            required != nullptr && required->is_array()) {
            take_steps(required->size());
            for (const SortedJson& name : *required)
                if (name.is_string() && !value.contains(name.get_ref<const std::string&>()))
                    return path + ": lacks " + shown(name);
        }
        const SortedJson* const properties = member(schema, "properties");
        const SortedJson* const others =
            schema.contains("patternProperties") ? nullptr : member(schema, "additionalProperties");
        if (properties != nullptr || others != nullptr) {
            for (const auto& [name, entry] : value.items()) {
                const SortedJson* part =
                    properties != nullptr && properties->is_object() ? member(*properties, name.c_str()) : nullptr;
                if (part == nullptr) part = others;
                if (part == nullptr) continue;
                if (Fault fault = check(*part, entry, path + '.' + std::string(truncate_text(name, most_shown))))
                    return fault;
            }
        }
        return check_count(schema, value.size(), "minProperties", "maxProperties", path, " members");
    }

    Fault check_array(const SortedJson& schema, const SortedJson& value, const std::string& path) {
        if (!value.is_array()) return std::nullopt;
        const SortedJson* items = member(schema, "items");
        const SortedJson* leading = member(schema, "prefixItems");
        if (items != nullptr && items->is_array()) {
            leading = items;
            items = member(schema, "additionalItems");
        }
        const std::size_t led = leading != nullptr && leading->is_array() ? leading->size() : 0;
        for (std::size_t i = 0; i < value.size(); ++i) {
            const SortedJson* const part = i < led ? &(*leading)[i] : items;
            if (part == nullptr) continue;
            if (Fault fault = check(*part, value[i], path + '[' + std::to_string(i) + ']')) return fault;
        }
        if (const SortedJson* const unique = member(schema, "uniqueItems"); unique != nullptr && *unique == true) {
            std::vector<const SortedJson*> sorted;
            for (const SortedJson& element : value) sorted.push_back(&element);
            take_steps(16 * sorted.size());
            std::sort(sorted.begin(), sorted.end(), [](const auto* left, const auto* right) { return *left < *right; });
            const auto same = [](const auto* left, const auto* right) { return *left == *right; };
            if (std::adjacent_find(sorted.begin(), sorted.end(), same) != sorted.end())
                return path + ": must not have an element twice";
        }
        return check_count(schema, value.size(), "minItems", "maxItems", path, " elements");
    }

    Fault check_combined(const SortedJson& schema, const SortedJson& value, const std::string& path) {
        const auto parts = [&](const char* name) {
            const SortedJson* const found = member(schema, name);
            return found != nullptr && found->is_array() ? found : nullptr;
        };
        const auto fits = [&](const SortedJson& part) { return !check(part, value, path); };
        if (const auto* all = parts("allOf"))
            for (const SortedJson& part : *all)
                if (Fault fault = check(part, value, path)) return fault;
        if (const auto* any = parts("anyOf"); any && std::none_of(any->begin(), any->end(), fits))
            return path + ": fits no part of anyOf";
        if (const auto* one = parts("oneOf"); one && std::count_if(one->begin(), one->end(), fits) != 1)
            return path + ": must fit exactly one part of oneOf";
        if (const SortedJson* const refused = member(schema, "not"); refused != nullptr && fits(*refused))
            return path + ": is what the schema forbids";
        return std::nullopt;
    }

    Fault check_condition(const SortedJson& schema, const SortedJson& value, const std::string& path) {
        const SortedJson* const condition = member(schema, "if");
        if (condition == nullptr) return std::nullopt;
        const SortedJson* const part = member(schema, check(*condition, value, path) ? "else" : "then");
        return part == nullptr ? std::nullopt : check(*part, value, path);
    }

    const SortedJson& root_;
    std::size_t steps_left_ = most_steps;
    int depth_ = 0;
};

}  // namespace

Fault schema_fault(const SortedJson& schema, const SortedJson& value) {
    try {
        return SchemaCheck(schema).check(schema, value, "$");
    } catch (const TooMuchWork&) {
        return "$: the schema takes too long to check";
    }
}

}  // namespace pgchat
