// SQL functions for deliberations: the runoff, the chart of a tally, and the texts of a report.
#include <unordered_map>

#include "core/llm/json.hpp"
#include "core/report/markdown_text.hpp"
#include "core/report/tally_chart.hpp"
#include "core/voting/runoff.hpp"
#include "pg/convert.hpp"

using namespace pgchat;
using namespace pgchat::pg;

namespace {

std::vector<Ballot> ballots_of(const Json& rankings, const std::vector<std::string>& ids) {
    std::unordered_map<std::string, std::size_t> numbers;
    for (std::size_t choice = 0; choice < ids.size(); ++choice) numbers.emplace(ids[choice], choice);
    std::vector<Ballot> ballots;
    for (const Json& ranking : rankings) {
        Ballot& ballot = ballots.emplace_back();
        for (const Json& id : ranking)
            if (const auto found = numbers.find(id.get<std::string>()); found != numbers.end())
                ballot.push_back(found->second);
    }
    return ballots;
}

Json json_of(const RunoffCount& count, const std::vector<std::string>& ids) {
    Json votes = Json::object();
    for (std::size_t choice = 0; choice < ids.size(); ++choice)
        if (count.votes[choice]) votes[ids[choice]] = *count.votes[choice];
    Json result{{"votes", std::move(votes)}, {"exhausted", count.exhausted}};
    if (count.winner) {
        result["winner"] = ids[*count.winner];
    } else {
        result["last"] = Json::array();
        for (const std::size_t choice : count.last) result["last"].push_back(ids[choice]);
    }
    return result;
}

Json json_of(const Runoff& runoff, const std::vector<std::string>& ids) {
    Json standings = Json::array();
    Json counts = Json::array();
    for (std::size_t choice = 0; choice < ids.size(); ++choice) {
        const RunoffStanding& standing = runoff.standings[choice];
        standings.push_back({{"choice", ids[choice]},
                             {"can_win", standing.can_win},
                             {"left", standing.left},
                             {"votes", standing.votes}});
    }
    for (const RunoffCount& count : runoff.counts) counts.push_back(json_of(count, ids));
    return {{"standings", std::move(standings)}, {"counts", std::move(counts)}, {"count_total", runoff.count_total}};
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_runoff);
PG_FUNCTION_INFO_V1(pgchat_tally_chart);
PG_FUNCTION_INFO_V1(pgchat_markdown_prose);
PG_FUNCTION_INFO_V1(pgchat_markdown_quote);

Datum pgchat_runoff(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        std::vector<std::string> ids;
        for (auto& id : args.texts_at(0)) ids.push_back(id.value_or(""));
        const std::vector<Ballot> ballots = ballots_of(Json::parse(args.json_at(1)), ids);
        return jsonb_datum(json_of(run_off(ids.size(), ballots), ids).dump().c_str());
    });
}

Datum pgchat_tally_chart(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        std::vector<TallyBar> bars;
        for (const Json& bar : Json::parse(args.json_at(2)))
            bars.push_back({bar.at("label").get<std::string>(), bar.at("value").get<double>(),
                            bar.at("value_text").get<std::string>(), bar.at("is_first").get<bool>()});
        return text_datum(tally_chart(args.text_at(0), args.text_at(1), bars));
    });
}

Datum pgchat_markdown_prose(PG_FUNCTION_ARGS) {
    return entry([&] { return text_datum(markdown_prose(Args(fcinfo).text_at(0))); });
}

Datum pgchat_markdown_quote(PG_FUNCTION_ARGS) {
    return entry([&] { return text_datum(markdown_quote(Args(fcinfo).text_at(0))); });
}

}  // extern "C"
