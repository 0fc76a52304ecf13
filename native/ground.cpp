#include "ground.hpp"

#include <algorithm>

namespace kato {

namespace {

std::size_t tokens_of(const std::vector<Voter>& voters) {
    std::size_t tokens = 0;
    for (const Voter& voter : voters) tokens += voter.row.length;
    return tokens;
}

}  // namespace

Ground::Ground(std::vector<Voter> voters, std::size_t horizon, std::size_t known)
    : voters_(std::move(voters)), horizon_(horizon), numbers_(tokens_of(voters_), known) {
    const std::size_t tokens = tokens_of(voters_);
    tokens_.reserve(tokens);
    event_at_.reserve(tokens + 1);
    first_of_.reserve(voters_.size() + 1);
    for (const Voter& voter : voters_) {
        const Row& row = voter.row;
        first_of_.push_back(std::uint32_t(event_at_.size()));
        for (std::size_t i = 0; i < row.length; ++i) {
            if (row.starts(i)) event_at_.push_back(std::uint32_t(tokens_.size()));
            tokens_.push_back(numbers_.number(row.token(i)));
        }
        longest_ = std::max(longest_, event_at_.size() - first_of_.back());
    }
    first_of_.push_back(std::uint32_t(event_at_.size()));
    event_at_.push_back(std::uint32_t(tokens_.size()));
    find_places();
    find_targets();
}

std::size_t Ground::voter_of(std::size_t position) const {
    return std::size_t(std::upper_bound(first_of_.begin(), first_of_.end(), position) - first_of_.begin()) - 1;
}

void Ground::find_places() {
    const std::size_t symbols = numbers_.symbols().size();
    constexpr std::uint32_t kNever = UINT32_MAX;
    std::vector<std::uint32_t> last(symbols, kNever);
    place_at_.assign(symbols + 1, 0);
    for (std::size_t position = 0; position < positions(); ++position)
        for (const std::uint32_t number : event(position)) {
            if (last[number] == position) continue;
            last[number] = std::uint32_t(position);
            ++place_at_[number + 1];
        }
    for (std::size_t i = 1; i <= symbols; ++i) place_at_[i] += place_at_[i - 1];
    places_.resize(place_at_[symbols]);
    std::vector<std::uint32_t> next(place_at_.begin(), place_at_.end() - 1);
    std::fill(last.begin(), last.end(), kNever);
    shown_.assign(symbols, 0);
    for (std::size_t voter = 0; voter < voters_.size(); ++voter)
        for (std::size_t position = first_of_[voter]; position < first_of_[voter + 1]; ++position)
            for (const std::uint32_t number : event(position)) {
                shown_[number] += voters_[voter].frequency;
                if (last[number] == position) continue;
                last[number] = std::uint32_t(position);
                places_[next[number]++] = std::uint32_t(position);
            }
}

void Ground::find_targets() {
    const std::size_t symbols = numbers_.symbols().size();
    ballots_.assign(symbols, 0);
    if (horizon_ == 1 && places_.size() == tokens_.size()) {
        targets_ = tokens_.data();
        target_at_ = event_at_.data();
        voted_ = shown_;
        for (std::size_t i = 0; i < symbols; ++i) ballots_[i] = place_at_[i + 1] - place_at_[i];
        return;
    }
    std::vector<std::uint32_t> last(symbols, UINT32_MAX);
    voted_.assign(symbols, 0);
    own_target_at_.reserve(positions() + 1);
    own_targets_.resize(std::min<std::size_t>(std::max<std::size_t>(horizon_, 1), 2) * tokens_.size());
    std::size_t used = 0;
    for (std::size_t voter = 0; voter < voters_.size(); ++voter)
        for (std::size_t position = first_of_[voter]; position < first_of_[voter + 1]; ++position) {
            own_target_at_.push_back(std::uint32_t(used));
            const std::size_t end = first_of_[voter + 1];
            const std::size_t from = horizon_ ? position : end - 1;
            const std::size_t to = std::min(end, from + std::max<std::size_t>(1, horizon_));
            const std::size_t most = used + (event_at_[to] - event_at_[from]);
            if (most > own_targets_.size()) own_targets_.resize(2 * most);
            for (std::uint32_t at = event_at_[from]; at < event_at_[to]; ++at) {
                const std::uint32_t number = tokens_[at];
                if (last[number] == position) continue;
                last[number] = std::uint32_t(position);
                own_targets_[used++] = number;
                voted_[number] += voters_[voter].frequency;
                ++ballots_[number];
            }
        }
    own_target_at_.push_back(std::uint32_t(used));
    own_targets_.resize(used);
    own_targets_.shrink_to_fit();
    targets_ = own_targets_.data();
    target_at_ = own_target_at_.data();
}

Hearing Grounds::hear(const State& state, const Question& question, const Bounds& bounds) {
    Hearing hearing;
    hearing.ground = of_everybody(state, question, bounds);
    if (!hearing.ground) {
        hearing.ground =
            std::make_shared<const Ground>(elect(state, question, bounds), question.horizon, state.members.size());
        hearing.heard = hearing.ground->voters().size();
        return hearing;
    }
    const std::vector<Voter>& voters = hearing.ground->voters();
    const auto beyond = std::lower_bound(voters.begin(), voters.end(), question.before,
                                         [](const Voter& voter, std::uint64_t slot) { return voter.row.slot() < slot; });
    hearing.heard = std::size_t(beyond - voters.begin());
    if (!question.leaves_out) return hearing;
    for (std::size_t voter = 0; voter < hearing.heard; ++voter)
        if (question.is_left_out(voters[voter].row)) {
            hearing.left = voter;
            hearing.left_frequency = voters[voter].frequency - 1;
        }
    return hearing;
}

bool everybody_votes(const State& state, const Bounds& bounds) {
    return state.patterns <= bounds.everybody && tokens_of(living(state)) <= bounds.tokens;
}

// Null where not everybody votes.
std::shared_ptr<const Ground> Grounds::of_everybody(const State& state, const Question& question, const Bounds& bounds) {
    const std::lock_guard<std::mutex> lock(guard_);
    if (!everybody_votes_) everybody_votes_ = everybody_votes(state, bounds);
    if (!*everybody_votes_) return nullptr;
    if (everybody_ && everybody_->horizon() == question.horizon) return everybody_;
    everybody_ = nullptr;  // so that there are never two
    std::vector<Voter> voters = living(state);
    std::sort(voters.begin(), voters.end(),
              [](const Voter& left, const Voter& right) { return left.row.slot() < right.row.slot(); });
    everybody_ = std::make_shared<const Ground>(std::move(voters), question.horizon, state.members.size());
    return everybody_;
}

}  // namespace kato
