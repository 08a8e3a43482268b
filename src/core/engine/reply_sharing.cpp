#include "core/engine/reply_sharing.hpp"

namespace pgchat {
namespace {

// Its length before each part, so that no two lists of parts read the same.
void add_part(std::string& text, std::string_view part) {
    text.append(std::to_string(part.size())).append(":").append(part);
}

// What others may be given of a call's outcome: a complete reply of the model that was asked for.
std::shared_ptr<const CachedReply> reply_of(const Call& call) {
    const CallResult& result = call.result();
    if (result.status != CallStatus::complete || result.cached || call.fallbacks_used() != call.reply_fallback)
        return nullptr;
    return std::make_shared<const CachedReply>(CachedReply{call.log().content(), call.log().thinking(),
                                                           result.tool_calls, result.finish_reason, result.sanitized});
}

}  // namespace

void ReplySharing::set_policy(const SharingPolicy& policy) {
    // What was kept across users must not outlive the permission; its keys name no user, so nobody finds it again.
    policy_ = policy;
    cache_.set_max_bytes(policy.max_bytes);
}

ReplySharing::Place ReplySharing::enter(Call& call, TimePoint now) {
    const CallSpec& spec = call.spec();
    if (!spec.request.options.cache) return Place::alone;
    call.reply_key = reply_key(spec, policy_.across_users ? std::nullopt : std::optional(spec.user_id));
    call.reply_ttl = ttl_of(call);
    call.reply_fallback = call.fallbacks_used();
    reply_ = cache_.find(*call.reply_key, now, call.reply_ttl);
    if (reply_) {
        call.reply_key.reset();
        return Place::answered;
    }
    return identical_.join(*call.reply_key, call.number) ? Place::leader : Place::follower;
}

ReplySharing::Departure ReplySharing::leave(Call& call, TimePoint now) {
    if (!call.reply_key) return {};
    const Sha256Digest key = *call.reply_key;
    call.reply_key.reset();
    Departure departure{identical_.leave(key, call.number), reply_of(call)};
    if (departure.reply) cache_.put(key, departure.reply, now, call.reply_ttl);
    return departure;
}

Milliseconds ReplySharing::ttl_of(const Call& call) const noexcept {
    const std::optional<std::int64_t>& ttl_s = call.spec().request.options.cache_ttl_s;
    return ttl_s ? Milliseconds(*ttl_s * 1000) : policy_.ttl;
}

Sha256Digest reply_key(const CallSpec& spec, const std::optional<Uuid>& user) {
    // The whole body as the provider would get it, were it streamed or not; nothing else of the request matters to it.
    const HttpRequest request =
        provider_for(spec.provider->kind).encode(*spec.provider, spec.model->provider_model, spec.request, false);
    std::string text;
    add_part(text, user ? to_string(*user) : "");
    add_part(text, spec.provider->name);
    add_part(text, spec.provider->base_url);
    add_part(text, spec.model->name);
    add_part(text, spec.model->provider_model);
    add_part(text, request.body);
    add_part(text, spec.request.response_format.dump(-1, ' ', false, Json::error_handler_t::replace));
    return sha256(text);
}

}  // namespace pgchat
