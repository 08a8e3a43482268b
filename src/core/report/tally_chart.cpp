// One viewBox unit is a pixel at the natural size. Contrast of text and bars is at least 4.5 and 3 to 1
// (WCAG 2.1, 1.4.3 and 1.4.11) in both schemes.
#include "core/report/tally_chart.hpp"

#include <algorithm>
#include <cmath>

#include "core/text/ascii.hpp"
#include "core/text/utf8.hpp"

namespace pgchat {
namespace {

constexpr int width = 640;
constexpr int margin = 20;
constexpr int head_height = 56;
constexpr int row_height = 48;
constexpr int bar_height = 14;
constexpr int row_units = 74;  // widths of a narrow character that a row has room for

// The classes have a prefix, for a page may hold other drawings.
constexpr std::string_view style =
    "<style>.pgct-bg{fill:#ffffff;stroke:#d0d7de}.pgct-text{fill:#1f2328}.pgct-track{fill:#eaeef2}"
    ".pgct-bar{fill:#57606a}.pgct-first{fill:#0969da}"
    "@media (prefers-color-scheme:dark){.pgct-bg{fill:#0d1117;stroke:#3d444d}.pgct-text{fill:#e6edf3}"
    ".pgct-track{fill:#21262d}.pgct-bar{fill:#8b949e}.pgct-first{fill:#58a6ff}}</style>\n";

// XML has no control characters and no U+FFFE and U+FFFF, not even as references.
std::string escaped(std::string_view text) {
    const std::string clean = clean_text(text);
    std::string out;
    for (std::size_t at = 0; at < clean.size(); ++at) {
        const char c = clean[at];
        const std::string_view rest = std::string_view(clean).substr(at, 3);
        if (is_ascii_control(c) || c == ' ') {
            if (!out.empty() && out.back() != ' ') out += ' ';
        } else if (rest == "\xEF\xBF\xBE" || rest == "\xEF\xBF\xBF") {
            out += replacement_character;
            at += 2;
        } else if (c == '&') {
            out += "&amp;";
        } else if (c == '<') {
            out += "&lt;";
        } else if (c == '>') {
            out += "&gt;";
        } else if (c == '"') {
            out += "&quot;";
        } else {
            out += c;
        }
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

std::size_t size_of_character(char lead) noexcept {
    const auto byte = static_cast<unsigned char>(lead);
    return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// Characters of three bytes and more are taken for wide ones.
int units_of(char lead) noexcept {
    return size_of_character(lead) > 2 ? 2 : 1;
}

int units_of(std::string_view text) {
    int units = 0;
    for (std::size_t at = 0; at < text.size(); at += size_of_character(text[at])) units += units_of(text[at]);
    return units;
}

std::string cut(std::string_view dirty, int room) {
    const std::string text = clean_text(dirty);
    if (units_of(text) <= room) return text;
    int units = 1;
    std::size_t at = 0;
    for (; at < text.size() && units + units_of(text[at]) <= room; at += size_of_character(text[at]))
        units += units_of(text[at]);
    return text.substr(0, at) + "\xE2\x80\xA6";
}

std::string text_at(int x, int y, std::string_view attributes, std::string_view content) {
    return "<text class=\"pgct-text\" x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) + "\"" +
           std::string(attributes) + ">" + escaped(content) + "</text>";
}

std::string rectangle(std::string_view css, int y, int length) {
    return "<rect class=\"" + std::string(css) + "\" x=\"" + std::to_string(margin) + "\" y=\"" + std::to_string(y) +
           "\" width=\"" + std::to_string(length) + "\" height=\"" + std::to_string(bar_height) + "\" rx=\"3\"/>";
}

double length_of(const TallyBar& bar) {
    return std::isfinite(bar.value) ? std::max(bar.value, 0.0) : 0.0;
}

}  // namespace

std::string tally_chart(std::string_view title, std::string_view description, const std::vector<TallyBar>& bars) {
    const int height = head_height + row_height * static_cast<int>(bars.size()) + margin / 2;
    const std::string size = std::to_string(width) + "\" height=\"" + std::to_string(height);
    double longest = 0;
    for (const TallyBar& bar : bars) longest = std::max(longest, length_of(bar));
    std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + size + "\" viewBox=\"0 0 " +
                      std::to_string(width) + " " + std::to_string(height) +
                      "\" role=\"img\" style=\"max-width:100%;height:auto\" font-family=\"system-ui, sans-serif\" "
                      "font-size=\"14\">\n<title>" +
                      escaped(title) + "</title>\n<desc>" + escaped(description) + "</desc>\n";
    svg += style;
    svg += "<rect class=\"pgct-bg\" x=\"0.5\" y=\"0.5\" width=\"" + std::to_string(width - 1) + "\" height=\"" +
           std::to_string(height - 1) + "\" rx=\"6\"/>\n";
    svg += text_at(margin, 34, " font-size=\"16\" font-weight=\"600\"", cut(title, 62)) + "\n";
    int y = head_height;
    for (const TallyBar& bar : bars) {
        const std::string value = cut(bar.value_text, row_units / 2);
        const double share = longest > 0 ? length_of(bar) / longest : 0;
        svg += "<g><title>" + escaped(bar.label + ": " + bar.value_text) + "</title>";
        svg += text_at(margin, y + 12, "", cut(bar.label, row_units - units_of(value) - 2));
        svg += text_at(width - margin, y + 12, " text-anchor=\"end\"", value);
        svg += rectangle("pgct-track", y + 20, width - 2 * margin);
        if (share > 0)
            svg += rectangle(bar.is_first ? "pgct-first" : "pgct-bar", y + 20,
                             std::max(2, static_cast<int>(std::lround(share * (width - 2 * margin)))));
        svg += "</g>\n";
        y += row_height;
    }
    return svg + "</svg>";
}

}  // namespace pgchat
