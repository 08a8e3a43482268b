// C++ objects that live as long as one of PostgreSQL's memory contexts, however that ends.
#pragma once

#include "pg/boundary.hpp"

namespace pgchat::pg {

// Leaves `object` to `context`, which deletes it when it is reset or deleted. Where this throws, it stays the caller's.
template <class Object>
Object* give_to_context(MemoryContext context, std::unique_ptr<Object>&& object) {
    call([&] {
        auto* const callback =
            static_cast<MemoryContextCallback*>(MemoryContextAllocZero(context, sizeof(MemoryContextCallback)));
        callback->func = [](void* owned) noexcept { delete static_cast<Object*>(owned); };
        callback->arg = object.get();
        MemoryContextRegisterResetCallback(context, callback);
    });
    return object.release();
}

}  // namespace pgchat::pg
