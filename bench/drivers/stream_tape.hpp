// What one reader received of one stream: checks the order of its events and notes when they came.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

class StreamTape {
public:
    // One event, `now` being the time in ns at which it was received. Ages of the stamps in it go to `ages_ms`.
    void take(int64_t now, int seq, std::string_view kind, std::string_view delta, std::vector<double>& ages_ms) {
        in_order_ &= !ended() && seq == ++last_seq_;
        if (kind != "content") {
            kind_of_end_ = kind;
            ended_at_ = now;
            return;
        }
        if (text_.empty()) first_at_ = now;
        text_ += delta;
        read_stamps(now, ages_ms);
    }

    bool begun() const { return first_at_ != 0; }
    bool ended() const { return ended_at_ != 0; }
    int64_t first_at() const { return first_at_; }
    int64_t ended_at() const { return ended_at_; }
    long tokens() const { return tokens_; }
    double first_age_ms() const { return first_age_ms_; }
    // Ended well, sequence numbers without a gap, tokens numbered 0, 1, 2 …, and the text that is stored.
    bool is_whole(std::string_view stored, long tokens) const {
        return in_order_ && kind_of_end_ == "done" && tokens_ == tokens && text_ == stored;
    }

private:
    // Tokens are "<i>:<ns> "; a token may come in parts.
    void read_stamps(int64_t now, std::vector<double>& ages_ms) {
        for (size_t space; (space = text_.find(' ', read_)) != std::string::npos; read_ = space + 1) {
            long index = -1;
            int64_t stamp = 0;
            const char* const end = text_.data() + space;
            const auto number = std::from_chars(text_.data() + read_, end, index);
            const bool well = number.ptr != end && *number.ptr == ':' &&
                              std::from_chars(number.ptr + 1, end, stamp).ptr == end && index == tokens_;
            in_order_ &= well;
            ++tokens_;
            ages_ms.push_back(static_cast<double>(now - stamp) / 1e6);
            if (tokens_ == 1) first_age_ms_ = ages_ms.back();
        }
    }

    std::string text_;
    std::string kind_of_end_;
    size_t read_ = 0;
    long tokens_ = 0;
    int last_seq_ = 0;
    bool in_order_ = true;
    int64_t first_at_ = 0;
    int64_t ended_at_ = 0;
    double first_age_ms_ = 0;
};

}  // namespace bench
