// The index of a node as Python changes it.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>

#include "index.hpp"
#include "view.hpp"
#include "written.hpp"

namespace kato {

// The index of one node.
class Writer {
public:
    // The slot of a pattern; below 0 where there is none.
    std::int64_t find(nb::handle events, const std::string& name) {
        const Content content = content_of(events, name);
        return index_.find(content.name, content.tokens, content.starts);
    }
    // Take a new pattern: its slot, or −1 if one of its name is there.
    std::int64_t learn(nb::handle events, const std::string& name, std::uint64_t frequency) {
        return index_.learn(content_of(events, name), frequency);
    }

    // Take new patterns in order, up to the first that is not new or whose occurrences (frequency × length) would bring the sum
    // of all to `most`: (how many were taken, their occurrences, (slot, place) of those with more than symbols and frequency).
    nb::tuple learn_many(nb::list patterns, std::uint64_t most) {
        std::vector<std::pair<Content, std::uint64_t>> contents;
        std::uint64_t occurrences = 0;
        for (nb::handle pattern : patterns) {
            const std::uint64_t frequency = PyLong_AsUnsignedLongLong(nb::object(pattern.attr("frequency")).ptr());
            if (PyErr_Occurred()) {  // more than the kernel counts
                PyErr_Clear();
                break;
            }
            Content content = content_of(pattern.attr("events"), nb::cast<std::string>(pattern.attr("name")));
            const std::uint64_t length = content.tokens.size();
            if (frequency >= most / length || occurrences + frequency * length >= most) break;
            occurrences += frequency * length;
            contents.emplace_back(std::move(content), frequency);
        }
        const std::vector<Slot> slots = take(contents, occurrences);
        nb::list annotated;
        for (std::size_t i = 0; i < slots.size(); ++i) {
            const nb::handle pattern = patterns[i];
            if (PyObject_Size(nb::object(pattern.attr("emotives")).ptr()) + PyObject_Size(nb::object(pattern.attr("metadata")).ptr()) + PyObject_Size(nb::object(pattern.attr("affinity")).ptr()) != 0)
                annotated.append(nb::make_tuple(slots[i], i));
        }
        return nb::make_tuple(slots.size(), occurrences, annotated);
    }

    // The same of patterns as a storage writes them: tuples (name's bytes, events as JSON, frequency, three that are None unless
    // the pattern has more, …). The first that is written in any other way is the first not taken.
    nb::tuple learn_written(nb::list rows, std::uint64_t most) {
        std::vector<std::pair<Content, std::uint64_t>> contents;
        contents.reserve(nb::len(rows));
        std::uint64_t occurrences = 0;
        for (nb::handle row : rows) {
            std::uint64_t frequency;
            Content content;
            if (!read_written(row, content, frequency)) break;
            const std::uint64_t length = content.tokens.size();
            if (frequency >= most / length || occurrences + frequency * length >= most) break;
            occurrences += frequency * length;
            contents.emplace_back(std::move(content), frequency);
        }
        const std::vector<Slot> slots = take(contents, occurrences);
        nb::list annotated;
        for (std::size_t i = 0; i < slots.size(); ++i)
            for (Py_ssize_t part = 3; part < 6; ++part)
                if (PyTuple_GET_ITEM(nb::handle(rows[i]).ptr(), part) != Py_None) {
                    annotated.append(nb::make_tuple(slots[i], i));
                    break;
                }
        return nb::make_tuple(slots.size(), occurrences, annotated);
    }

    void set_frequency(Slot slot, std::uint64_t frequency) { index_.set_frequency(slot, frequency); }
    void forget(Slot slot) { index_.forget(slot); }
    void clear() {
        index_.clear();
        numbers_ = {};
        shared_ = std::make_shared<Shared>();  // states in use keep theirs
    }
    // Another index that begins as this one is. Symbols are numbered by both together, and never taken back.
    Writer* fork() {
        auto made = std::make_unique<Writer>();
        made->index_.fork(index_);
        made->shared_ = shared_;
        return made.release();
    }
    void begin_many() { index_.begin_many(); }
    void end_many() {
        index_.end_many();
        numbers_ = {};
    }
    bool tend() {
        nb::gil_scoped_release release;
        return index_.tend();
    }
    bool is_untidy() const { return index_.is_untidy(); }
    View view() { return {index_.state(), shared_}; }
    Symbol number(nb::handle symbol) { return shared_->symbols.number(symbol); }
    std::size_t bytes() const { return index_.bytes(); }
    std::size_t text_bytes() const { return shared_->symbols.bytes(); }

    std::optional<nb::tuple> named(const std::string& name) const {
        const auto found = index_.named(name_of(name));
        if (!found) return std::nullopt;
        return told(Row::of(found->first), found->second, shared_->symbols);
    }

    // Fill an empty index from a file; what the caller saved with it.
    nb::bytes open(const std::string& path) {
        Saved saved;
        {
            nb::gil_scoped_release release;
            saved = open_saved(path);
        }
        clear();
        for (std::size_t i = 0; i < saved.texts.size(); ++i) {
            const std::string& text = saved.texts[i];
            const nb::object made = nb::steal(PyUnicode_DecodeUTF8(text.data(), Py_ssize_t(text.size()), nullptr));
            if (!made.is_valid()) nb::raise_python_error();
            if (shared_->symbols.number(made) != i) throw std::runtime_error("a symbol is there twice");
            if (i % kSymbolsAtOnce == 0) nb::gil_scoped_release breath;
        }
        {
            nb::gil_scoped_release release;
            index_.restore(std::move(saved.segments), saved.frequencies, saved.members, saved.occurrences);
        }
        return nb::bytes(saved.extra.data(), saved.extra.size());
    }

private:
    static constexpr std::size_t kUsual = 24;  // symbols of most patterns

    // Tuples, which nearly all sequences are here, need no iterator.
    template <class Visit>
    static void each_of(nb::handle sequence, Visit&& visit) {
        if (PyTuple_Check(sequence.ptr()))
            for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(sequence.ptr()); ++i) visit(nb::handle(PyTuple_GET_ITEM(sequence.ptr(), i)));
        else
            for (nb::handle item : sequence) visit(item);
    }

    Content content_of(nb::handle events, const std::string& name) {
        Content content;
        content.name = name_of(name);
        const auto take = [&](nb::handle event) {
            std::uint8_t starts = 1;
            each_of(event, [&](nb::handle text) {
                content.tokens.push_back(shared_->symbols.number(text));
                content.starts.push_back(starts);
                starts = 0;
            });
        };
        content.tokens.reserve(kUsual);
        content.starts.reserve(kUsual);
        each_of(events, take);
        if (content.tokens.empty()) throw nb::value_error("a pattern holds at least one symbol");
        return content;
    }

    // Whether a row is written as `learn_written` says; then what it holds.
    bool read_written(nb::handle row, Content& content, std::uint64_t& frequency) {
        if (!PyTuple_Check(row.ptr()) || PyTuple_GET_SIZE(row.ptr()) < 6) return false;
        PyObject* const name = PyTuple_GET_ITEM(row.ptr(), 0);
        PyObject* const events = PyTuple_GET_ITEM(row.ptr(), 1);
        if (!PyBytes_Check(name) || PyBytes_GET_SIZE(name) != Py_ssize_t(kNameBytes) || !PyUnicode_Check(events)) return false;
        std::memcpy(content.name.data(), PyBytes_AS_STRING(name), kNameBytes);
        Py_ssize_t size = 0;
        const char* const text = PyUnicode_AsUTF8AndSize(events, &size);
        if (text != nullptr && PyLong_Check(PyTuple_GET_ITEM(row.ptr(), 2)))
            frequency = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(row.ptr(), 2));
        else
            frequency = 0;
        if (PyErr_Occurred()) PyErr_Clear();
        if (text == nullptr || frequency == 0 || frequency == ~std::uint64_t{0}) return false;
        content.tokens.reserve(kUsual);
        content.starts.reserve(kUsual);
        return read_events(text, text + size, space_, [&](const char* symbol, std::size_t bytes, bool starts) {
            content.tokens.push_back(numbers_.number(symbol, bytes, [&] {
                const nb::object made = nb::steal(PyUnicode_DecodeUTF8(symbol, Py_ssize_t(bytes), nullptr));
                if (!made.is_valid()) nb::raise_python_error();
                return shared_->symbols.number(made);
            }));
            content.starts.push_back(starts);
        });
    }

    // Learn contents up to the first that is not new; the slots of those taken. `occurrences` is made that of those.
    std::vector<Slot> take(std::vector<std::pair<Content, std::uint64_t>>& contents, std::uint64_t& occurrences) {
        std::vector<Slot> slots;
        slots.reserve(contents.size());
        nb::gil_scoped_release release;
        for (auto& [content, frequency] : contents) {
            const std::int64_t slot = index_.learn(std::move(content), frequency);
            if (slot < 0) {
                occurrences = 0;
                for (const Slot taken : slots) occurrences += index_.occurrences(taken);
                break;
            }
            slots.push_back(Slot(slot));
        }
        return slots;
    }

    Index index_;
    TextNumbers numbers_;  // of the symbols met while many patterns come, as texts
    std::string space_;
    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace kato
