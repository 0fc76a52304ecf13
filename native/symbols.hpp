// The symbols of a node as Python knows them: text to number and back.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>

#include "spelling.hpp"

namespace kato {

namespace nb = nanobind;

inline std::u32string letters_of(nb::handle text) {
    const int kind = PyUnicode_KIND(text.ptr());
    const void* data = PyUnicode_DATA(text.ptr());
    std::u32string letters(std::size_t(PyUnicode_GET_LENGTH(text.ptr())), U'\0');
    for (std::size_t i = 0; i < letters.size(); ++i) letters[i] = PyUnicode_READ(kind, data, Py_ssize_t(i));
    return letters;
}

// The node's symbols: text to number and back. Only touched by whoever holds the interpreter's lock; numbers are never taken
// back, so a reader of an older state finds its symbols where they were.
class Symbols {
public:
    Symbol number(nb::handle text) {
        const Symbol known = find(text);
        if (known != kUnknown) return known;
        if (!PyUnicode_Check(text.ptr())) throw nb::type_error("a symbol is a string");
        const auto number = Symbol(nb::len(texts_));
        if (number == kUnknown) throw std::length_error("a node holds at most 2^32 - 1 symbols");
        texts_.append(text);
        nb::object value = nb::int_(number);
        if (PyDict_SetItem(numbers_.ptr(), text.ptr(), value.ptr()) != 0) nb::raise_python_error();
        bytes_ += kSymbolBytes + std::size_t(PyUnicode_GET_LENGTH(text.ptr())) * std::size_t(PyUnicode_KIND(text.ptr()));
        return number;
    }

    // kUnknown if it was never learned.
    Symbol find(nb::handle text) const {
        PyObject* found = PyDict_GetItemWithError(numbers_.ptr(), text.ptr());
        if (found == nullptr) {
            if (PyErr_Occurred()) nb::raise_python_error();
            return kUnknown;
        }
        return Symbol(PyLong_AsUnsignedLong(found));
    }

    nb::list texts() const { return texts_; }

    // An event of nothing but this symbol. Those of the first symbols a node came to know, mostly its commonest, are kept:
    // answers are full of them.
    nb::object alone(Symbol number) const {
        if (number >= kKeptAlone) return event_of(number);
        while (nb::len(alone_) <= number) alone_.append(nb::none());
        PyObject* kept = PyList_GET_ITEM(alone_.ptr(), Py_ssize_t(number));
        if (kept != Py_None) return nb::borrow(kept);
        nb::object made = event_of(number);
        alone_[number] = made;
        ++kept_alone_;
        return made;
    }

    // About what the texts take, and the events kept.
    std::size_t bytes() const { return bytes_ + kept_alone_ * kAloneBytes; }

    // By number: whether the symbol's text contains another.
    std::vector<bool> containing(nb::str part) const {
        std::vector<bool> found(nb::len(texts_));
        for (std::size_t i = 0; i < found.size(); ++i)
            found[i] = PyUnicode_Contains(PyList_GET_ITEM(texts_.ptr(), Py_ssize_t(i)), part.ptr()) == 1;
        return found;
    }

    // Let the spellings know every symbol there is.
    void spell(Spellings& spellings) const {
        const std::size_t first = spellings.known();
        std::vector<std::u32string> letters;
        for (std::size_t i = first; i < nb::len(texts_); ++i) letters.push_back(letters_of(texts_[i]));
        nb::gil_scoped_release release;
        spellings.add(first, std::move(letters));
    }

private:
    static constexpr Symbol kKeptAlone = 65'536;
    static constexpr std::size_t kAloneBytes = 48 + 8;

    nb::object event_of(Symbol number) const {
        nb::object made = nb::steal(PyTuple_Pack(1, PyList_GET_ITEM(texts_.ptr(), Py_ssize_t(number))));
        if (!made.is_valid()) nb::raise_python_error();
        PyObject_GC_UnTrack(made.ptr());
        return made;
    }

    // Of a symbol besides its letters: the string's head, its place in the list and in the dictionary, its number.
    static constexpr std::size_t kSymbolBytes = 57 + 8 + 100 + 28;

    nb::dict numbers_;
    nb::list texts_;
    mutable nb::list alone_;  // by number; None for those not yet asked for
    mutable std::size_t kept_alone_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace kato
