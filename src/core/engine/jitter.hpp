// Chance, so that calls which failed together do not come back together.
#pragma once

namespace pgchat {

// A number from 0 up to 1, evenly spread. Not for secrets.
double random_fraction();

}  // namespace pgchat
