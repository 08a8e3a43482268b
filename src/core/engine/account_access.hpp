// Which models one user may use, as the engine last read it, so that access is looked at without a query.
#pragma once

namespace pgchat {

struct AccountAccess {};

}  // namespace pgchat
