// Whether the library was loaded at server start, without which neither identity nor engine can be trusted to work.
#pragma once

namespace pgchat::pg {

// Throws Error engine_unavailable, with the hint to set shared_preload_libraries, unless the library was preloaded.
void require_preloaded();

}  // namespace pgchat::pg
