#include "core/llm/ndjson.hpp"

namespace pgchat {

bool NdjsonParser::take_line(std::string_view line, bool complete, NdjsonHandler& handler) {
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return true;
    const std::size_t last = line.find_last_not_of(" \t\r");
    stopped_ = !handler.on_line(line.substr(first, last - first + 1), complete);
    return !stopped_;
}

bool NdjsonParser::feed(std::string_view bytes, NdjsonHandler& handler) {
    while (!stopped_ && !bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view piece = bytes.substr(0, end);
        if (line_.size() + piece.size() > max_bytes_) {
            too_long_ = stopped_ = true;
            return false;
        }
        if (end == std::string_view::npos) {
            line_.append(piece);
            return true;
        }
        bytes.remove_prefix(end + 1);
        if (line_.empty()) {
            take_line(piece, true, handler);
            continue;
        }
        line_.append(piece);
        take_line(line_, true, handler);
        line_.clear();
    }
    return !stopped_;
}

bool NdjsonParser::finish(NdjsonHandler& handler) {
    return !stopped_ && take_line(line_, false, handler);
}

}  // namespace pgchat
