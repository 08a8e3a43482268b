// A tally as an SVG bar chart, for a page or in the middle of Markdown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgchat {

struct TallyBar {
    std::string label;
    double value = 0;        // what the length of the bar shows; below 0 or not finite is as 0
    std::string value_text;  // what is written beside it
    bool is_first = false;   // drawn in the colour of those that are first
};

// An SVG document of one row a bar, in their order. It has a title and a description for those who do not see it, its
// own background, light or dark as the viewer prefers, and no blank line, so that Markdown takes it as one block; its
// first line is the opening tag alone. All texts are escaped, put on one line, and cut where the row ends; a group's
// title has the whole label. Colour alone tells nothing.
std::string tally_chart(std::string_view title, std::string_view description, const std::vector<TallyBar>& bars);

}  // namespace pgchat
