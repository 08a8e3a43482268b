// The order in which waiting calls begin: providers take turns, and at each provider its users do, so that whoever asks
// for a thousand calls delays the first of somebody else by no more than one.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "core/uuid.hpp"

namespace pgchat {

class FairQueue {
public:
    // Names a waiting call; of one user at one provider the lowest goes first.
    using Ticket = std::uint64_t;

    // The ticket must not be in the queue.
    void push(const std::string& provider, const Uuid& user, Ticket ticket);
    // Takes a ticket out, wherever it stands, without using up anybody's turn. False when it is not there.
    bool erase(Ticket ticket);

    // Whose turn it is; nullopt when nobody waits but for providers on hold.
    std::optional<Ticket> front() const noexcept;
    // Takes that ticket out; its user's next turn comes after those of all others.
    void pop();

    // What waits for this provider is passed over until the release. Nothing happens where nothing waits for it; a hold
    // is forgotten when the last that waits leaves.
    void hold(const std::string& provider);
    void release(const std::string& provider);

    std::size_t size() const noexcept { return lanes_of_tickets_.size(); }
    // Tickets for providers that are not on hold.
    std::size_t ready() const noexcept { return ready_; }
    // Tickets for this provider, on hold or not.
    std::size_t waiting_for(const std::string& provider) const noexcept;

private:
    struct Provider;
    // What one user waits for at one provider; never empty.
    struct Lane {
        Provider* provider;
        Uuid user;
        std::set<Ticket> tickets;
        std::list<Lane*>::iterator place;  // in its provider's turns
    };
    // Something waits for it.
    struct Provider {
        std::string name;
        std::map<Uuid, Lane> lanes;  // by user
        std::list<Lane*> turns;      // the next one first
        std::size_t waiting = 0;
        bool held = false;
        std::list<Provider*>::iterator place;  // in turns_, while not held
    };

    void drop(Lane& lane);

    std::unordered_map<std::string, Provider> providers_;
    std::unordered_map<Ticket, Lane*> lanes_of_tickets_;
    std::list<Provider*> turns_;  // those that are not on hold, the next one first
    std::size_t ready_ = 0;
};

}  // namespace pgchat
