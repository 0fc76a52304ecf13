#include "saving.hpp"

#include <cstdio>
#include <cstring>
#include <stdexcept>

#if defined(_WIN32)
#include <fstream>
#include <iterator>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace kato {

namespace {

constexpr char kMagic[8] = {'K', 'A', 'T', 'O', 'I', 'D', 'X', '1'};

enum class Part : std::uint64_t { texts = 1, frequencies, members, occurrences, extra, segment, end };

// Every part begins with this; its content follows, padded to eight bytes.
struct Head {
    std::uint64_t part, bytes, checksum;
};

class File {
public:
    explicit File(const std::string& path) : file_(std::fopen(path.c_str(), "wb")) {
        if (file_ == nullptr) throw std::runtime_error("the file cannot be made");
    }
    ~File() {
        if (file_ != nullptr) std::fclose(file_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    void write(const void* data, std::size_t bytes) {
        if (bytes != 0 && std::fwrite(data, 1, bytes, file_) != bytes) throw std::runtime_error("the file cannot be written");
    }
    void part(Part part, const void* data, std::size_t bytes) {
        const Head head{std::uint64_t(part), bytes, checksum_of(static_cast<const std::uint8_t*>(data), bytes)};
        write(&head, sizeof head);
        write(data, bytes);
        const std::uint64_t nothing = 0;
        write(&nothing, (8 - bytes % 8) % 8);
    }
    void finish() {
        std::FILE* file = file_;
        file_ = nullptr;
        if (std::fclose(file) != 0) throw std::runtime_error("the file cannot be written");
    }

private:
    std::FILE* file_;
};

template <class View>
auto gathered(const View& view) {
    std::vector<decltype(view[0])> values(view.size());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = view[i];
    return values;
}

struct Mapped {
    std::shared_ptr<const void> keep;
    const std::uint8_t* data;
    std::size_t bytes;
};

#if defined(_WIN32)
Mapped mapped(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("there is no such file");
    auto content = std::make_shared<std::vector<char>>(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    return {content, reinterpret_cast<const std::uint8_t*>(content->data()), content->size()};
}
#else
Mapped mapped(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) throw std::runtime_error("there is no such file");
    struct stat facts {};
    if (::fstat(file, &facts) != 0 || facts.st_size < 8) {
        ::close(file);
        throw std::runtime_error("it is too short");
    }
    const auto bytes = std::size_t(facts.st_size);
    void* data = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file, 0);
    ::close(file);
    if (data == MAP_FAILED) throw std::runtime_error("it cannot be mapped");
    return {std::shared_ptr<const void>(data, [bytes](const void* at) { ::munmap(const_cast<void*>(at), bytes); }),
            static_cast<const std::uint8_t*>(data), bytes};
}
#endif

template <class T>
std::vector<T> values_of(const std::uint8_t* data, std::size_t bytes) {
    if (bytes % sizeof(T) != 0) throw std::runtime_error("a part has a wrong size");
    std::vector<T> values(bytes / sizeof(T));
    if (bytes != 0) std::memcpy(values.data(), data, bytes);
    return values;
}

std::vector<std::string> texts_of(const std::uint8_t* data, std::size_t bytes) {
    std::vector<std::string> texts;
    for (std::size_t at = 0; at < bytes;) {
        std::uint32_t size;
        if (at + sizeof size > bytes) throw std::runtime_error("a text is cut off");
        std::memcpy(&size, data + at, sizeof size);
        at += sizeof size;
        if (at + size > bytes) throw std::runtime_error("a text is cut off");
        texts.emplace_back(reinterpret_cast<const char*>(data + at), size);
        at += size;
    }
    return texts;
}

}  // namespace

void save(const State& state, const std::vector<std::string>& texts, const std::string& extra, const std::string& path) {
    File file(path);
    file.write(kMagic, sizeof kMagic);
    std::string joined;
    for (const std::string& text : texts) {
        const auto size = std::uint32_t(text.size());
        joined.append(reinterpret_cast<const char*>(&size), sizeof size);
        joined += text;
    }
    file.part(Part::texts, joined.data(), joined.size());
    const auto frequencies = gathered(state.frequencies);
    file.part(Part::frequencies, frequencies.data(), frequencies.size() * sizeof frequencies[0]);
    const auto members = gathered(state.members);
    file.part(Part::members, members.data(), members.size() * sizeof members[0]);
    const auto occurrences = gathered(state.occurrences);
    file.part(Part::occurrences, occurrences.data(), occurrences.size() * sizeof occurrences[0]);
    file.part(Part::extra, extra.data(), extra.size());
    for (const auto& segment : state.segments) file.part(Part::segment, segment->block().data(), segment->block().size());
    std::vector<const Content*> young;
    const auto seal = [&] {
        if (young.empty()) return;
        const auto segment = Segment::build(std::move(young), state.members.size());
        file.part(Part::segment, segment->block().data(), segment->block().size());
        young = {};
    };
    std::size_t tokens = 0;
    for (const auto& part : state.tails)
        for (std::size_t i = 0; i < part.count; ++i) {
            const Content& content = (*part.tail)[i];
            if (state.frequencies[content.slot] == 0) continue;
            if (young.size() == kSegmentRows || tokens + content.tokens.size() > kSegmentTokens) {
                seal();
                tokens = 0;
            }
            young.push_back(&content);
            tokens += content.tokens.size();
        }
    seal();
    file.part(Part::end, nullptr, 0);
    file.finish();
}

Saved open_saved(const std::string& path) {
    const Mapped file = mapped(path);
    if (std::memcmp(file.data, kMagic, sizeof kMagic) != 0) throw std::runtime_error("it is not an index of this version");
    Saved saved;
    std::size_t at = sizeof kMagic;
    while (true) {
        Head head;
        if (at + sizeof head > file.bytes) throw std::runtime_error("it is cut off");
        std::memcpy(&head, file.data + at, sizeof head);
        at += sizeof head;
        if (head.bytes > file.bytes - at) throw std::runtime_error("it is cut off");
        const std::uint8_t* data = file.data + at;
        const auto bytes = std::size_t(head.bytes);
        if (checksum_of(data, bytes) != head.checksum) throw std::runtime_error("a checksum does not fit");
        at += (bytes + 7) / 8 * 8;
        switch (Part(head.part)) {
            case Part::texts: saved.texts = texts_of(data, bytes); break;
            case Part::frequencies: saved.frequencies = values_of<std::uint64_t>(data, bytes); break;
            case Part::members: saved.members = values_of<std::uint32_t>(data, bytes); break;
            case Part::occurrences: saved.occurrences = values_of<std::uint64_t>(data, bytes); break;
            case Part::extra: saved.extra.assign(reinterpret_cast<const char*>(data), bytes); break;
            case Part::segment: {
                auto segment = Segment::adopt(data, bytes, file.keep);
                if (!segment) throw std::runtime_error("a segment contradicts itself");
                saved.segments.push_back(std::move(segment));
                break;
            }
            case Part::end:
                if (at != file.bytes) throw std::runtime_error("something follows its end");
                return saved;
            default: throw std::runtime_error("a part is unknown");
        }
    }
}

}  // namespace kato
