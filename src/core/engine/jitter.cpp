#include "core/engine/jitter.hpp"

#include <random>

namespace pgchat {

double random_fraction() {
    static std::minstd_rand generator{std::random_device{}()};
    return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

}  // namespace pgchat
