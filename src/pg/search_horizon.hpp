// Up to which message all that will ever be there is committed, so that filing may go on behind it and miss none.
#pragma once

#include "core/uuid.hpp"

namespace pgchat::pg {

// Ids of messages carry the time they were made at, and a transaction makes them while it runs: those below this id
// were made before the oldest transaction of this database that still runs, but for the caller's own, began. What
// commits later than this is called has larger ids; so look with a later snapshot.
Uuid search_horizon();

}  // namespace pgchat::pg
