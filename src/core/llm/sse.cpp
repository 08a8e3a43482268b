#include "core/llm/sse.hpp"

#include <cstring>

namespace pgchat {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// Finds line ends in one buffer, each byte looked at once for LF and once for CR, whatever the mix.
class LineEnds {
public:
    explicit LineEnds(std::string_view bytes) : bytes_(bytes), lf_(find('\n', 0)), cr_(find('\r', 0)) {}

    // The first line end at or after `from`; bytes.size() where there is none.
    std::size_t next(std::size_t from) {
        if (lf_ < from) lf_ = find('\n', from);
        if (cr_ < from) cr_ = find('\r', from);
        return lf_ < cr_ ? lf_ : cr_;
    }

private:
    std::size_t find(char c, std::size_t from) const {
        if (from >= bytes_.size()) return bytes_.size();
        const void* hit = std::memchr(bytes_.data() + from, c, bytes_.size() - from);
        return hit == nullptr ? bytes_.size() : static_cast<std::size_t>(static_cast<const char*>(hit) - bytes_.data());
    }

    std::string_view bytes_;
    std::size_t lf_;
    std::size_t cr_;
};

}  // namespace

bool SseParser::refuse() {
    too_long_ = true;
    stopped_ = true;
    return false;
}

std::string_view SseParser::without_bom(std::string_view bytes) {
    while (bom_matched_ < byte_order_mark.size() && !bytes.empty()) {
        if (bytes[0] != byte_order_mark[bom_matched_]) {
            line_.assign(byte_order_mark.substr(0, bom_matched_));
            bom_matched_ = byte_order_mark.size();
            break;
        }
        bytes.remove_prefix(1);
        ++bom_matched_;
    }
    return bytes;
}

bool SseParser::feed(std::string_view bytes, SseHandler& handler) {
    if (stopped_) return false;
    if (bom_matched_ < byte_order_mark.size()) bytes = without_bom(bytes);
    LineEnds ends(bytes);
    std::size_t at = 0;
    while (at < bytes.size()) {
        if (skip_lf_) {
            skip_lf_ = false;
            if (bytes[at] == '\n') {
                ++at;
                continue;
            }
        }
        const std::size_t end = ends.next(at);
        const std::string_view piece = bytes.substr(at, end - at);
        if (line_.size() + piece.size() > max_bytes_) return refuse();
        if (end == bytes.size()) {
            line_.append(piece);
            break;
        }
        skip_lf_ = bytes[end] == '\r';
        at = end + 1;
        if (line_.empty()) {
            if (!take_line(piece, handler)) return false;
            continue;
        }
        line_.append(piece);
        const bool go_on = take_line(line_, handler);
        keep_data();
        line_.clear();
        if (!go_on) return false;
    }
    keep_data();
    return true;
}

bool SseParser::finish(SseHandler& handler) {
    if (stopped_) return false;
    if (!line_.empty() && !take_line(line_, handler)) return false;
    return !has_data_ || dispatch(handler, false);
}

// One line without its end (WHATWG: "process the field").
bool SseParser::take_line(std::string_view line, SseHandler& handler) {
    if (line.empty()) return dispatch(handler, true);
    const std::size_t colon = line.find(':');
    const std::string_view field = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (field == "data") {
        recognised_ = true;
        return take_data(value);
    }
    if (field == "event") {
        recognised_ = true;
        name_.assign(value);
    } else if (colon == 0 || field == "id" || field == "retry") {
        recognised_ = true;
    }
    return true;
}

bool SseParser::take_data(std::string_view value) {
    if (!has_data_) {
        has_data_ = true;
        view_ = value;
        view_is_foreign_ = true;
        return true;
    }
    keep_data();
    if (data_.size() + 1 + value.size() > max_bytes_) return refuse();
    data_.append(1, '\n').append(value);
    return true;
}

void SseParser::keep_data() {
    if (view_is_foreign_) data_.assign(view_);
    view_is_foreign_ = false;
}

bool SseParser::dispatch(SseHandler& handler, bool complete) {
    const bool go_on =
        !has_data_ || handler.on_event(name_, view_is_foreign_ ? view_ : std::string_view(data_), complete);
    has_data_ = false;
    view_is_foreign_ = false;
    data_.clear();
    name_.clear();
    if (!go_on) stopped_ = true;
    return go_on;
}

}  // namespace pgchat
