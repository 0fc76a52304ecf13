// Where the time of a question goes.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

namespace kato {

enum class Stage { reading, counting, ordering, comparing, measuring, making };

constexpr std::size_t kStages = 6;

// Adds up the processor time of one thread, stage by stage. It runs only where somebody wants to know.
class Stopwatch {
public:
    explicit Stopwatch(bool runs = false) : runs_(runs) {
        if (runs_) since_ = now();
    }

    // What passed since the last call, or since the beginning, belongs to this stage.
    void lap(Stage stage) {
        if (!runs_) return;
        const std::int64_t here = now();
        nanoseconds_[std::size_t(stage)] += here - since_;
        since_ = here;
    }

    std::int64_t nanoseconds(Stage stage) const { return nanoseconds_[std::size_t(stage)]; }

private:
    static std::int64_t now() {
#if defined(CLOCK_THREAD_CPUTIME_ID)
        timespec time{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
#else
        return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
#endif
    }

    bool runs_;
    std::int64_t since_ = 0;
    std::int64_t nanoseconds_[kStages] = {};
};

}  // namespace kato
