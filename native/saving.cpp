#include "saving.hpp"

#include <algorithm>
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

constexpr char kMagic[8] = {'K', 'A', 'T', 'O', 'I', 'D', 'X', '2'};
// What the file's parts mean follows from the sources that lay them out, so their digest stands after the magic: a kernel
// built from others, or for another order of bytes, does not read them.
constexpr std::uint64_t kLayout = KATO_LAYOUT;
// So much is written before the disk is waited for: others who flush then never wait for a whole index.
constexpr std::size_t kUnflushed = std::size_t{8} << 20;

enum class Part : std::uint64_t { texts = 1, frequencies, members, occurrences, extra, segment, end };

// Every part begins with this; its content follows, padded to eight bytes. The checksum covers the part's number and size too.
struct Head {
    std::uint64_t part, bytes, checksum;
};

std::uint64_t sum_of(std::uint64_t part, const std::uint8_t* data, std::size_t bytes) {
    return mixed(checksum_of(data, bytes) ^ part);
}

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
        const char* from = static_cast<const char*>(data);
        while (bytes != 0) {
            const std::size_t now = std::min(bytes, kUnflushed - unflushed_);
            if (std::fwrite(from, 1, now, file_) != now) throw std::runtime_error("the file cannot be written");
            from += now;
            bytes -= now;
            unflushed_ += now;
            if (unflushed_ == kUnflushed) flush();
        }
    }
    void part(Part part, const void* data, std::size_t bytes) {
        const Head head{std::uint64_t(part), bytes, sum_of(std::uint64_t(part), static_cast<const std::uint8_t*>(data), bytes)};
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
    void flush() {
        unflushed_ = 0;
        if (std::fflush(file_) != 0) throw std::runtime_error("the file cannot be written");
#if defined(__APPLE__)
        if (::fsync(::fileno(file_)) != 0) throw std::runtime_error("the file cannot be written");
#elif !defined(_WIN32)
        if (::fdatasync(::fileno(file_)) != 0) throw std::runtime_error("the file cannot be written");
#endif
    }

    std::FILE* file_;
    std::size_t unflushed_ = 0;
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

// Whether a segment speaks of symbols and slots that there are.
bool fits(const Segment& segment, const Saved& saved) {
    const auto symbols = segment.symbols();
    if (symbols.size() != 0 && symbols[symbols.size() - 1] >= saved.texts.size()) return false;
    for (std::size_t row = 0; row < segment.rows(); ++row)
        if (segment.slot(row) >= saved.frequencies.size()) return false;
    return segment.rows() != 0;
}

}  // namespace

void save(const State& state, const std::vector<std::string>& texts, const std::string& extra, const std::string& path) {
    File file(path);
    file.write(kMagic, sizeof kMagic);
    file.write(&kLayout, sizeof kLayout);
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
    if (file.bytes < sizeof kMagic + sizeof kLayout) throw std::runtime_error("it is cut off");
    if (std::memcmp(file.data, kMagic, sizeof kMagic) != 0) throw std::runtime_error("it is not an index of this version");
    if (std::memcmp(file.data + sizeof kMagic, &kLayout, sizeof kLayout) != 0)
        throw std::runtime_error("it was written by another build of the kernel");
    Saved saved;
    std::size_t at = sizeof kMagic + sizeof kLayout;
    while (true) {
        Head head;
        if (at + sizeof head > file.bytes) throw std::runtime_error("it is cut off");
        std::memcpy(&head, file.data + at, sizeof head);
        at += sizeof head;
        if (head.bytes > file.bytes - at) throw std::runtime_error("it is cut off");
        const std::uint8_t* data = file.data + at;
        const auto bytes = std::size_t(head.bytes);
        if (sum_of(head.part, data, bytes) != head.checksum) throw std::runtime_error("a checksum does not fit");
        at += (bytes + 7) / 8 * 8;
        switch (Part(head.part)) {
            case Part::texts: saved.texts = texts_of(data, bytes); break;
            case Part::frequencies: saved.frequencies = values_of<std::uint64_t>(data, bytes); break;
            case Part::members: saved.members = values_of<std::uint32_t>(data, bytes); break;
            case Part::occurrences: saved.occurrences = values_of<std::uint64_t>(data, bytes); break;
            case Part::extra: saved.extra.assign(reinterpret_cast<const char*>(data), bytes); break;
            case Part::segment: {
                auto segment = Segment::adopt(data, bytes, file.keep);
                if (!segment || !fits(*segment, saved)) throw std::runtime_error("a segment contradicts itself");
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
