// Frames events: SSE or NDJSON inside, HTTP chunks around, written straight into the output buffer.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace mock {

class EventWriter {
public:
    // `crlf`: SSE lines end in CRLF. `chunked`: each event becomes a chunk of its own.
    EventWriter(std::string& out, bool chunked, bool crlf)
        : out_(out), newline_(crlf ? "\r\n" : "\n"), chunked_(chunked) {}

    // One SSE event whose data is the concatenation of `data`; no event line where `name` is empty.
    void sse(std::string_view name, std::initializer_list<std::string_view> data) {
        size_t size = 6 + length(data) + 2 * newline_.size();
        if (!name.empty()) size += 7 + name.size() + newline_.size();
        begin_chunk(size);
        if (!name.empty()) ((out_ += "event: ") += name) += newline_;
        out_ += "data: ";
        for (const std::string_view part : data) out_ += part;
        (out_ += newline_) += newline_;
        end_chunk();
    }

    // One line of NDJSON.
    void line(std::initializer_list<std::string_view> data) {
        begin_chunk(length(data) + 1);
        for (const std::string_view part : data) out_ += part;
        out_ += '\n';
        end_chunk();
    }

    // Bytes as they are, in a chunk of their own.
    void raw(std::string_view bytes) {
        begin_chunk(bytes.size());
        out_ += bytes;
        end_chunk();
    }

    // The end of the body.
    void finish() {
        if (chunked_) out_ += "0\r\n\r\n";
    }

private:
    static size_t length(std::initializer_list<std::string_view> parts) {
        size_t size = 0;
        for (const std::string_view part : parts) size += part.size();
        return size;
    }
    void begin_chunk(size_t size) {
        if (!chunked_) return;
        char hex[16];
        size_t at = sizeof hex;
        do {
            hex[--at] = "0123456789abcdef"[size & 15];
            size >>= 4;
        } while (size != 0);
        out_.append(hex + at, sizeof hex - at).append("\r\n");
    }
    void end_chunk() {
        if (chunked_) out_ += "\r\n";
    }

    std::string& out_;
    std::string_view newline_;
    bool chunked_;
};

}  // namespace mock
