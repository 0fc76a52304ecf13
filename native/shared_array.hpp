// Arrays that many readers share while one writer goes on changing them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace kato {

// A grown array in chunks. `share` hands out the present state; the writer copies a chunk before its first change after
// that, so what was handed out never changes. One writer; any number of readers, each on what it was handed.
template <class T, std::size_t Chunk>
class SharedArray {
public:
    using Piece = std::array<T, Chunk>;

    // A state that never changes. Positions beyond its end read as T{}.
    class View {
    public:
        T operator[](std::size_t position) const {
            return position < size_ ? (*pieces_[position / Chunk])[position % Chunk] : T{};
        }
        const T& get(std::size_t position) const { return (*pieces_[position / Chunk])[position % Chunk]; }  // within it
        std::size_t size() const { return size_; }

    private:
        friend class SharedArray;
        std::vector<std::shared_ptr<const Piece>> pieces_;
        std::size_t size_ = 0;
    };

    std::size_t size() const { return size_; }

    T operator[](std::size_t position) const {
        return position < size_ ? (*pieces_[position / Chunk].piece)[position % Chunk] : T{};
    }

    // The place to write to; grows the array as far as needed.
    T& at(std::size_t position) {
        if (position >= size_) {
            size_ = position + 1;
            while (pieces_.size() * Chunk < size_) pieces_.push_back({std::make_shared<Piece>(), shares_});
        }
        auto& own = pieces_[position / Chunk];
        if (own.since != shares_) own = {std::make_shared<Piece>(*own.piece), shares_};
        return (*own.piece)[position % Chunk];
    }

    View share() {
        View view;
        view.size_ = size_;
        view.pieces_.reserve(pieces_.size());
        for (const auto& own : pieces_) view.pieces_.push_back(own.piece);
        ++shares_;
        return view;
    }

    void clear() {
        pieces_.clear();
        size_ = 0;
    }

    std::size_t bytes() const { return pieces_.size() * (sizeof(Piece) + sizeof(Own)); }

private:
    struct Own {
        std::shared_ptr<Piece> piece;
        std::uint64_t since;  // shares when it was made; older ones may be in somebody's hands
    };
    std::vector<Own> pieces_;
    std::size_t size_ = 0;
    std::uint64_t shares_ = 0;
};

}  // namespace kato
