// Messages as JSON text, as requests to providers and what is told of a branch have them: as a tree, a long
// conversation would be copied only to be written.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/llm/chat_request.hpp"

namespace pgchat {

class MessageList {
public:
    // With room for so many messages, of so many bytes of text in all.
    MessageList(std::size_t messages, std::size_t bytes);

    // {"role":…,"content":…}; `role` is a plain word.
    void add(std::string_view role, std::string_view content);
    // A message of another form.
    void add(const Json& message);
    // The array. Nothing is added after.
    std::string take() &&;

private:
    void separate();

    std::string json_;
};

// An empty one, with room for the system prompt and the messages of `request`.
MessageList list_for(const ChatRequest& request);

// The system prompt and the messages, each as it is, for the providers that want them so; `in_full` makes those that
// are more than a role and a text. Its arguments are as in images_of().
std::string message_list(const ChatRequest& request,
                         Json (*in_full)(const ChatRequest& request, std::size_t index, std::size_t last_user));

}  // namespace pgchat
