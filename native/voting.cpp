#include "voting.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>

#include "sums.hpp"

namespace kato {

namespace {

// Votes over their sum; false, and all 0, if there are none.
bool normalize(std::vector<double>& votes) {
    ExactSumOfMany sum;
    const double whole = sum.of(votes);
    if (!(whole > 0.0)) {
        std::fill(votes.begin(), votes.end(), 0.0);
        return false;
    }
    for (double& vote : votes) vote = vote > 0.0 ? vote / whole : 0.0;
    return true;
}

constexpr std::size_t kMostBytes = std::size_t{1} << 27;  // that a pass may take, unless it is by one lane

template <std::size_t kLanes>
std::vector<Adding<kLanes>> nothing_added(std::size_t symbols) {
    Adding<kLanes> none{};
    for (double& least : none.least) least = std::numeric_limits<double>::infinity();
    return std::vector<Adding<kLanes>>(symbols, none);
}

double powered(double evidence, int power) {
    double worth = evidence;
    for (int so_far = 1; so_far < power; ++so_far) worth *= evidence;
    return worth;
}

}  // namespace

Electorate::Electorate(const State& state, const Question& question, const Menu& menu, Hearing hearing,
                       const std::vector<std::size_t>& profiles)
    : menu_(menu), hearing_(std::move(hearing)), ground_(*hearing_.ground), sums_(menu.profiles.size()) {
    look(state, question);
    mark(question);
    add_up(profiles);
}

// What the memory shows that voters have.
void Electorate::look(const State& state, const Question& question) {
    for (std::size_t back = 0; back < question.steps.size(); ++back)
        for (const Symbol symbol : question.steps[back].symbols) {
            const std::uint32_t number = ground_.number(symbol);
            if (number == ground_.symbols().size()) continue;
            if (std::find(present_.begin(), present_.end(), number) == present_.end()) present_.push_back(number);
            sought_.push_back({number, back, std::log(double(state.patterns + 1) / (double(state.members[symbol]) + 0.5))});
        }
}

// Suffixes begin behind the places of the newest event's symbols.
void Electorate::mark(const Question& question) {
    std::vector<std::vector<std::uint32_t>> events;
    for (const Step& step : question.steps) {
        events.emplace_back();
        for (const Symbol symbol : step.event) {
            const std::uint32_t number = ground_.number(symbol);
            events.back().push_back(number == ground_.symbols().size() ? UINT32_MAX : number);
        }
    }
    const auto suffix = [&](std::size_t position, std::size_t first) {
        std::uint16_t length = 0;
        for (; length < events.size() && first + length < position; ++length) {
            const auto event = ground_.event(position - 1 - length);
            if (!std::equal(event.begin(), event.end(), events[length].begin(), events[length].end())) break;
        }
        return length;
    };
    Span<const std::uint32_t> places;
    if (!events.empty() && !events[0].empty() && events[0][0] != UINT32_MAX) places = ground_.places(events[0][0]);
    std::size_t next = 0;
    for (std::uint32_t voter = 0; voter < hearing_.heard; ++voter) {
        if (hearing_.frequency(voter) == 0) continue;
        const std::size_t first = ground_.first_of(voter), end = ground_.first_of(voter + 1);
        const std::size_t closing = end - std::min(end - first, question.closing());
        while (next < places.size() && places[next] < first) ++next;
        for (; next < places.size() && places[next] + 1 < closing; ++next) {
            const std::size_t position = places[next] + 1;
            if (const std::uint16_t length = suffix(position, first))
                marked_.push_back({std::uint32_t(position), voter, length, false});
        }
        for (std::size_t position = closing; position < end; ++position)
            marked_.push_back({std::uint32_t(position), voter, suffix(position, first), true});
    }
}

// --- back-off and affinities ---

void Electorate::count_contexts() {
    if (!anywhere_.empty()) return;
    const std::size_t symbols = ground_.symbols().size();
    std::size_t longest = 0;
    for (const Profile& profile : menu_.profiles) longest = std::max(longest, profile.order);
    anywhere_.resize(longest + 1);
    at_ends_.resize(longest + 1);
    anywhere_[0].counts = ground_.voted();
    for (std::size_t level = 0; level <= longest; ++level) {
        if (level > 0) anywhere_[level].counts.resize(symbols);
        at_ends_[level].counts.resize(symbols);
    }
    not_heard([&](std::size_t position, std::uint64_t frequency) {
        for (const std::uint32_t number : ground_.targets(position)) anywhere_[0].counts[number] -= frequency;
    });
    std::vector<bool> is_touched(symbols);
    for (const Marked& each : marked_) {
        const std::size_t level = std::min<std::size_t>(each.suffix, longest);
        const std::uint64_t frequency = hearing_.frequency(each.voter);
        for (const std::uint32_t number : ground_.targets(each.position)) {
            if (!is_touched[number]) touched_.push_back(number);
            is_touched[number] = true;
            if (level > 0) anywhere_[level].counts[number] += frequency;
            if (each.at_end) at_ends_[level].counts[number] += frequency;
        }
    }
    for (std::size_t level = longest; level-- > 0;)
        for (const std::uint32_t number : touched_) {
            if (level > 0) anywhere_[level].counts[number] += anywhere_[level + 1].counts[number];
            at_ends_[level].counts[number] += at_ends_[level + 1].counts[number];
        }
    for (const std::uint64_t count : anywhere_[0].counts) {
        anywhere_[0].all += count;
        anywhere_[0].distinct += count != 0;
    }
    const auto sum_touched = [&](Followers& followers) {
        for (const std::uint32_t number : touched_) {
            followers.all += followers.counts[number];
            followers.distinct += followers.counts[number] != 0;
        }
    };
    for (std::size_t level = 0; level <= longest; ++level) {
        if (level > 0) sum_touched(anywhere_[level]);
        sum_touched(at_ends_[level]);
    }
}

// Of every symbol, contexts of up to `after` events counted in.
const std::vector<double>& Electorate::affinities(std::size_t after) {
    if (affinities_.empty()) count_affinities();
    if (affinities_.size() <= after) count_contexts();
    while (affinities_.size() <= after) {
        const std::size_t level = affinities_.size();
        std::vector<double> found = affinities_[level - 1];  // as (0 + 2 · it) / (0 + 2) is itself
        for (const std::uint32_t i : touched_)
            found[i] = (double(at_ends_[level].counts[i]) + 2.0 * found[i]) / double(anywhere_[level].counts[i] + 2);
        affinities_.push_back(std::move(found));
    }
    return affinities_[after];
}

void Electorate::count_affinities() {
    std::vector<std::uint64_t> all = ground_.shown(), closing(all.size());
    not_heard([&](std::size_t position, std::uint64_t frequency) {
        for (const std::uint32_t number : ground_.event(position)) all[number] -= frequency;
    });
    std::uint64_t whole = 0, whole_closing = 0;
    for (const std::uint64_t count : all) whole += count;
    for (const Marked& each : marked_) {
        if (!each.at_end) continue;
        const std::uint64_t frequency = hearing_.frequency(each.voter);
        for (const std::uint32_t number : ground_.event(each.position)) {
            closing[number] += frequency;
            whole_closing += frequency;
        }
    }
    std::vector<double> found(all.size());
    const double base = whole ? 2.0 * (double(whole_closing) / double(whole)) : 0.0;
    for (std::size_t i = 0; i < found.size(); ++i) found[i] = (double(closing[i]) + base) / double(all[i] + 2);
    affinities_.push_back(std::move(found));
}

// From the most general to the most particular, interpolated after Witten and Bell.
std::vector<Electorate::Context> Electorate::contexts(const Profile& profile) {
    count_contexts();
    std::vector<Context> found;
    for (std::size_t level = 0; level <= profile.order; ++level) {
        if (profile.closing != Closing::alone) found.push_back({level, false, &anywhere_[level], 0.0});
        if (profile.closing == Closing::beside || profile.closing == Closing::alone)
            found.push_back({level, true, &at_ends_[level], 0.0});
    }
    if (profile.closing == Closing::after)
        for (std::size_t level = 0; level <= profile.order; ++level) found.push_back({level, true, &at_ends_[level], 0.0});
    double rest = 1.0;
    for (std::size_t number = found.size(); number-- > 0;) {
        const Followers& followers = *found[number].followers;
        if (followers.all == 0) continue;
        if (number == 0) {
            found[0].worth = rest / double(followers.all);
            break;
        }
        const double expected = profile.escape * double(followers.distinct);
        const double whole = double(followers.all) + expected;
        found[number].worth = rest / whole;
        rest *= expected / whole;
    }
    return found;
}

std::vector<double> Electorate::backed_off(const Profile& profile) {
    const std::vector<Context> looked_at = contexts(profile);
    // Symbols that are not touched have followed nothing but the context of no events, which is looked at first.
    const Context& general = looked_at.front();
    std::vector<double> votes(ground_.symbols().size());
    for (std::size_t i = 0; i < votes.size(); ++i) votes[i] = general.worth * double(general.followers->counts[i]);
    for (const std::uint32_t i : touched_) {
        double vote = 0.0;
        for (const Context& context : looked_at) vote += context.worth * double(context.followers->counts[i]);
        votes[i] = vote;
    }
    return votes;
}

// --- by evidence ---

std::vector<double> Electorate::suffixes_of(const Profile& profile) const {
    std::vector<double> found;
    for (std::size_t length = 0; length <= menu_.bounds.window; ++length)
        found.push_back(std::pow(profile.suffix, double(length)));
    return found;
}

// Of each symbol sought, what a row of lanes gives its displacements.
std::vector<std::vector<double>> Electorate::worths_of(const std::vector<Lane>& lanes) const {
    std::vector<std::vector<double>> displaced;
    for (const Lane& lane : lanes) {
        displaced.emplace_back();
        for (std::size_t away = 0; away <= menu_.furthest; ++away)
            displaced.back().push_back(std::pow(menu_.shapes[lane.shape].displacement, double(away)));
    }
    std::vector<std::vector<double>> found;
    for (const Sought& each : sought_) {
        found.emplace_back((menu_.furthest + 2) * lanes.size());  // the last row, of those that have not come yet, stays 0
        for (std::size_t i = 0; i < lanes.size(); ++i) {
            const Shape& by = menu_.shapes[lanes[i].shape];
            const double rarity = by.rarity == 1 ? each.rarity : each.rarity * each.rarity;
            const double worth = rarity * std::pow(by.fading, double(each.back));
            for (std::size_t away = 0; away <= menu_.furthest; ++away)
                found.back()[away * lanes.size() + i] = worth * displaced[i][away];
        }
    }
    return found;
}

// Calls `pass` for every voter of whom a position has evidence, in order, with all of a stretch that lanes do not decide.
template <class Pass>
void Electorate::each_stretch(const std::vector<std::vector<double>>& worths, Pass pass) const {
    Sightings sightings(ground_, sought_, menu_.furthest);
    std::vector<const double*> rows;
    std::vector<const std::uint8_t*> away;
    std::size_t marked = 0;
    for (std::size_t voter = 0; voter < hearing_.heard; ++voter) {
        const std::uint64_t frequency = hearing_.frequency(voter);
        if (frequency == 0) continue;
        const std::size_t first = ground_.first_of(voter), to = ground_.first_of(voter + 1);
        const std::size_t from = first + sightings.look(voter);
        if (from == to) continue;
        while (marked < marked_.size() && marked_[marked].position < from) ++marked;
        rows.clear();
        away.clear();
        for (const Sightings::Seen& each : sightings.seen()) {
            rows.push_back(worths[each.sought].data());
            away.push_back(each.away);
        }
        Stretch stretch{};
        stretch.worths = rows.data();
        stretch.away = away.data();
        stretch.found = rows.size();
        stretch.frequency = double(frequency);
        stretch.first = first;
        stretch.from = from;
        stretch.to = to;
        pass(stretch, marked);
    }
}

std::size_t Electorate::lanes_at_once(std::size_t wanted) const {
    std::size_t lanes = 1;
    while (lanes < wanted && lanes < kLanesAtOnce) lanes *= 2;
    const std::size_t bytes = 8 * (2 * 3 * ground_.symbols().size() + marked_.size() + ground_.longest());
    while (lanes > 1 && lanes * bytes > kMostBytes) lanes /= 2;
    return lanes;
}

// Makes the sums of votes by evidence, of those profiles named that lack them.
void Electorate::add_up(const std::vector<std::size_t>& profiles) {
    std::vector<Lane> lanes;
    std::vector<std::vector<std::size_t>> by_lane;
    for (const std::size_t number : profiles) {
        const Profile& profile = menu_.profiles[number];
        if (profile.order != 0 || !sums_[number].empty()) continue;
        sums_[number].resize(ground_.symbols().size());
        std::size_t lane = 0;
        while (lane < lanes.size() && (lanes[lane].shape != profile.shape || lanes[lane].power != profile.power)) ++lane;
        if (lane == lanes.size()) {
            lanes.push_back({profile.shape, profile.power});
            by_lane.emplace_back();
        }
        by_lane[lane].push_back(number);
    }
    if (sought_.empty()) return;
    const std::size_t at_once = lanes_at_once(lanes.size());
    for (std::size_t from = 0; from < lanes.size(); from += at_once) {
        const std::size_t to = std::min(lanes.size(), from + at_once);
        const std::vector<Lane> some(lanes.begin() + std::ptrdiff_t(from), lanes.begin() + std::ptrdiff_t(to));
        const std::vector<std::vector<std::size_t>> theirs(by_lane.begin() + std::ptrdiff_t(from), by_lane.begin() + std::ptrdiff_t(to));
        switch (at_once) {
            case 1: add_up<1>(some, theirs); break;
            case 2: add_up<2>(some, theirs); break;
            case 4: add_up<4>(some, theirs); break;
            default: add_up<kLanesAtOnce>(some, theirs);
        }
    }
}

// By so many lanes in one pass; per lane the profiles that weigh by it.
template <std::size_t kLanes>
void Electorate::add_up(std::vector<Lane> lanes, const std::vector<std::vector<std::size_t>>& profiles) {
    struct Best {
        std::size_t profile, lane;
        std::vector<double> suffixes;
        std::vector<Adding<1>> adding;
    };
    std::vector<Best> best;
    std::vector<std::pair<std::size_t, std::uint32_t>> others;  // (profile, its lane)
    for (std::size_t lane = 0; lane < lanes.size(); ++lane)
        for (const std::size_t profile : profiles[lane]) {
            if (menu_.profiles[profile].best_only)
                best.push_back({profile, lane, suffixes_of(menu_.profiles[profile]), nothing_added<1>(ground_.symbols().size())});
            else
                others.push_back({profile, std::uint32_t(lane)});
        }
    lanes.resize(kLanes, lanes.front());
    const auto worths = worths_of(lanes);
    double powers[kLanes];
    int most_power = 1;
    for (std::size_t i = 0; i < kLanes; ++i) {
        powers[i] = double(lanes[i].power);
        most_power = std::max(most_power, lanes[i].power);
    }
    auto adding = nothing_added<kLanes>(ground_.symbols().size());
    std::vector<double> marked_bases(marked_.size() * kLanes), bases(best.empty() ? 0 : ground_.longest() * kLanes);
    each_stretch(worths, [&](Stretch& stretch, std::size_t marked) {
        stretch.powers = powers;
        stretch.most_power = most_power;
        stretch.marked = marked_.data() + marked;
        stretch.marked_end = marked_.data() + marked_.size();
        stretch.marked_bases = marked_bases.data() + marked * kLanes;
        stretch.bases = best.empty() ? nullptr : bases.data();
        weigh(stretch, ground_, adding.data());
        for (Best& each : best) {
            const Profile& profile = menu_.profiles[each.profile];
            const Marked* next = stretch.marked;
            double highest = 0.0;
            std::size_t held = 0;
            for (std::size_t position = stretch.from; position < stretch.to; ++position) {
                double worth = bases[(position - stretch.first) * kLanes + each.lane];
                if (next != stretch.marked_end && next->position == position) {
                    worth *= each.suffixes[std::min<std::size_t>(next->suffix, menu_.bounds.window)];
                    if (next->at_end) worth *= profile.ending;
                    ++next;
                }
                worth *= stretch.frequency;
                if (worth > highest) {
                    highest = worth;
                    held = position;
                }
            }
            if (!(highest > 0.0)) continue;
            for (const std::uint32_t number : ground_.targets(held)) {
                Adding<1>& one = each.adding[number];
                add_keeping(one.sum[0], one.lost[0], highest);
                one.least[0] = std::min(one.least[0], highest);
            }
        }
    });
    for (const Best& each : best) settle<1>({each.profile}, each.adding);
    for (std::size_t from = 0; from < others.size(); from += kLanes) {
        const std::size_t to = std::min(others.size(), from + kLanes);
        std::vector<std::size_t> some;
        std::uint32_t lane_of[kLanes] = {};
        double endings[kLanes] = {};
        std::vector<double> suffixes((menu_.bounds.window + 1) * kLanes);
        for (std::size_t i = 0; i < kLanes; ++i) {
            const auto& [number, lane] = others[std::min(from + i, to - 1)];
            if (from + i < to) some.push_back(number);
            lane_of[i] = lane;
            endings[i] = menu_.profiles[number].ending;
            const std::vector<double> mine = suffixes_of(menu_.profiles[number]);
            for (std::size_t length = 0; length < mine.size(); ++length) suffixes[length * kLanes + i] = mine[length];
        }
        std::vector<Adding<kLanes>> all(adding.size());
        for (std::size_t symbol = 0; symbol < all.size(); ++symbol)
            for (std::size_t i = 0; i < kLanes; ++i) {
                all[symbol].sum[i] = adding[symbol].sum[lane_of[i]];
                all[symbol].lost[i] = adding[symbol].lost[lane_of[i]];
                all[symbol].least[i] = adding[symbol].least[lane_of[i]];
            }
        finish(MarkedOnes{&hearing_, &marked_, marked_bases.data(), lane_of, suffixes.data(), menu_.bounds.window, endings},
               all.data());
        settle<kLanes>(some, all);
    }
}

// Rounds what was added, per lane the votes of a profile.
template <std::size_t kLanes>
void Electorate::settle(const std::vector<std::size_t>& profiles, const std::vector<Adding<kLanes>>& adding) {
    std::vector<std::uint32_t> doubtful;
    for (std::size_t i = 0; i < profiles.size(); ++i) {
        std::vector<double>& sums = sums_[profiles[i]];
        doubtful.clear();
        for (std::uint32_t number = 0; number < adding.size(); ++number) {
            const Adding<kLanes>& each = adding[number];
            sums[number] = settled(each.sum[i], each.lost[i], each.least[i], ground_.ballots()[number]);
            if (sums[number] < 0.0) doubtful.push_back(number);
        }
        if (!doubtful.empty()) add_exactly(profiles[i], doubtful);
    }
}

// Makes the sums of some symbols anew as expansions.
void Electorate::add_exactly(std::size_t profile, const std::vector<std::uint32_t>& numbers) {
    const std::vector<double> weights = evident(menu_.profiles[profile]);
    std::vector<std::uint32_t> place_of(ground_.symbols().size(), UINT32_MAX);
    for (std::uint32_t i = 0; i < numbers.size(); ++i) place_of[numbers[i]] = i;
    std::vector<ExactSum> exact(numbers.size());
    for (std::size_t position = 0; position < weights.size(); ++position) {
        if (!(weights[position] > 0.0)) continue;
        for (const std::uint32_t number : ground_.targets(position))
            if (place_of[number] != UINT32_MAX) exact[place_of[number]].add(weights[position]);
    }
    for (std::size_t i = 0; i < numbers.size(); ++i) sums_[profile][numbers[i]] = exact[i].value();
}

// What every position gives each of its targets by its evidence; 0 for those that do not vote.
std::vector<double> Electorate::evident(const Profile& profile) const {
    const std::vector<double> suffixes = suffixes_of(profile);
    const auto worths = worths_of({{profile.shape, profile.power}});
    std::vector<double> weights(ground_.positions());
    each_stretch(worths, [&](const Stretch& stretch, std::size_t marked) {
        const Marked* next = marked_.data() + marked;
        const Marked* const last = marked_.data() + marked_.size();
        double highest = 0.0;
        std::size_t held = stretch.to;
        for (std::size_t position = stretch.from; position < stretch.to; ++position) {
            double evidence = 0.0;
            for (std::size_t i = 0; i < stretch.found; ++i)
                evidence += stretch.worths[i][stretch.away[i][position - stretch.first]];
            double worth = powered(evidence, profile.power);
            if (next != last && next->position == position) {
                worth *= suffixes[std::min<std::size_t>(next->suffix, menu_.bounds.window)];
                if (next->at_end) worth *= profile.ending;
                ++next;
            }
            worth *= stretch.frequency;
            if (!profile.best_only) {
                weights[position] = worth;
            } else if (worth > highest) {
                highest = worth;
                held = position;
            }
        }
        if (held != stretch.to) weights[held] = highest;
    });
    return weights;
}

// --- shares ---

std::vector<double> Electorate::votes(std::size_t number) {
    const Profile& profile = menu_.profiles[number];
    if (profile.order == 0) add_up({number});
    std::vector<double> found = profile.order ? backed_off(profile) : sums_[number];
    if (profile.affinity == 0) return found;
    const std::vector<double>& inclined = affinities(profile.affinity_after);
    for (std::size_t i = 0; i < found.size(); ++i)
        found[i] = found[i] * (profile.affinity == 1 ? std::sqrt(inclined[i]) : inclined[i]);
    return found;
}

// By number of the symbol; all 0 where nobody votes.
std::vector<double> Electorate::shares(std::size_t profile) {
    std::vector<double> found = votes(profile);
    normalize(found);
    return found;
}

Electorate::Together Electorate::together(const Mix& mix, double repeat) {
    Together made{std::vector<double>(ground_.symbols().size(), 1.0), mix, {}};
    std::vector<double>& product = made.shares;
    std::vector<bool> has_votes(ground_.symbols().size());
    std::uint32_t counting = 0;
    for (const auto& [profile, times] : mix) {
        made.ways.push_back(shares(profile));
        const std::vector<double>& found = made.ways.back();
        if (std::none_of(found.begin(), found.end(), [](double share) { return share > 0.0; })) continue;
        counting += times;
        for (std::size_t i = 0; i < ground_.symbols().size(); ++i) {
            if (found[i] > 0.0) has_votes[i] = true;
            for (std::uint32_t time = 0; time < times; ++time) product[i] *= found[i] + menu_.floor;
        }
    }
    const double root = 1.0 / double(std::max(counting, 1u));
    for (std::size_t i = 0; i < ground_.symbols().size(); ++i) product[i] = has_votes[i] ? std::pow(product[i], root) : 0.0;
    for (const std::uint32_t number : present_) product[number] *= repeat;
    if (!normalize(product)) {
        product = shares(menu_.general);
        made.mix = {{menu_.general, 1}};
        made.ways = {product};
    }
    return made;
}

Shares Electorate::mixed(const Mix& mix, double repeat) {
    const std::vector<double> whole = together(mix, repeat).shares;
    Shares found;
    for (std::size_t i = 0; i < ground_.symbols().size(); ++i)
        if (whole[i] > 0.0) found.push_back({ground_.symbols()[i], whole[i]});
    return found;
}

Ballots Electorate::ballots(const std::vector<Symbol>& right, std::size_t leading, std::size_t most_tied) {
    std::vector<std::vector<double>> all;
    std::vector<bool> listed(ground_.symbols().size());
    for (std::size_t profile = 0; profile < menu_.profiles.size(); ++profile) {
        all.push_back(shares(profile));
        const std::vector<double>& found = all.back();
        std::vector<double> values;
        for (const double share : found)
            if (share > 0.0) values.push_back(share);
        double least = 0.0;
        bool with_ties = true;
        if (values.size() > leading) {
            const auto last = values.begin() + std::ptrdiff_t(leading - 1);
            std::nth_element(values.begin(), last, values.end(), std::greater<double>());
            least = *last;
            const auto above = std::count_if(values.begin(), values.end(), [&](double share) { return share >= least; });
            with_ties = std::size_t(above) <= most_tied;
        }
        for (std::size_t i = 0; i < ground_.symbols().size(); ++i)
            if (found[i] > least || (with_ties && found[i] == least && found[i] > 0.0)) listed[i] = true;
    }
    for (const std::uint32_t number : numbers_of(right))
        if (number != listed.size() && !listed[number])
            listed[number] = std::any_of(all.begin(), all.end(), [&](const auto& found) { return found[number] > 0.0; });
    Ballots made;
    for (std::size_t i = 0; i < ground_.symbols().size(); ++i)
        if (listed[i]) made.symbols.push_back(ground_.symbols()[i]);
    for (const auto& found : all) {
        made.shares.emplace_back();
        for (std::size_t i = 0; i < ground_.symbols().size(); ++i)
            if (listed[i]) made.shares.back().push_back(found[i]);
    }
    return made;
}

double entropy(const Shares& shares) {
    ExactSum sum;
    for (const auto& [symbol, share] : shares) sum.add(-share * std::log2(share));
    return sum.value();
}

}  // namespace kato
