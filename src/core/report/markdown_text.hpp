// Text of models inside a report in Markdown (CommonMark 0.30): it reads as it was meant, and changes nothing around
// it.
//
// In both forms HTML is shown as text, also in code, for where code begins and ends is for each renderer to say, and a
// wrong guess would let HTML through. Pictures are shown as text, for they would be fetched from where their author
// likes as soon as the report is looked at. Headings become bold lines, or keep their signs where they have emphasis of
// their own, and definitions of links, which hold for a whole document, are text.
#pragma once

#include <string>
#include <string_view>

namespace pgchat {

// A text of several paragraphs for the body of a report: emphasis, lists and links are kept; code blocks are text, too.
std::string markdown_prose(std::string_view text);

// A text as a quotation, which ends where the text does, code blocks included.
std::string markdown_quote(std::string_view text);

}  // namespace pgchat
