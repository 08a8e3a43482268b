#include "core/engine/reply_sharing.hpp"

#include <gtest/gtest.h>

#include <set>

#include "support/fake_providers.hpp"

namespace pgchat {
namespace {

CallSpec spec_of(const std::string& provider, const std::string& model) {
    CallSpec spec = fake_spec_of(1, 1, fake_model_of(provider, model));
    spec.provider = spec.model->provider;
    return spec;
}

TEST(ReplyKey, IsOfAllThatIsAskedAndOfWhoAsks) {
    const CallSpec spec = spec_of("acme", "small");
    std::set<Sha256Digest> keys{reply_key(spec, spec.user_id), reply_key(spec, std::nullopt),
                                reply_key(spec, numbered_uuid(77)), reply_key(spec_of("zeta", "small"), spec.user_id),
                                reply_key(spec_of("acme", "large"), spec.user_id)};
    const auto add_changed = [&](auto change) {
        CallSpec changed = spec;
        change(changed.request);
        keys.insert(reply_key(changed, spec.user_id));
    };
    add_changed([](ChatRequest& request) { request.messages[0].content += "."; });
    add_changed([](ChatRequest& request) { request.messages[0].role = Role::assistant; });
    add_changed([](ChatRequest& request) { request.system_prompt = "Be brief."; });
    add_changed([](ChatRequest& request) { request.response_format = Json{{"type", "json_object"}}; });
    add_changed([](ChatRequest& request) { request.options.seed = 1; });
    add_changed([](ChatRequest& request) { request.options.extra = Json{{"top_k", 1}}; });
    EXPECT_EQ(keys.size(), 11u);
}

TEST(ReplyKey, IsNotOfHowTheReplyIsDelivered) {
    const CallSpec spec = spec_of("acme", "small");
    CallSpec other = spec;
    other.request_id = numbered_uuid(99);
    other.message_id = {};
    other.stream = !spec.stream;
    other.durable = !spec.durable;
    other.timeout = Milliseconds(1);
    other.request.options.cache = true;
    other.request.options.cache_ttl_s = 5;
    other.request.options.fallback_models = {"large"};
    EXPECT_EQ(reply_key(spec, spec.user_id), reply_key(other, spec.user_id));
}

}  // namespace
}  // namespace pgchat
