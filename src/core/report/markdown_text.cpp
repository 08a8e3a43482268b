// Works line by line; only code blocks of a quotation carry something from one to the next.
#include "core/report/markdown_text.hpp"

#include <algorithm>
#include <vector>

#include "core/text/ascii.hpp"

namespace pgchat {
namespace {

constexpr std::string_view blanks = " \t";

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

bool begins_tag(char c) noexcept {
    return (is_ascii_alnum(c) && !(c >= '0' && c <= '9')) || c == '/' || c == '!' || c == '?';
}

void replace_all(std::string& text, std::string_view part, std::string_view replacement) {
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + replacement.size()))
        text.replace(at, part.size(), replacement);
}

// Whether a link may lead to what begins here: a page or an address, and nothing that a reader's program would run.
bool is_page(std::string_view destination) {
    // It may begin on the next line, even of a quotation.
    destination.remove_prefix(std::min(destination.find_first_not_of(" \t\r\n>"), destination.size()));
    for (const std::string_view scheme : {"http://", "https://", "mailto:"})
        if (equal_ignoring_case(destination.substr(0, scheme.size()), scheme)) return true;
    const std::string_view path = destination.substr(0, destination.find_first_of(" \t\r\n)"));
    return path.find_first_of(":&\\<") == std::string_view::npos;
}

std::string harmless(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 16);
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        const char next = at + 1 < text.size() ? text[at + 1] : '\0';
        if (c == '\r' || c == '\f' || c == '\v') {
            if (c != '\r' || next != '\n') out += '\n';
        } else if (c == '<' && begins_tag(next)) {
            out += "&lt;";
        } else if (c == '!' && next == '[') {
            out += "!\\";
        } else if (c == ']' && next == '(' && !is_page(text.substr(at + 2))) {
            out += "]\\";
        } else {
            out += c;
        }
    }
    return out;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    for (;;) {
        const std::size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return lines;
        text.remove_prefix(end + 1);
    }
}

// The length of what opens lists and quotations at the start of a line, indentation included.
std::size_t container_size(std::string_view line) {
    std::size_t at = 0;
    const auto is_at = [&](std::size_t index, std::string_view set) {
        return index < line.size() && set.find(line[index]) != std::string_view::npos;
    };
    for (;;) {
        std::size_t digits = at;
        while (is_at(digits, "0123456789") && digits - at < 9) ++digits;
        if (is_at(at, blanks))
            ++at;
        else if (is_at(at, "-*+>") && is_at(at + 1, " \t>"))
            ++at;
        else if (digits > at && is_at(digits, ".)") && is_at(digits + 1, blanks))
            at = digits + 1;
        else
            return at;
    }
}

std::string escaped_at(std::string_view line, std::size_t at) {
    return std::string(line.substr(0, at)) + "\\" + std::string(line.substr(at));
}

std::string heading_as_text(std::string_view line, std::size_t at, std::size_t signs) {
    const std::string_view body = trimmed(line.substr(at + signs), " \t#");
    if (body.empty() || body.find_first_of("*_`") != std::string_view::npos) return escaped_at(line, at);
    return std::string(line.substr(0, at)) + "**" + std::string(body) + "**";
}

// A line outside code, which stays one line but for a rule: under a text that would make a heading of it.
std::string plain_line(std::string_view line) {
    const std::size_t at = container_size(line);
    const std::string_view rest = line.substr(at);
    const std::size_t signs = std::min(rest.find_first_not_of('#'), rest.size());
    if (signs >= 1 && signs <= 6 && (signs == rest.size() || is_blank(rest[signs])))
        return heading_as_text(line, at, signs);
    if (!rest.empty() && rest[0] == '=' && trimmed(rest, " \t=").empty()) return escaped_at(line, at);
    const std::string_view bare = trimmed(line, blanks);
    if (!bare.empty() && trimmed(bare, "-").empty()) return "\n" + std::string(line);
    if (bare.starts_with('[') && bare.find("]:") != std::string_view::npos) return escaped_at(line, line.find('['));
    // Also in lists and quotations, and where the label began on a line before.
    std::string plain(line);
    replace_all(plain, "]:", "]\\:");
    return plain;
}

// What opens or ends a code block: the run of its signs, empty where a line has none.
std::string_view fence_of(std::string_view line) {
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    const std::string_view rest = line.substr(indent);
    if (indent > 3 || rest.empty() || (rest[0] != '`' && rest[0] != '~')) return {};
    const std::string_view run = rest.substr(0, std::min(rest.find_first_not_of(rest[0]), rest.size()));
    return run.size() < 3 ? std::string_view() : run;
}

class CodeBlocks {
public:
    // Whether a line belongs to a code block, its fences included.
    bool takes(std::string_view line) {
        const std::string_view fence = fence_of(line);
        const std::string_view behind =
            fence.empty() ? std::string_view()
                          : line.substr(static_cast<std::size_t>(fence.data() - line.data()) + fence.size());
        if (open_.empty()) {
            if (fence.empty() || (fence[0] == '`' && behind.find('`') != std::string_view::npos)) return false;
            open_ = fence;
        } else if (!fence.empty() && fence[0] == open_[0] && fence.size() >= open_.size() &&
                   trimmed(behind, blanks).empty()) {
            open_ = {};
        }
        return true;
    }

    std::string_view open() const noexcept { return open_; }

private:
    std::string_view open_;
};

}  // namespace

std::string markdown_prose(std::string_view text) {
    const std::string clean = harmless(text);
    std::string out;
    for (const std::string_view line : lines_of(clean)) out += plain_line(line) + "\n";
    replace_all(out, "```", "\\`\\`\\`");
    replace_all(out, "~~~", "\\~\\~\\~");
    return std::string(trimmed(out, " \t\n"));
}

std::string markdown_quote(std::string_view text) {
    const std::string clean = harmless(trimmed(text));
    std::string quoted;
    CodeBlocks blocks;
    for (const std::string_view line : lines_of(clean))
        quoted += (blocks.takes(line) ? std::string(line) : plain_line(line)) + "\n";
    quoted += blocks.open();
    if (quoted.ends_with('\n')) quoted.pop_back();
    replace_all(quoted, "\n", "\n> ");
    return "> " + quoted;
}

}  // namespace pgchat
