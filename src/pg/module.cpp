// The library's entry points for the server: what is registered when it is loaded.
#include "pg/boundary.hpp"
#include "pg/identity.hpp"
#include "pg/identity_check.hpp"
#include "pg/launcher.hpp"
#include "pg/lifecycle.hpp"
#include "pg/plans_without_jit.hpp"
#include "pg/preload.hpp"
#include "pg/settings.hpp"
#include "pg/shared_state.hpp"

namespace pgchat::pg {
namespace {
bool preloaded = false;
}

void require_preloaded() {
    if (!preloaded)
        throw Error(ErrorCode::engine_unavailable, "pgchat was not loaded at server start",
                    "Add pgchat to shared_preload_libraries in postgresql.conf and restart the server.");
}

}  // namespace pgchat::pg

extern "C" {

#ifdef PG_MODULE_MAGIC_EXT
PG_MODULE_MAGIC_EXT(.name = "pgchat", .version = PGCHAT_VERSION);
#else
PG_MODULE_MAGIC;
#endif

PGDLLEXPORT void _PG_init(void) {
    using namespace pgchat::pg;
    if (!process_shared_preload_libraries_in_progress) return;
    preloaded = true;
    define_settings();
    define_identity_parameters();
    install_identity_check();
    install_shared_state();
    install_lifecycle_hooks();
    install_plans_without_jit();
    register_launcher();
}

}  // extern "C"
